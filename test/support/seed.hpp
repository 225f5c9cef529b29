// One seed a run for all random tests: from NISSA_SEED, else drawn; printed when a test fails.
#pragma once
#include <random>

namespace nissa::test {

unsigned long long seed();
// A generator for the test named by `salt`, so that tests do not depend on each other's order.
std::mt19937_64 random_for(unsigned long long salt);

// While one lives, violations are counted instead of failing the test.
class ExpectViolations {
 public:
  ExpectViolations();
  ~ExpectViolations();
  ExpectViolations(const ExpectViolations&) = delete;
  ExpectViolations& operator=(const ExpectViolations&) = delete;
  int seen() const;
};
int expected_violations();
void note_expected_violation();

}  // namespace nissa::test
