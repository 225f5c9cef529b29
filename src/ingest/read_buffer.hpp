// Bytes of a connection between the socket and the fold. Grows to the frame at its front, gives its memory back when it
// is empty. How much it may hold is the gate's to say: capacity() is what was granted. One strand.
#pragma once
#include <cstring>
#include <memory>
#include <span>

#include "base/bytes.hpp"

namespace nissa::ingest {

class ReadBuffer {
 public:
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return first_ == last_; }
  ByteView unread() const { return {memory_.get() + first_, last_ - first_}; }
  std::span<Byte> free_space() { return {memory_.get() + last_, capacity_ - last_}; }

  void filled(std::size_t bytes) { last_ += bytes; }
  void consume(std::size_t bytes) { first_ += bytes; }

  // The unread bytes move to the front: views into the buffer end here.
  void compact() {
    if (first_ == 0) return;
    std::memmove(memory_.get(), memory_.get() + first_, last_ - first_);
    last_ -= first_;
    first_ = 0;
  }
  // At least as large as what is unread. Not cleared: it is read into before it is read.
  void resize(std::size_t capacity) {
    auto memory = std::make_unique_for_overwrite<Byte[]>(capacity);
    const std::size_t held = last_ - first_;
    if (held != 0) std::memcpy(memory.get(), memory_.get() + first_, held);
    memory_ = std::move(memory);
    capacity_ = capacity;
    first_ = 0;
    last_ = held;
  }
  void release() {
    memory_.reset();
    capacity_ = first_ = last_ = 0;
  }

 private:
  std::unique_ptr<Byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace nissa::ingest
