#include "wire/frame.hpp"

#include <algorithm>
#include <type_traits>

#include "wire/header_peek.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {
namespace {

// Lengths are read as at most 32 bits: five bytes tell whether a length can be known at all.
constexpr std::size_t max_length_size = 5;

struct Prefix {
  bool known = false;
  bool lost = false;
  bool minimal = true;
  std::size_t length = 0;
  std::size_t size = 0;  // of the prefix itself
};

// Looser than read_varint: a length that is not minimal still says where the next frame begins.
Prefix read_prefix(ByteView unread) {
  Prefix prefix;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min(unread.size(), max_length_size); ++i) {
    value |= static_cast<std::uint64_t>(unread[i] & 0x7f) << (7 * i);
    if (unread[i] >= 0x80) continue;
    prefix.known = true;
    prefix.lost = value > 0xffffffff;
    prefix.minimal = i == 0 || unread[i] != 0;
    prefix.length = static_cast<std::size_t>(value);
    prefix.size = i + 1;
    return prefix;
  }
  prefix.lost = unread.size() >= max_length_size;
  return prefix;
}

template <class Kind>
class Reader {
 public:
  Reader(ByteView unread, std::size_t max_frame) : unread_(unread), max_frame_(max_frame) {}

  FrameStep<Kind> next() {
    const Prefix prefix = read_prefix(unread_);
    if (prefix.lost) return failed(FrameStatus::lost, Reason::value_out_of_range, 0);
    if (!prefix.known) {
      step_.wanted = unread_.size() + 1;
      return step_;
    }
    step_.size = prefix.size + prefix.length;
    if (!prefix.minimal) return failed(FrameStatus::malformed, Reason::varint_not_minimal, 0);
    content_ = unread_.subspan(prefix.size, std::min(prefix.length, unread_.size() - prefix.size));
    return envelope(prefix);
  }

 private:
  static constexpr std::uint64_t highest_kind = 5;

  FrameStep<Kind> failed(FrameStatus status, Reason reason, std::size_t offset) {
    step_.status = status;
    step_.reason = reason;
    step_.offset = static_cast<std::uint32_t>(offset);
    return step_;
  }
  FrameStep<Kind> want(std::size_t bytes) {
    step_.status = FrameStatus::need_more;
    step_.wanted = std::min(bytes, step_.size);
    return step_;
  }

  // The one field of a frame: `content_` is what is there of it, `prefix.length` bytes in the end.
  FrameStep<Kind> envelope(const Prefix& prefix) {
    if (prefix.length == 0) return failed(FrameStatus::malformed, Reason::frame_unknown, prefix.size);
    if (content_.empty()) return want(prefix.size + 2);
    const Byte tag = content_[0];
    if (tag < tag_of(1, WireType::bytes) || tag > tag_of(highest_kind, WireType::bytes) || (tag & 7) != 2) {
      return failed(FrameStatus::malformed, Reason::frame_unknown, prefix.size);
    }
    step_.kind = static_cast<Kind>(tag >> 3);
    const Byte* at = content_.data() + 1;
    const Byte* const end = content_.data() + content_.size();
    std::uint64_t length = 0;
    const Reason reason = read_varint(at, end, length);
    if (reason == Reason::truncated && content_.size() < prefix.length) return want(unread_.size() + 1);
    if (reason != Reason::none) return failed(FrameStatus::malformed, reason, prefix.size + 1);
    const auto inner = static_cast<std::size_t>(at - content_.data());
    const std::size_t rest = prefix.length - inner;
    // Shorter than the frame: something stands behind the message; longer: a piece of it is missing.
    if (length < rest) return failed(FrameStatus::malformed, Reason::frame_unknown, prefix.size + inner + length);
    if (length > rest) return failed(FrameStatus::malformed, Reason::truncated, prefix.size + 1);
    step_.payload_size = static_cast<std::size_t>(length);
    step_.payload = {at, end};
    return body(prefix, prefix.size + inner);
  }

  FrameStep<Kind> body(const Prefix& prefix, std::size_t payload_at) {
    if (prefix.length > max_frame_) {
      const std::size_t peek = is_batch() ? std::min(header_limit, step_.payload_size) : 0;
      if (step_.payload.size() < peek) return want(payload_at + peek);
      return failed(FrameStatus::malformed, Reason::frame_too_large, 0);
    }
    if (step_.payload.size() < step_.payload_size) return want(step_.size);
    step_.status = FrameStatus::complete;
    return step_;
  }
  bool is_batch() const {
    if constexpr (std::is_same_v<Kind, FrameKind>) return step_.kind == FrameKind::batch;
    return false;
  }

  ByteView unread_;
  std::size_t max_frame_;
  ByteView content_;
  FrameStep<Kind> step_;
};

void append_prefix(Bytes& out, Byte number, std::size_t payload_size) {
  ByteWriter writer(out);
  writer.varint(1 + varint_size(payload_size) + payload_size);
  out.push_back(tag_of(number, WireType::bytes));
  writer.varint(payload_size);
}

}  // namespace

FrameStep<FrameKind> next_client_frame(ByteView unread, std::size_t max_frame) {
  return Reader<FrameKind>(unread, max_frame).next();
}
FrameStep<ServerFrameKind> next_server_frame(ByteView unread, std::size_t max_frame) {
  return Reader<ServerFrameKind>(unread, max_frame).next();
}

void append_frame_prefix(Bytes& out, FrameKind kind, std::size_t payload_size) {
  append_prefix(out, static_cast<Byte>(kind), payload_size);
}
void append_frame_prefix(Bytes& out, ServerFrameKind kind, std::size_t payload_size) {
  append_prefix(out, static_cast<Byte>(kind), payload_size);
}
void append_frame(Bytes& out, FrameKind kind, ByteView payload) {
  append_frame_prefix(out, kind, payload.size());
  ByteWriter(out).raw(payload);
}
void append_frame(Bytes& out, ServerFrameKind kind, ByteView payload) {
  append_frame_prefix(out, kind, payload.size());
  ByteWriter(out).raw(payload);
}

}  // namespace nissa::wire
