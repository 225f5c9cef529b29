#include "async/latch.hpp"

#include <vector>

#include "async/parked.hpp"
#include "base/mutex.hpp"

namespace nissa {

struct Latch::Inside {
  mutable Mutex mutex;
  bool is_open NISSA_GUARDED_BY(mutex) = false;
  std::vector<Parked<bool>> waiting NISSA_GUARDED_BY(mutex);

  bool read() const {
    Lock lock(mutex);
    return is_open;
  }
  void keep(Parked<bool> parked) {
    Lock lock(mutex);
    if (is_open) return parked.wake(true);
    waiting.push_back(std::move(parked));
  }
};

Latch::Latch() : inside_(std::make_shared<Inside>()) {}
Latch::~Latch() = default;

void Latch::open() {
  const auto in = inside_;  // a waiter on another thread may destroy the latch while we still wake the others
  std::vector<Parked<bool>> waiting;
  {
    Lock lock(in->mutex);
    in->is_open = true;
    waiting.swap(in->waiting);
  }
  for (auto& parked : waiting) parked.wake(true);
}

bool Latch::is_open() const { return inside_->read(); }

Task<void> Latch::wait() {
  const auto in = inside_;
  if (in->read()) co_return;
  co_await park<bool>([in](Parked<bool> parked) { in->keep(std::move(parked)); });
}

}  // namespace nissa
