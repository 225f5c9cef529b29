#include "tools/follow_source.hpp"

#include <algorithm>

#include "base/crc32c.hpp"
#include "tools/event_lines.hpp"

namespace nissa::tools {
namespace {

constexpr std::size_t most_unkeyed = 16;                // cut ahead of what the server lets go out
constexpr std::uint64_t most_bytes = 16ULL << 20;       // of bodies
constexpr std::uint64_t most_raw_bytes = 1ULL << 20;    // of lines in a batch
constexpr std::uint64_t most_raw_at_once = 4ULL << 20;  // some 10 ms, in which the strand does nothing else
constexpr BootNs keep_within_ns = ns_per_s;             // settlements: they cost nothing but another duplicate

}  // namespace

std::optional<BootNs> FollowSource::fill(client::Stream& stream, BootNs now) {
  batches_resent_ = stream.counts().resendings;
  connections_lost_ = stream.counts().connections_lost;
  if (!cuts_) {
    drop_open();  // read again by the next start
    return std::nullopt;
  }
  cut_smaller(stream);
  if (now >= poll_at_) {
    follower_.poll(now);
    poll_at_ = now + poll_ns;
  }
  const bool more = read(stream, now);
  if (!books_.changed()) keep_at_ = now + keep_within_ns;
  if (now >= keep_at_) {
    (void)books_.keep_all(follower_);
    keep_at_ = now + keep_within_ns;
  }
  if (more) return now;
  if (open_ && has_room(stream)) return std::min(poll_at_, open_->since + options_.agent.batch_age_ms * ns_per_ms);
  return poll_at_;
}

bool FollowSource::has_room(const client::Stream& stream) const {
  return books_.live() < FollowBooks::most_live && books_.unkeyed() < most_unkeyed && stream.held_bytes() < most_bytes;
}

bool FollowSource::read(client::Stream& stream, BootNs now) {
  std::shared_ptr<TrackedFile> file;
  std::string_view line;
  std::uint64_t raw = 0;
  while (raw < most_raw_at_once && has_room(stream)) {
    const LogFollower::Got got = follower_.next(file, line);
    if (got == LogFollower::Got::nothing) break;
    if (open_ && open_->live.file != file) close_open(stream);
    raw += file->file.raw_line().size();
    if (got == LogFollower::Got::line) {
      if (!take(stream, file, line, now)) file->file.back();
      continue;
    }
    close_open(stream);
    ++books_.counts.lines;
    const FilePoint after = file->file.point();
    books_.bad_line(file->file.name() + ", before byte " + std::to_string(after.offset), "a line longer than 64 KiB");
    books_.passed(file, after);
  }
  // While others wait to be sent it may as well grow on.
  const bool due = open_ && now - open_->since >= options_.agent.batch_age_ms * ns_per_ms;
  if (due && !stream.queued() && has_room(stream)) close_open(stream);
  return raw >= most_raw_at_once && has_room(stream);
}

bool FollowSource::take(client::Stream& stream, const std::shared_ptr<TrackedFile>& file, std::string_view line,
                        BootNs now) {
  const ByteView raw = file->file.raw_line();
  const FilePoint after = file->file.point();
  if (open_ && open_->body.event_count >= stream.max_events()) close_open(stream);  // which were lowered since
  if (!open_) {
    open_ = Open{};
    open_->since = now;
    open_->live.file = file;
    open_->live.name = file->file.name();
    open_->live.cut.inode = file->file.inode();
    open_->live.before = file->file.point_before();
    open_->live.cut.from = open_->live.before.offset;
  }
  client::Body& body = open_->body;
  const std::size_t before = body.bytes.size();
  Status made;
  if (!is_blank(line)) made = append_event_of(line, options_, body.bytes);
  const std::uint32_t most = std::min(options_.agent.batch_bytes, stream.max_body_bytes());
  if (body.bytes.size() > most && body.event_count > 0) {
    body.bytes.resize(before);
    close_open(stream);
    return false;
  }
  LiveCut& live = open_->live;
  if (!is_blank(line)) {
    ++books_.counts.lines;
    ++live.lines;
  }
  if (!made) {
    ++live.bad_lines;
    books_.bad_line(live.name + ", byte " + std::to_string(after.offset - raw.size()), made.error().message);
  }
  if (body.bytes.size() > before) ++body.event_count;
  Cut& cut = live.cut;
  cut.crc = crc32c(raw, cut.crc);
  cut.to = after.offset;
  live.after = after;
  if (body.event_count >= std::min(options_.agent.batch_events, stream.max_events()) || body.bytes.size() >= most ||
      cut.to - cut.from >= most_raw_bytes)
    close_open(stream);
  return true;
}

void FollowSource::close_open(client::Stream& stream) {
  if (!open_) return;
  Open open = std::move(*open_);
  open_.reset();
  if (open.body.event_count == 0) return books_.passed(open.live.file, open.live.after);
  open.body.size = static_cast<std::uint32_t>(open.body.bytes.size());
  open.live.cut.events = open.body.event_count;
  open.body.tag = books_.cut(std::move(open.live));
  enqueue(stream, std::move(open.body));
}

void FollowSource::enqueue(client::Stream& stream, client::Body body) {
  const std::uint64_t tag = body.tag;
  const std::uint32_t events = body.event_count;
  // One event beyond what the server takes at all, or a batch once keyed that is too large by now.
  if (stream.enqueue(std::move(body)) != client::Taken::accepted)
    books_.settled({tag, client::Fate::refused, Reason::frame_too_large, events});
}

void FollowSource::drop_open() {
  if (open_) books_.uncount(open_->live);
  open_.reset();
}

// HelloAck lowered the limits: what bears no key yet is read again, and cut by them.
void FollowSource::cut_smaller(client::Stream& stream) {
  std::vector<client::Body> back = stream.take_back_too_large();
  const bool open_too_large =
      open_ && (open_->body.event_count > stream.max_events() || open_->body.bytes.size() > stream.max_body_bytes());
  if (back.empty() && !open_too_large) return;
  std::vector<std::uint64_t> tags;
  for (client::Body& body : back) {
    if (books_.was_keyed(body.tag))
      enqueue(stream, std::move(body));  // a batch once keyed is never split
    else
      tags.push_back(body.tag);
  }
  std::vector<LiveCut> cuts = books_.take_back(tags);
  if (open_) {
    books_.uncount(open_->live);
    open_->live.cut.events = open_->body.event_count;
    cuts.push_back(std::move(open_->live));
    open_.reset();
  }
  for (auto one = cuts.rbegin(); one != cuts.rend(); ++one)
    if (!follower_.rewind(one->file, one->before))
      books_.lose(*one, "the server takes only smaller batches, and the file was truncated: it cannot be cut again");
}

void FollowSource::settled(const client::Settlement& settlement, BootNs) { books_.settled(settlement); }

void FollowSource::link_changed(bool up, std::string_view why) {
  if (!up && !down_said_) say_(std::string(why) + "; trying again");
  if (up && down_said_) say_("connected again");
  down_said_ = !up;
}

}  // namespace nissa::tools
