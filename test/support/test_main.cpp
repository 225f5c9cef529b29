// Every test program's main: a violation() fails the running test, and the seed is printed on failure.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "base/violation.hpp"
#include "support/seed.hpp"

namespace {

void fail_the_test(std::string_view component, std::string_view expected, const std::source_location& where) {
  if (nissa::test::expected_violations() > 0) {
    nissa::test::note_expected_violation();
    return;
  }
  DOCTEST_ADD_FAIL_CHECK_AT(where.file_name(), static_cast<int>(where.line()),
                            "violation in " << std::string(component) << ": " << std::string(expected));
}

}  // namespace

// Asio counts references with relaxed increments, a release decrement and an acquire fence before the last one destroys
// (asio/detail/atomic_count.hpp). That is right, but TSan does not know fences, and reports what the destructor does as
// a race with what was done before on other threads. Nothing else is suppressed.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:boost::asio::detail::ref_count_down\n"; }

int main(int argc, char** argv) {
  nissa::set_violation_hook(fail_the_test);
  doctest::Context context(argc, argv);
  const int outcome = context.run();
  if (outcome != 0) std::fprintf(stderr, "seed: repeat with NISSA_SEED=%llu\n", nissa::test::seed());
  return outcome;
}
