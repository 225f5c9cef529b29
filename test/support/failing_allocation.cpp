#include "support/failing_allocation.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace nissa::test {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

struct Thread {
  std::uint64_t made = 0;
  std::uint64_t fail_at = never;  // by `made`
  bool fail_on = false;
  bool failed = false;
};
constinit thread_local Thread here;
constinit std::atomic<std::int64_t> alive{0};

bool fails() {
  const std::uint64_t number = here.made++;
  if (number < here.fail_at || (number > here.fail_at && !here.fail_on)) return false;
  here.failed = true;
  return true;
}

void* allocate(std::size_t size, std::size_t alignment) {
  // aligned_alloc wants whole alignments; malloc's own is enough for the rest.
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* const memory = fails()                                 ? nullptr
                       : alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, whole)
                                                               : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  alive.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  alive.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

FailingAllocation::FailingAllocation(std::uint64_t from, Then then) {
  here.failed = false;
  here.fail_on = then == Then::fail;
  here.fail_at = here.made + from;
}
FailingAllocation::~FailingAllocation() { here.fail_at = never; }
bool FailingAllocation::happened() const { return here.failed; }

std::uint64_t allocations_made() { return here.made; }
std::int64_t allocations_alive() { return alive.load(std::memory_order_relaxed); }

}  // namespace nissa::test

// The forms for arrays and those that return nullptr call these.
void* operator new(std::size_t size) { return nissa::test::allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return nissa::test::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { nissa::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { nissa::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { nissa::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { nissa::test::release(memory); }
