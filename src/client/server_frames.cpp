#include "client/server_frames.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "wire/frame.hpp"

namespace nissa::client {
namespace {

template <class T>
bool take(std::expected<T, wire::Malformed> decoded, ServerFrame& frame) {
  if (!decoded) return false;
  frame = std::move(*decoded);
  return true;
}

// False: not understood.
bool decode(wire::ServerFrameKind kind, ByteView payload, ServerFrame& frame) {
  switch (kind) {
    case wire::ServerFrameKind::ack:
      return take(wire::decode_ack(payload), frame);
    case wire::ServerFrameKind::hello_ack:
      return take(wire::decode_hello_ack(payload), frame);
    case wire::ServerFrameKind::heartbeat_ack:
      return take(wire::decode_heartbeat_ack(payload), frame);
    case wire::ServerFrameKind::go_away:
      return take(wire::decode_go_away(payload), frame);
    case wire::ServerFrameKind::control_reply:
      return take(wire::decode_control_reply(payload), frame);
    case wire::ServerFrameKind::unknown:
      return false;
  }
  return false;
}

// How an HTTP/1 server answers whatever it is sent. As a frame it would be one of 72 bytes, of no known kind.
constexpr std::string_view http_answer = "HTTP/1.";

}  // namespace

void ServerFrames::look_for_http() {
  const std::string_view first = as_text(ByteView(buffer_).first(std::min(end_, http_answer.size())));
  at_start_ = http_answer.starts_with(first) && first.size() < http_answer.size();
  lost_ = http_ = first == http_answer;
}

bool ServerFrames::next(ServerFrame& frame) {
  if (at_start_) {
    look_for_http();
    if (at_start_) return false;
  }
  while (!lost_) {
    const std::size_t skipped = std::min(skip_, end_ - begin_);
    begin_ += skipped;
    skip_ -= skipped;
    if (skip_ > 0) break;
    const auto step = wire::next_server_frame(ByteView(buffer_).subspan(begin_, end_ - begin_), buffer_.size());
    if (step.status == wire::FrameStatus::need_more) break;
    if (step.status == wire::FrameStatus::lost || step.size == 0) {
      lost_ = true;
      break;
    }
    if (step.status == wire::FrameStatus::malformed) {
      skip_ = step.size;
      continue;
    }
    const bool understood = decode(step.kind, step.payload, frame);
    begin_ += step.size;
    if (understood) return true;
  }
  make_room();
  return false;
}

void ServerFrames::make_room() {
  if (begin_ == 0) {
    if (end_ == buffer_.size()) lost_ = true;  // a frame that fills it all is beyond what any server says
    return;
  }
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

}  // namespace nissa::client
