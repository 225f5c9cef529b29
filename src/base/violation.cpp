#include "base/violation.hpp"

#include <array>
#include <atomic>

#include "base/mutex.hpp"

namespace nissa {
namespace {

struct Slot {
  std::string_view component;
  std::atomic<std::uint64_t> count{0};
};

Mutex slots_mutex;
std::array<Slot, 32> slots;
std::atomic<std::size_t> slots_used{0};
std::atomic<ViolationHook> the_hook{nullptr};

Slot& slot_of(std::string_view component) {
  Lock lock(slots_mutex);
  const std::size_t used = slots_used.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i)
    if (slots[i].component == component) return slots[i];
  if (used == slots.size()) return slots.back();
  slots[used].component = component;
  slots_used.store(used + 1, std::memory_order_release);
  return slots[used];
}

}  // namespace

void violation(std::string_view component, std::string_view expected, std::source_location where) {
  slot_of(component).count.fetch_add(1, std::memory_order_relaxed);
  if (const ViolationHook hook = the_hook.load(std::memory_order_acquire)) hook(component, expected, where);
}

void set_violation_hook(ViolationHook hook) { the_hook.store(hook, std::memory_order_release); }

std::size_t violation_components() { return slots_used.load(std::memory_order_acquire); }

ViolationCount violation_count(std::size_t index) {
  return {slots[index].component, slots[index].count.load(std::memory_order_relaxed)};
}

}  // namespace nissa
