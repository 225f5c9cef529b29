#include "simulation/violations.hpp"

#include <cstdio>

#include "base/violation.hpp"

namespace nissa::simulation {
namespace {

constexpr int most_printed = 5;
int seen = 0;

}  // namespace

void count_violations() {
  set_violation_hook([](std::string_view component, std::string_view expected, const std::source_location& where) {
    if (++seen <= most_printed)
      std::printf("violation in %.*s: %.*s (%s:%u)\n", static_cast<int>(component.size()), component.data(),
                  static_cast<int>(expected.size()), expected.data(), where.file_name(), where.line());
  });
}

void forget_violations() { seen = 0; }

int violations_seen() { return seen; }

}  // namespace nissa::simulation
