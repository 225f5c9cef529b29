// std::mutex with the attributes that libstdc++'s lacks.
#pragma once
#include <mutex>

#include "base/capability.hpp"

namespace nissa {

class NISSA_CAPABILITY("mutex") Mutex {
 public:
  void lock() NISSA_ACQUIRE() { mutex_.lock(); }
  void unlock() NISSA_RELEASE() { mutex_.unlock(); }
  // For std::condition_variable; the caller holds the lock.
  std::mutex& native() { return mutex_; }

 private:
  std::mutex mutex_;
};

class NISSA_SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(Mutex& mutex) NISSA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() NISSA_RELEASE() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace nissa
