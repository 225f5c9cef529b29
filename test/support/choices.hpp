// Where a generator takes its decisions from: a random number generator (property tests) or the bytes of a fuzzer's
// input, which then are a program for the generator: what it changes in them changes the structure that comes out.
#pragma once
#include <cstdint>
#include <random>

#include "base/bytes.hpp"

namespace nissa::test {

class Choices {
 public:
  virtual ~Choices() = default;
  virtual std::uint64_t bits(int bytes) = 0;
  // 0 to n - 1.
  std::uint64_t below(std::uint64_t n) { return n < 2 ? 0 : bits(n <= 256 ? 1 : 8) % n; }
  // Never, when the choice is 0.
  bool chance(unsigned percent) { return 99 - below(100) < percent; }
};

class RandomChoices final : public Choices {
 public:
  explicit RandomChoices(std::mt19937_64& random) : random_(random) {}
  std::uint64_t bits(int) override { return random_(); }

 private:
  std::mt19937_64& random_;
};

// Beyond the end every choice is 0, for which every generator makes the plainest thing and no mutation.
class ByteChoices final : public Choices {
 public:
  explicit ByteChoices(ByteView program) : rest_(program) {}
  std::uint64_t bits(int bytes) override {
    std::uint64_t value = 0;
    for (; bytes > 0 && !rest_.empty(); --bytes, rest_ = rest_.subspan(1)) value = value << 8 | rest_.front();
    return value;
  }

 private:
  ByteView rest_;
};

}  // namespace nissa::test
