// Bytes as they come and go: views, and a reader that cannot run past the end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nissa {

using Byte = std::uint8_t;
using ByteView = std::span<const Byte>;
using Bytes = std::vector<Byte>;

inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const Byte*>(text.data()), text.size()}; }

// Appends little-endian numbers and protobuf-style varints.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}
  template <class T>
    requires std::is_unsigned_v<T>
  void fixed(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    std::memcpy(out_.data() + at, &value, sizeof value);
  }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<Byte>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<Byte>(value));
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void text(std::string_view value) {
    varint(value.size());
    raw(as_bytes(value));
  }
  std::size_t size() const { return out_.size(); }

 private:
  Bytes& out_;
};

// Reads what ByteWriter wrote. After a read past the end (or an overlong varint) failed() is true and every further
// read yields 0: check once at the end.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes), size_(bytes.size()) {}
  template <class T>
    requires std::is_unsigned_v<T>
  T fixed() {
    T value = 0;
    if (!take(sizeof value)) return 0;
    std::memcpy(&value, rest_.data() - sizeof value, sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (!take(1)) return 0;
      const Byte byte = rest_.data()[-1];
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::int64_t zigzag() {
    const std::uint64_t raw = varint();
    return static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  }
  ByteView raw(std::size_t size) {
    if (!take(size)) return {};
    return {rest_.data() - size, size};
  }
  std::string_view text() {
    const std::uint64_t size = varint();
    if (size > rest_.size()) {
      fail();
      return {};
    }
    return as_text(raw(static_cast<std::size_t>(size)));
  }
  // A count of things of at least one byte each: so that a damaged count cannot reserve the memory of the world.
  std::size_t count() {
    const std::uint64_t value = varint();
    if (value > rest_.size()) {
      fail();
      return 0;
    }
    return static_cast<std::size_t>(value);
  }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t offset() const { return size_ - rest_.size(); }
  std::size_t left() const { return rest_.size(); }

 private:
  bool take(std::size_t size) {
    if (size > rest_.size()) {
      fail();
      return false;
    }
    rest_ = rest_.subspan(size);
    return true;
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  ByteView rest_;
  std::size_t size_;
  bool failed_ = false;
};

}  // namespace nissa
