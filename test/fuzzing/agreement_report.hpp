// What the differential fuzzers share: a difference or a violation crashes; at the end it is told how many inputs both
// sides accepted, and fewer than a fifth is a failure, for rejected inputs alone prove little.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>
#include <string_view>

#include "base/violation.hpp"
#include "oracle/walk_difference.hpp"

namespace nissa::test {

inline Agreement agreement;

[[noreturn]] inline void crash(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

inline void tell_agreement() {
  constexpr double least_share = 0.2;
  constexpr std::uint64_t too_few_to_judge = 1000;  // a single input that is run again, for example
  std::fprintf(stderr, "accepted by both: %llu of %llu inputs (%.1f %%)\n",
               static_cast<unsigned long long>(agreement.accepted), static_cast<unsigned long long>(agreement.inputs),
               100 * agreement.share());
  if (agreement.inputs < too_few_to_judge || agreement.share() >= least_share) return;
  std::fprintf(stderr, "fewer than %.0f %%: the generator breaks too much\n", 100 * least_share);
  std::_Exit(1);
}

inline void begin_fuzzing() {
  std::atexit(tell_agreement);
  set_violation_hook([](std::string_view room, std::string_view expected, const std::source_location&) {
    crash("violation in " + std::string(room) + ": " + std::string(expected));
  });
}

}  // namespace nissa::test
