#include "ingest/buffer_pool.hpp"

#include <utility>

namespace nissa::ingest {

BufferPool::Block BufferPool::take(std::size_t size) {
  if (size % unit == 0) {
    Lock lock(mutex_);
    for (std::size_t i = kept_.size(); i-- > 0;) {
      if (kept_[i].size != size) continue;
      std::swap(kept_[i], kept_.back());
      Block block = std::move(kept_.back());
      kept_.pop_back();
      kept_bytes_ -= size;
      return block;
    }
  }
  return {std::make_unique_for_overwrite<Byte[]>(size), size};
}

void BufferPool::give_back(Block block) {
  if (block.size == 0 || block.size % unit != 0) return;
  Lock lock(mutex_);
  if (kept_bytes_ + block.size > most_kept_) return;
  kept_bytes_ += block.size;
  kept_.push_back(std::move(block));
}

std::size_t BufferPool::kept_bytes() const {
  Lock lock(mutex_);
  return kept_bytes_;
}

}  // namespace nissa::ingest
