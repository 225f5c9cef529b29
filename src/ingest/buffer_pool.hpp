// Freed read buffers, kept warm: blocks of this size are mapped and unmapped by malloc, and a page fault for each 4 KiB
// costs more than the folding of what is read into them. What is kept here is beside ingest_bytes, which counts what
// may hold an agent's bytes.
// Any thread; 20 ns. Bounded: most_kept bytes.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/mutex.hpp"
#include "ingest/options.hpp"

namespace nissa::ingest {

class BufferPool {
 public:
  // Blocks of a multiple of this are kept; others go back to the system.
  static constexpr std::size_t unit = std::size_t{128} << 10;

  struct Block {
    std::unique_ptr<Byte[]> memory;
    std::size_t size = 0;
  };

  explicit BufferPool(std::size_t most_kept = kept_buffer_bytes) : most_kept_(most_kept) {}

  // Not cleared: it is read into before it is read.
  Block take(std::size_t size);
  void give_back(Block block);
  std::size_t kept_bytes() const;

 private:
  const std::size_t most_kept_;
  mutable Mutex mutex_;
  std::vector<Block> kept_ NISSA_GUARDED_BY(mutex_);
  std::size_t kept_bytes_ NISSA_GUARDED_BY(mutex_) = 0;
};

}  // namespace nissa::ingest
