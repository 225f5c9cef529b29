#include "tools/follow_books.hpp"

#include <algorithm>

#include "client/explain.hpp"
#include "tools/amount.hpp"
#include "tools/event_lines.hpp"

namespace nissa::tools {
namespace {

constexpr std::uint64_t most_said = 100;

std::string place_of(const std::string& name, std::uint64_t from, std::uint64_t to) {
  return name + ", bytes " + std::to_string(from) + " to " + std::to_string(to);
}

// The place may have been noted before the file was truncated: then its copy is what is read.
void move_kept(TrackedFile& file, const FilePoint& to) {
  file.kept = to;
  file.kept.inode = file.file.inode();
}

}  // namespace

client::Body body_of(ByteView bytes, const SendOptions& options) {
  client::Body body;
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_blank(line) && append_event_of(line, options, body.bytes)) ++body.event_count;
  }
  body.size = static_cast<std::uint32_t>(body.bytes.size());
  return body;
}

FollowBooks::FollowBooks(StateFile& file, const SendOptions& options, Say say)
    : file_(file), options_(options), say_(std::move(say)) {}

void FollowBooks::bad_line(const std::string& where, const std::string& why) {
  ++counts.bad_lines;
  if (counts.bad_lines <= most_said)
    say_(where + ": " + why + (counts.bad_lines == most_said ? "; further ones are only counted" : ""));
}

void FollowBooks::lose(const std::string& where, std::uint64_t events, const std::string& why) {
  counts.uncertain += events;
  say_(where + ": " + events_text(events) + " uncertain (counted once or not at all): " + why);
}

void FollowBooks::lose(const LiveCut& live, const std::string& why) {
  counts.lines += live.lines;
  counts.bad_lines += live.bad_lines;
  changed_ = true;
  if (live.cut.events > 0) lose(place_of(live.name, live.cut.from, live.cut.to), live.cut.events, why);
}

std::optional<Bytes> FollowBooks::bytes_of(const Cut& cut, const LogFollower& follower) {
  bool inode_seen = false;
  auto bytes = follower.find_bytes(cut.inode, cut.from, cut.to, cut.crc, inode_seen);
  if (!bytes)
    lose(place_of(options_.follow, cut.from, cut.to), cut.events,
         inode_seen ? "other bytes stand there now, so they are not sent again"
                    : "the file (inode " + std::to_string(cut.inode) + ") is no longer found");
  return bytes;
}

std::vector<std::pair<Priority, client::Stored>> FollowBooks::resume(const SendState& state,
                                                                     const LogFollower& follower) {
  std::vector<Cut> cuts = state.cuts;
  // A batch that was keyed anew stands where it was cut: within an epoch, numbers must ascend.
  std::ranges::sort(cuts, {}, [](const Cut& cut) { return cut.key; });
  std::vector<std::pair<Priority, client::Stored>> stored;
  for (const Cut& cut : cuts) {
    changed_ = true;
    counts.resumed += cut.events;
    const auto bytes = bytes_of(cut, follower);
    if (!bytes) continue;
    client::Body body = body_of(*bytes, options_);
    if (body.event_count == 0) {
      lose(place_of(options_.follow, cut.from, cut.to), cut.events, "with the options of today no line is understood");
      continue;
    }
    LiveCut live;
    live.cut = cut;
    counts.resumed = counts.resumed - cut.events + body.event_count;  // other options may make another number of them
    live.cut.events = body.event_count;
    live.name = options_.follow;
    body.tag = ++last_tag_;
    events_live_ += body.event_count;
    live_.emplace(body.tag, std::move(live));
    stored.emplace_back(cut.key.priority,
                        client::Stored{cut.key.epoch, cut.epoch_seen, cut.key.sequence, std::move(body)});
  }
  return stored;
}

std::uint64_t FollowBooks::cut(LiveCut made) {
  ++made.file->unkeyed;
  ++unkeyed_;
  events_live_ += made.cut.events;
  live_.emplace(++last_tag_, std::move(made));
  return last_tag_;
}

void FollowBooks::passed(const std::shared_ptr<TrackedFile>& file, const FilePoint& to) {
  if (file->unkeyed == 0) {
    move_kept(*file, to);
    changed_ = true;
    return;
  }
  for (auto one = live_.rbegin(); one != live_.rend(); ++one) {
    if (one->second.file != file || one->second.cut.key.epoch != 0) continue;
    one->second.after = to;
    return;
  }
}

