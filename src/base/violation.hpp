// A broken expectation. Under test it fails the running test; in production it counts, is logged once in a while with
// its place, feeds the component's breaker (through the hook that app sets), and the caller takes the conservative
// answer. So there is no assert in src/: no input and no failure makes the process exit.
#pragma once
#include <cstdint>
#include <source_location>
#include <string_view>

namespace nissa {

// Any thread. `component` is a literal: the room's name.
void violation(std::string_view component, std::string_view expected,
               std::source_location where = std::source_location::current());

using ViolationHook = void (*)(std::string_view component, std::string_view expected,
                               const std::source_location& where);
// Before any thread starts. nullptr: count only.
void set_violation_hook(ViolationHook hook);

// Of the whole process, for the metric nissa_violations_total{component}. At most 32 components are told apart.
struct ViolationCount {
  std::string_view component;
  std::uint64_t count;
};
std::size_t violation_components();
ViolationCount violation_count(std::size_t index);

}  // namespace nissa
