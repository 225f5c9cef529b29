// How a connection ends before its agent ends it: overdue, or because the server stops.
#include "ingest/session_flow.hpp"

namespace nissa::ingest {
namespace {

// So long may half a frame keep the room of a whole chunk.
constexpr std::int64_t standing_ns = ns_per_s;

const char* words_for(Reason reason) {
  switch (reason) {
    case Reason::slow_frame:
      return "a frame was begun and not completed in time";
    case Reason::hello_expected:
      return "no Hello came in time";
    default:
      return "nothing was said for too long; send a Heartbeat";
  }
}

}  // namespace

// GoAway, then what is in hand is answered, then the stream is closed.
void SessionFlow::leave(Reason reason, const char* message) {
  strand_.entered();
  if (leaving_ || outbox_->closed()) return;
  leaving_ = true;
  log_closed(sender_->principal, sender_->agent, reason);
  door_.books.closed[static_cast<std::size_t>(reason)].add();
  outbox_->say(wire::GoAway{reason, message});
  outbox_->finish();
}

void SessionFlow::go_away() { leave(Reason::shutting_down, "the server stops; reconnect later"); }

bool SessionFlow::unread_for_too_long(BootNs now) const {
  const BootNs since = outbox_->writing_since();
  return since != 0 && now - since >= door_.options.idle_timeout_ms * ns_per_ms;
}

bool SessionFlow::wants_attention(BootNs now) const {
  return patience_.over(now, door_.options) || patience_.frame_stands(now, standing_ns) || unread_for_too_long(now);
}

void SessionFlow::attend(BootNs now) {
  strand_.entered();
  if (unread_for_too_long(now)) {
    if (!leaving_ && !outbox_->closed()) {
      log_closed(sender_->principal, sender_->agent, Reason::idle);
      door_.books.closed[static_cast<std::size_t>(Reason::idle)].add();
    }
    return outbox_->close();
  }
  const auto over = patience_.over(now, door_.options);
  if (over == Reason::idle && outbox_->under_way() > 0) return patience_.idle(now);  // it waits for us
  if (over) return leave(*over, words_for(*over));
  if (patience_.frame_stands(now, standing_ns)) shrink_to_frame();
}

}  // namespace nissa::ingest
