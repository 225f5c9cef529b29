// Bytes of a connection between the socket and the fold. Grows to the frame at its front, gives its memory back when it
// is empty. How much it may hold is the gate's to say: capacity() is what was granted. One strand.
#pragma once
#include <cstring>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "ingest/buffer_pool.hpp"

namespace nissa::ingest {

class ReadBuffer {
 public:
  // The pool outlives it.
  explicit ReadBuffer(BufferPool& pool) : pool_(pool) {}
  ~ReadBuffer() { release(); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  std::size_t capacity() const { return block_.size; }
  bool empty() const { return first_ == last_; }
  ByteView unread() const { return {block_.memory.get() + first_, last_ - first_}; }
  std::span<Byte> free_space() { return {block_.memory.get() + last_, block_.size - last_}; }

  void filled(std::size_t bytes) { last_ += bytes; }
  // Views into what was consumed stay good until compact(), resize() or release().
  void consume(std::size_t bytes) { first_ += bytes; }

  void compact() {
    if (first_ == 0) return;
    std::memmove(block_.memory.get(), block_.memory.get() + first_, last_ - first_);
    last_ -= first_;
    first_ = 0;
  }
  // To at least what is unread.
  void resize(std::size_t capacity) {
    BufferPool::Block block = pool_.take(capacity);
    const std::size_t held = last_ - first_;
    if (held != 0) std::memcpy(block.memory.get(), block_.memory.get() + first_, held);
    pool_.give_back(std::exchange(block_, std::move(block)));
    first_ = 0;
    last_ = held;
  }
  void release() {
    pool_.give_back(std::exchange(block_, {}));
    first_ = last_ = 0;
  }

 private:
  BufferPool& pool_;
  BufferPool::Block block_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace nissa::ingest
