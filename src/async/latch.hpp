// A latch: closed until it is opened, then open for ever. "The loop has ended", "the listener is ready".
// Any thread.
#pragma once
#include <memory>

#include "async/task.hpp"

namespace nissa {

class Latch {
 public:
  Latch();
  ~Latch();  // with nobody waiting
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  // Wakes all who wait. Opening it again does nothing. The last thing that its owner does with it: a waiter may
  // destroy the latch once it is woken.
  void open();
  bool is_open() const;
  // Returns when it is open, at once if it is.
  Task<void> wait();

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace nissa
