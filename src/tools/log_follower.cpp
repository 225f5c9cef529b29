// Finding the files; what becomes of each: log_follower_files.cpp.
#include "tools/log_follower.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/crc32c.hpp"

namespace nissa::tools {
namespace {

// So much must stand before a place to know a file by it alone: many logs begin alike.
constexpr std::uint32_t least_tail = 64;

// Behind the last whole line, as far as that can be seen from the end.
std::uint64_t end_of_lines(const OpenFile& file, std::uint64_t size) {
  const std::uint64_t from = size - std::min<std::uint64_t>(size, FollowedFile::longest_line);
  const Bytes last = read_range(file, from, size);
  const auto found = std::find(last.rbegin(), last.rend(), Byte{'\n'});
  return found == last.rend() ? size : from + static_cast<std::uint64_t>(last.rend() - found);
}

// The two begin with the same bytes.
bool begin_alike(const OpenFile& a, const OpenFile& b) {
  const Bytes of_a = read_range(a, 0, longest_tail), of_b = read_range(b, 0, longest_tail);
  const std::size_t size = std::min(of_a.size(), of_b.size());
  return size >= least_tail && std::equal(of_a.begin(), of_a.begin() + static_cast<std::ptrdiff_t>(size), of_b.begin());
}

}  // namespace

void LogFollower::begin(bool from_end) {
  for (const Sibling& sibling : siblings_of(path_)) {
    const OpenFile file(sibling.path);
    if (file.valid()) add_done(point_in(file, sibling.facts.size));
    changed_ns_ = std::max(changed_ns_, sibling.facts.changed_ns);
  }
  OpenFile file(path_);
  const auto facts = file.valid() ? facts_of(file) : std::nullopt;
  if (facts && facts->regular) {
    const FilePoint from = point_in(file, from_end ? end_of_lines(file, facts->size) : 0);
    track(std::move(file), path_, from);
  }
}

void LogFollower::resume(const SendState& state) {
  done_ = state.done;
  changed_ns_ = state.changed_ns;
  for (const FilePoint& point : state.reading) {
    changed_ns_ = std::max(changed_ns_, point.changed_ns);
    auto found = find(point);
    if (!found) found = find_copy(point);
    if (found)
      track(std::move(found->first), found->second, point);
    else
      sayings_.missing("what " + path_ + " held behind byte " + std::to_string(point.offset) + " (inode " +
                       std::to_string(point.inode) + ") is not found, neither there nor in " + path_ +
                       ".*: rotated away, compressed or truncated before it was read. Its lines are not counted");
  }
  // A file that was truncated while nothing of it was read looks as before: what it held may be in a copy.
  adopt_missed();
}

std::optional<std::pair<OpenFile, std::string>> LogFollower::find(const FilePoint& point) const {
  std::vector<std::string> candidates{path_};
  for (const Sibling& sibling : siblings_of(path_)) candidates.push_back(sibling.path);
  for (const std::string& candidate : candidates) {
    const auto seen = facts_of(candidate);
    if (!seen || !seen->regular || seen->inode != point.inode || is_tracked(seen->inode)) continue;
    OpenFile file(candidate);
    if (file.valid() && stands_at(file, point)) return std::pair(std::move(file), candidate);
  }
  return std::nullopt;
}

// The newest that fits: with little before the place, only one that was made since we looked.
std::optional<std::pair<OpenFile, std::string>> LogFollower::find_copy(const FilePoint& point) const {
  if (point.tail_size == 0) return std::nullopt;
  const std::vector<Sibling> siblings = siblings_of(path_);
  for (auto sibling = siblings.rbegin(); sibling != siblings.rend(); ++sibling) {
    const bool fresh = sibling->numbered && sibling->facts.changed_ns >= changed_ns_;
    if (is_tracked(sibling->facts.inode) || (point.tail_size < least_tail && !fresh)) continue;
    OpenFile file(sibling->path);
    const auto facts = file.valid() ? facts_of(file) : std::nullopt;
    if (facts && stands_at(file, point) && done_point_of(file, *facts) == nullptr)
      return std::pair(std::move(file), sibling->path);
  }
  return std::nullopt;
}

std::optional<Bytes> LogFollower::find_bytes(std::uint64_t inode, std::uint64_t from, std::uint64_t to,
                                             std::uint32_t crc, bool& inode_seen) const {
  std::vector<std::string> candidates{path_};
  for (const Sibling& sibling : siblings_of(path_)) candidates.push_back(sibling.path);
  inode_seen = false;
  for (const std::string& candidate : candidates) {
    const auto facts = facts_of(candidate);
    if (!facts || !facts->regular) continue;
    inode_seen |= facts->inode == inode;
    const OpenFile file(candidate);
    if (!file.valid() || facts->size < to) continue;
    Bytes bytes = read_range(file, from, to);
    if (bytes.size() == to - from && crc32c(bytes) == crc) return bytes;
  }
  return std::nullopt;
}

bool LogFollower::is_tracked(std::uint64_t inode) const {
  return std::ranges::any_of(files_, [inode](const auto& one) { return !one->vanished && one->file.inode() == inode; });
}

const FilePoint* LogFollower::done_point_of(const OpenFile& file, const FileFacts& facts) const {
  for (const FilePoint& point : done_)
    if (point.inode == facts.inode && stands_at(file, point)) return &point;
  return nullptr;
}

// Of a file that is or was read: its lines are counted where they were first.
bool LogFollower::is_a_copy(const OpenFile& file) const {
  const auto same = [&file](const FilePoint& point) { return point.tail_size >= least_tail && stands_at(file, point); };
  return std::ranges::any_of(done_, same) || std::ranges::any_of(files_, [&](const auto& one) {
           const FilePoint place = one->file.point();
           return place.offset == 0 ? begin_alike(file, one->file.file()) : same(place);
         });
}

void LogFollower::poll(BootNs now) {
  const auto files = files_;  // for truncated() changes it
  for (const auto& one : files) {
    one->drained = false;
    changed_ns_ = std::max(changed_ns_, one->file.point().changed_ns);
    if (!one->vanished) look_for_truncation(one);
  }
  look_at_path(true);
  finish_quiet(now);
}

void LogFollower::look_at_path(bool adopting) {
  const auto seen = facts_of(path_);
  if (!seen) {
    if (files_.empty()) say_once(path_ + ": " + std::generic_category().message(errno) + "; waiting for it");
    if (adopting) adopt_missed();  // one may have come and gone
    return;
  }
  if (is_tracked(seen->inode) || files_.size() + 1 >= most_reading) return;
  if (!seen->regular) return say_once(path_ + " is no file that grows; a pipe can be read by nissa-send < " + path_);
  if (adopting) adopt_missed();
  OpenFile file(path_);
  const auto facts = file.valid() ? facts_of(file) : std::nullopt;
  if (!facts) return say_once(path_ + " cannot be read: " + std::generic_category().message(errno) + "; trying again");
  if (is_tracked(facts->inode)) return;  // renamed since we looked
  const FilePoint* known = done_point_of(file, *facts);
  const FilePoint from = known != nullptr ? *known : point_in(file, 0);
  if (!files_.empty()) sayings_.say(path_ + " was begun anew");
  track(std::move(file), path_, from);
}

// Rotations that went unseen: what was made, and renamed or compressed, since the last look.
void LogFollower::adopt_missed() {
  const auto at_path = facts_of(path_);
  for (const Sibling& sibling : siblings_of(path_)) {
    if (files_.size() + 2 >= most_reading) return;
    if ((at_path && sibling.facts.inode == at_path->inode) || is_tracked(sibling.facts.inode)) continue;
    adopt(sibling);
  }
}

void LogFollower::adopt(const Sibling& sibling) {
  OpenFile file(sibling.path);
  const auto facts = file.valid() ? facts_of(file) : std::nullopt;
  if (!facts || facts->inode != sibling.facts.inode) return;
  if (const FilePoint* known = done_point_of(file, *facts)) {
    const FilePoint from = *known;
    if (facts->size > from.offset) track(std::move(file), sibling.path, from);
    return;
  }
  if (!sibling.numbered || facts->changed_ns < changed_ns_ || is_a_copy(file)) return;
  if (sibling.compressed) {
    // It has the time of the file that it was made of, which we may be reading.
    for (const auto& one : files_) {
      const auto ours = facts_of(one->file.file());
      if (ours && ours->changed_ns >= facts->changed_ns) return;
    }
    sayings_.missing(sibling.path +
                     " was made and compressed before it was read: what it holds that was not sent from " + path_ +
                     " before is not counted");
    return add_done(point_in(file, facts->size));
  }
  sayings_.say(sibling.path + " was rotated before it was seen: it is read from its start");
  track(std::move(file), sibling.path, point_in(file, 0));
}

}  // namespace nissa::tools
