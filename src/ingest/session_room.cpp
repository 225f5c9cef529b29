// A connection's buffer and the gate. What is read was granted before: the buffer is as large as its reservations.
//
// A connection whose class is not known yet, or whose class has no room, reads in a small buffer: enough for a header.
// So a batch that cannot be taken is refused by its name, and CRITICAL is known when it comes.
#include <algorithm>

#include "ingest/session_flow.hpp"

namespace nissa::ingest {
namespace {

// What is read at once while a connection is busy: a read a frame costs 30 % more at batches of 100.
constexpr std::size_t read_chunk = BufferPool::unit;
// Holds a frame's prefix and a batch's header, and a usual Hello.
constexpr std::size_t small_buffer = 1024;

constexpr std::size_t whole_units(std::size_t bytes) { return (bytes + read_chunk - 1) / read_chunk * read_chunk; }

}  // namespace

// Sees to a buffer with free space for the frame at its front. False: the connection was told to leave.
Task<bool> SessionFlow::get_room() {
  const std::size_t good = whole_units(std::max(read_chunk, wanted_));
  if (buffer_.capacity() < good && class_)
    if (auto room = door_.overload.try_bytes(*class_, sender_id_, good - buffer_.capacity()); room && *room)
      grow(std::move(**room));
  // While a class is full its connections go on with what they have, as far as it goes.
  while (buffer_.capacity() < std::max<std::size_t>(wanted_, 1))
    if (!co_await wait_for_room()) co_return false;
  buffer_.compact();
  co_return true;
}

// For the least that gets the connection further. A batch that waited too long is refused by its name, and what comes
// of it is skipped.
Task<bool> SessionFlow::wait_for_room() {
  const bool of_class = class_ && skipping_ == 0;  // what is skipped belongs to no class any more
  const Priority known = of_class ? *class_ : (wanted_ <= small_buffer ? Priority::critical : Priority::normal);
  const std::size_t least = std::max(wanted_, of_class ? std::size_t{1} : small_buffer);
  const std::size_t capacity = buffer_.capacity() == 0 && of_class ? std::max(least, read_chunk) : least;
  auto refusal = co_await hold(known, capacity);
  if (leaving_) co_return false;
  if (!refusal) co_return true;
  if (refusal->reason == Reason::no_room && partial_) {
    const Arrived batch = arrive(*partial_, {});
    skip_partial();
    refuse(batch, refusal->reason, refusal->retry_after_ms);
    co_return true;
  }
  if (refusal->reason == Reason::no_room && buffer_.capacity() == 0 && class_) {
    // Not even a header could be read. There is room for that: see what it is that cannot be taken.
    refusal = co_await hold(Priority::high, small_buffer);
    if (leaving_) co_return false;
    if (!refusal) co_return true;
  }
  leave(refusal->reason, "no room for what this connection sends; come back later");
  co_return false;
}

// Until the buffer may be of this capacity. Waiting is our doing: no deadline of the agent's runs.
Task<std::optional<overload::Refusal>> SessionFlow::hold(Priority priority, std::size_t capacity) {
  const auto held = patience_.hold(door_.clock.boot_ns());
  auto room =
      co_await door_.overload.async_bytes(priority, sender_id_, capacity - buffer_.capacity(), buffer_.capacity());
  patience_.go_on(held, door_.clock.boot_ns());
  if (!room) co_return room.error();
  grow(std::move(*room));
  co_return std::nullopt;
}

void SessionFlow::grow(overload::Reservation room) {
  const std::size_t capacity = buffer_.capacity() + room.bytes();
  if (rooms_.empty() || !rooms_.back().absorb(room)) rooms_.push_back(std::move(room));
  buffer_.resize(capacity);
}

// Who stands still in the middle of a frame keeps room for that frame, not for a chunk.
void SessionFlow::shrink_to_frame() {
  const std::size_t needed = std::max({wanted_, buffer_.unread().size(), std::size_t{1}});
  if (!waiting_ || needed >= buffer_.capacity()) return;
  std::size_t surplus = buffer_.capacity() - needed;
  buffer_.resize(needed);
  while (surplus > 0) {
    const std::size_t here = std::min(surplus, rooms_.back().bytes());
    rooms_.back().keep(rooms_.back().bytes() - here);
    if (rooms_.back().bytes() == 0) rooms_.pop_back();
    surplus -= here;
  }
}

void SessionFlow::give_back_buffer() {
  buffer_.release();
  rooms_.clear();
}

}  // namespace nissa::ingest