void FollowBooks::keyed(const wire::BatchHeader& header, std::uint64_t tag) {
  LiveCut& live = live_.at(tag);
  if (live.cut.key.epoch == 0) {
    --unkeyed_;
    --live.file->unkeyed;
    move_kept(*live.file, live.after);
  }
  live.cut.key = header.key();
  live.cut.epoch_seen = header.epoch_seen;
  unkept_ = changed_ = true;
}

std::vector<LiveCut> FollowBooks::take_back(const std::vector<std::uint64_t>& tags) {
  std::vector<LiveCut> back;
  for (const std::uint64_t tag : tags) {
    const auto found = live_.find(tag);
    --unkeyed_;
    --found->second.file->unkeyed;
    events_live_ -= found->second.cut.events;
    uncount(found->second);
    back.push_back(std::move(found->second));
    live_.erase(found);
  }
  return back;
}

void FollowBooks::uncount(const LiveCut& live) {
  counts.lines -= live.lines;
  counts.bad_lines -= live.bad_lines;
}

void FollowBooks::settled(const client::Settlement& settlement) {
  const auto found = live_.find(settlement.tag);
  if (found == live_.end()) return;
  const LiveCut live = std::move(found->second);
  const bool keyed = live.cut.key.epoch != 0;
  // Given up at the end: what may have been sent stays in the file, what was not is read again.
  const bool for_the_next = settlement.fate == client::Fate::abandoned ||
                            (settlement.fate == client::Fate::uncertain && settlement.reason == Reason::none);
  if (for_the_next) {
    counts.kept += settlement.event_count;
    if (keyed) found->second = live;
    return;
  }
  if (!keyed) {
    --unkeyed_;
    --live.file->unkeyed;
    move_kept(*live.file, live.after);
  }
  events_live_ -= live.cut.events;
  live_.erase(found);
  changed_ = true;
  account(live, settlement);
}

void FollowBooks::account(const LiveCut& live, const client::Settlement& settlement) {
  const std::string place = place_of(live.name, live.cut.from, live.cut.to);
  switch (settlement.fate) {
    case client::Fate::counted:
    case client::Fate::duplicate:
      counts.counted += settlement.event_count;
      tell_rejected(live, settlement);
      break;
    case client::Fate::refused:
    case client::Fate::abandoned:
      counts.refused += settlement.event_count;
      say_(place + ": " + events_text(settlement.event_count) + " refused: " + client::why_lost(settlement));
      break;
    case client::Fate::uncertain:
      lose(place, settlement.event_count, client::why_lost(settlement));
      break;
  }
}

void FollowBooks::tell_rejected(const LiveCut& live, const client::Settlement& settlement) {
  std::array<std::uint64_t, event_fault_count> rejected{};
  for (std::size_t i = 0; i < event_fault_count; ++i) rejected[i] = settlement.rejected[i];
  rejected[static_cast<std::size_t>(EventFault::too_old) - 1] += settlement.late;
  std::string text;
  for (std::size_t i = 0; i < event_fault_count; ++i) {
    counts.rejected[i] += rejected[i];
    if (rejected[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(rejected[i]) + " " +
            std::string(name_of(static_cast<EventFault>(i + 1)));
  }
  if (!text.empty() && said_++ < most_said)
    say_(place_of(live.name, live.cut.from, live.cut.to) + ": events not taken by the server: " + text);
}

SendState FollowBooks::snapshot(const LogFollower& follower) const {
  SendState state;
  state.path = options_.follow;
  state.meaning = meaning_of(options_);
  for (const auto& one : follower.files()) state.reading.push_back(one->kept);
  state.done = follower.done();
  state.changed_ns = follower.changed_ns();
  for (const auto& [tag, live] : live_)
    if (live.cut.key.epoch != 0) state.cuts.push_back(live.cut);
  return state;
}

bool FollowBooks::keep(const LogFollower& follower) { return !unkept_ || keep_all(follower); }

bool FollowBooks::keep_all(const LogFollower& follower) {
  const Status stored = file_.store(snapshot(follower));
  if (!stored && !failing_) say_(stored.error().message + "; nothing is sent until it can be");
  if (stored && failing_) say_("the state file can be written again");
  failing_ = !stored;
  if (stored) unkept_ = changed_ = false;
  return stored.has_value();
}

}  // namespace nissa::tools
