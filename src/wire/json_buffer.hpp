// Where a message is put together while its JSON is read: fields come in any order and lengths are known last, so
// what was written is moved up or put in order when a message ends. Grows by doubling; the bytes that are written are
// never more than the buffer has, whatever the text.
#pragma once
#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {

class JsonBuffer {
 public:
  explicit JsonBuffer(std::size_t expected) : bytes_(expected) {}

  std::size_t size() const { return size_; }
  void tag(std::uint32_t number, WireType type) { varint(number << 3 | static_cast<std::uint32_t>(type)); }
  void varint(std::uint64_t value) {
    reserve(max_varint_size);
    size_ = static_cast<std::size_t>(put_varint(bytes_.data() + size_, value) - bytes_.data());
  }
  void fixed(std::uint64_t value) {
    reserve(sizeof value);
    std::memcpy(bytes_.data() + size_, &value, sizeof value);  // little-endian machines only; the build says so
    size_ += sizeof value;
  }
  void text(std::string_view value) {
    reserve(max_varint_size + value.size());
    Byte* const at = put_varint(bytes_.data() + size_, value.size());
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    size_ = static_cast<std::size_t>(at - bytes_.data()) + value.size();
  }

  // A length that is not known yet: open() leaves one byte for it, which is enough for most; close() writes it.
  std::size_t open() {
    reserve(1);
    return size_++;
  }
  void close(std::size_t opened) {
    const std::size_t content = size_ - opened - 1;
    const std::size_t more = varint_size(content) - 1;
    if (more != 0) {
      reserve(more);
      std::memmove(bytes_.data() + opened + 1 + more, bytes_.data() + opened + 1, content);
      size_ += more;
    }
    put_varint(bytes_.data() + opened, content);
  }

  struct Piece {
    std::size_t begin;
    std::size_t end;
  };
  // The pieces, which are all from `begin` on, one behind the other as they stand in the list.
  void arrange(std::size_t begin, std::span<const Piece> pieces) {
    scratch_.clear();
    scratch_.reserve(size_ - begin);
    for (const Piece& piece : pieces)
      scratch_.insert(scratch_.end(), bytes_.data() + piece.begin, bytes_.data() + piece.end);
    std::memcpy(bytes_.data() + begin, scratch_.data(), scratch_.size());
  }

  Bytes take() {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  void reserve(std::size_t more) {
    if (bytes_.size() - size_ < more) bytes_.resize(std::max(2 * bytes_.size(), size_ + more));
  }
  static Byte* put_varint(Byte* at, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<Byte>(value | 0x80);
    *at++ = static_cast<Byte>(value);
    return at;
  }

  Bytes bytes_;
  std::size_t size_ = 0;
  Bytes scratch_;
};

}  // namespace nissa::wire
