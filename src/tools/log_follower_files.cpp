// What becomes of each file: read, truncated, done with.
#include <algorithm>

#include "tools/log_follower.hpp"

namespace nissa::tools {

void LogFollower::track(OpenFile file, const std::string& name, const FilePoint& from) {
  FilePoint here = from;
  if (const auto facts = facts_of(file)) here.inode = facts->inode;
  std::erase_if(done_, [&here](const FilePoint& point) { return point.inode == here.inode; });
  files_.push_back(std::make_shared<TrackedFile>(FollowedFile(std::move(file), name, here), here));
  note_size(*files_.back());
  said_.clear();
}

LogFollower::Got LogFollower::next(std::shared_ptr<TrackedFile>& from, std::string_view& line) {
  for (std::size_t i = 0; i < files_.size();) {
    const std::shared_ptr<TrackedFile> one = files_[i];
    if (one->drained || one->vanished) {
      ++i;
      continue;
    }
    switch (one->file.next(line)) {
      case FollowedFile::Got::line:
        from = one;
        return Got::line;
      case FollowedFile::Got::too_long:
        from = one;
        return Got::too_long;
      case FollowedFile::Got::truncated:
        truncated(one);
        i = 0;
        break;
      case FollowedFile::Got::broken:
        say_once(one->file.name() + " cannot be read; trying again");
        one->drained = true;
        break;
      case FollowedFile::Got::nothing:
        one->drained = true;
        break;
    }
  }
  return Got::nothing;
}

bool LogFollower::rewind(const std::shared_ptr<TrackedFile>& which, const FilePoint& to) {
  // First, for the farthest place is what a copy is best known by.
  if (!which->vanished && !stands_at(which->file.file(), which->file.point())) truncated(which);
  if (which->vanished) return false;
  which->size_polled = std::max(which->size_polled, which->file.seen_to());
  which->file.rewind(to);
  which->drained = false;
  return true;
}

// Before it is read on, which may be long after: else the next truncation would hide this one.
void LogFollower::look_for_truncation(const std::shared_ptr<TrackedFile>& which) {
  const auto facts = facts_of(which->file.file());
  if (!facts) return;
  const FilePoint place = which->file.point();
  if (facts->size < std::max(place.offset, which->size_polled)) return truncated(which);
  note_size(*which);
}

void LogFollower::note_size(TrackedFile& which) {
  const auto facts = facts_of(which.file.file());
  if (!facts) return;
  which.size_polled = facts->size;
  if (which.file.point().offset == 0 && which.head.offset < longest_tail)
    which.head = point_in(which.file.file(), std::min<std::uint64_t>(facts->size, longest_tail));
}

void LogFollower::truncated(const std::shared_ptr<TrackedFile>& which) {
  FilePoint place = which->file.point();
  const bool unread = place.offset == 0;
  const bool seen_more = std::max(which->size_polled, which->file.seen_to()) > place.offset;
  if (unread) place = which->head;
  which->vanished = true;  // so that it is not taken for what is looked for
  if (auto copy = find_copy(place)) {
    sayings_.say(which->file.name() + " was truncated; the rest of it is read from " + copy->second);
    if (unread) place = point_in(copy->first, 0);
    which->file = FollowedFile(std::move(copy->first), copy->second, place);
    which->kept.inode = which->file.inode();
    which->size_polled = 0;
    which->vanished = false;
    which->drained = false;
  } else {
    // Where nothing more was seen, nobody knows that there was something.
    (seen_more ? sayings_.missing : sayings_.say)(
        which->file.name() + " was truncated at byte " + std::to_string(place.offset) +
        " or later, and no copy of it is found: " +
        (seen_more ? "what it held behind it" : "what was written since the last look") + " is not counted");
    if (which->unkeyed == 0) std::erase(files_, which);
  }
  look_at_path(false);
}

void LogFollower::finish_quiet(BootNs now) {
  const auto current = facts_of(path_);
  std::vector<std::shared_ptr<TrackedFile>> ended;
  for (const auto& one : files_) {
    if (one->vanished) {
      if (one->unkeyed == 0) ended.push_back(one);
      continue;
    }
    const auto facts = facts_of(one->file.file());
    const std::uint64_t size = facts ? facts->size : 0;
    const bool old = current && current->inode != one->file.inode();
    if (!old || one->unkeyed > 0 || size != one->size_seen || one->quiet_since == 0) {
      one->size_seen = size;
      one->quiet_since = now;
      continue;
    }
    // Read to its last line, and all of that kept.
    if (now - one->quiet_since >= quiet_ns && one->file.told_all_of(size) &&
        one->kept.offset == one->file.point().offset)
      ended.push_back(one);
  }
  for (const auto& one : ended) {
    if (!one->vanished) finish(*one);
    std::erase(files_, one);
  }
}

void LogFollower::finish(const TrackedFile& which) {
  if (which.file.unread() > 0)
    sayings_.bad(which.file.name() + ", byte " + std::to_string(which.kept.offset) +
                 ": the last line has no end, and nobody writes it any more");
  const auto facts = facts_of(which.file.file());
  // With what was written at the very last, it is taken up again at the next rotation.
  add_done(facts && which.file.unread() > 0 ? point_in(which.file.file(), facts->size) : which.kept);
}

void LogFollower::add_done(const FilePoint& point) {
  done_.push_back(point);
  if (done_.size() > most_done) done_.erase(done_.begin());
}

std::uint64_t LogFollower::unread() const {
  std::uint64_t sum = 0;
  for (const auto& one : files_)
    if (!one->vanished) sum += one->file.unread();
  return sum;
}

void LogFollower::say_once(const std::string& text) {
  if (said_.insert(text).second) sayings_.say(text);
}

}  // namespace nissa::tools
