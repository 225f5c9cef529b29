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

int main(int argc, char** argv) {
  nissa::set_violation_hook(fail_the_test);
  doctest::Context context(argc, argv);
  const int outcome = context.run();
  if (outcome != 0) std::fprintf(stderr, "seed: repeat with NISSA_SEED=%llu\n", nissa::test::seed());
  return outcome;
}
