// Memory that runs out at a chosen moment, in programs that link failing_allocation.cpp: it replaces operator new.
// What is counted and what fails is of this thread; what is alive, of the program.
#pragma once
#include <cstdint>

namespace nissa::test {

// While one lives, the allocation numbered `from` (from 0) fails, alone or with all after it.
class FailingAllocation {
 public:
  enum class Then { succeed, fail };
  explicit FailingAllocation(std::uint64_t from, Then then = Then::succeed);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  // False: what was tried did not need so many.
  bool happened() const;
};

// How many allocations this thread has made.
std::uint64_t allocations_made();
// Allocated and not freed.
std::int64_t allocations_alive();

}  // namespace nissa::test
