#include "support/seed.hpp"

#include <atomic>
#include <cstdlib>

namespace nissa::test {
namespace {
std::atomic<int> expecting{0};
std::atomic<int> noted{0};
}  // namespace

unsigned long long seed() {
  static const unsigned long long chosen = [] {
    if (const char* given = std::getenv("NISSA_SEED")) return std::strtoull(given, nullptr, 10);
    std::random_device device;
    return static_cast<unsigned long long>(device());
  }();
  return chosen;
}

std::mt19937_64 random_for(unsigned long long salt) { return std::mt19937_64(seed() * 0x9E3779B97F4A7C15ULL + salt); }

ExpectViolations::ExpectViolations() {
  noted = 0;
  ++expecting;
}
ExpectViolations::~ExpectViolations() { --expecting; }
int ExpectViolations::seen() const { return noted; }
int expected_violations() { return expecting; }
void note_expected_violation() { ++noted; }

}  // namespace nissa::test
