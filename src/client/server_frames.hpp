// The bytes from a server, cut into its messages. Pure: any cutting of the stream into reads gives the same messages.
// What a newer server says beyond what we know is passed over.
#pragma once
#include <cstddef>
#include <span>
#include <variant>

#include "base/bytes.hpp"
#include "wire/messages.hpp"

namespace nissa::client {

using ServerFrame =
    std::variant<std::monostate, wire::HelloAck, wire::Ack, wire::HeartbeatAck, wire::GoAway, wire::ControlReply>;

class ServerFrames {
 public:
  // `capacity`: of the buffer, and so the largest frame that is understood.
  explicit ServerFrames(std::size_t capacity) : buffer_(capacity) {}

  // Where to read to; never empty while lost() is false and next() said false.
  std::span<Byte> space() { return std::span(buffer_).subspan(end_); }
  void filled(std::size_t size) { end_ += size; }
  // The next message; false if more bytes are needed. monostate is never told.
  bool next(ServerFrame& frame);
  // Nothing more can be understood: close the connection.
  bool lost() const { return lost_; }
  // Why, where it is that the first bytes are those of an HTTP answer: another port than was meant.
  bool http() const { return http_; }

 private:
  void make_room();
  void look_for_http();

  Bytes buffer_;
  std::size_t begin_ = 0;  // [begin_, end_) is unread
  std::size_t end_ = 0;
  std::size_t skip_ = 0;  // still to come of a frame that is passed over
  bool at_start_ = true;  // fewer bytes have come than tell HTTP from frames
  bool http_ = false;
  bool lost_ = false;
};

}  // namespace nissa::client
