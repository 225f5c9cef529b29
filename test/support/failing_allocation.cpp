#include "support/failing_allocation.hpp"

#include <algorithm>
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

}  // namespace

static void* allocate(std::size_t size, std::align_val_t aligned) {
  const auto alignment = static_cast<std::size_t>(aligned);
  // aligned_alloc wants whole alignments; malloc's own is enough for the rest.
  const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const memory = fails()                                 ? nullptr
                       : alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, whole)
                                                               : std::malloc(whole);
  if (memory == nullptr) throw std::bad_alloc();
  alive.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

static void release(void* memory) {
  if (memory == nullptr) return;
  alive.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

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

// All forms, for the ones left out may be a sanitizer's.
using std::align_val_t, std::nothrow_t, std::size_t, nissa::test::allocate, nissa::test::release;

namespace {

void* allocate_or_null(size_t size, align_val_t alignment) noexcept {
  try {
    return allocate(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
constexpr align_val_t any{1};

}  // namespace

void* operator new(size_t size) { return allocate(size, any); }
void* operator new[](size_t size) { return allocate(size, any); }
void* operator new(size_t size, align_val_t alignment) { return allocate(size, alignment); }
void* operator new[](size_t size, align_val_t alignment) { return allocate(size, alignment); }
void* operator new(size_t size, const nothrow_t&) noexcept { return allocate_or_null(size, any); }
void* operator new[](size_t size, const nothrow_t&) noexcept { return allocate_or_null(size, any); }
void* operator new(size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return allocate_or_null(size, alignment);
}
void* operator new[](size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return allocate_or_null(size, alignment);
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, size_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t) noexcept { release(memory); }
void operator delete(void* memory, align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, align_val_t) noexcept { release(memory); }
void operator delete(void* memory, size_t, align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t, align_val_t) noexcept { release(memory); }
void operator delete(void* memory, const nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, align_val_t, const nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, align_val_t, const nothrow_t&) noexcept { release(memory); }
