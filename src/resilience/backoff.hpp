// How long to wait before the next try: exponential with full jitter, so that those who failed together do not come
// back together. delay(n) = uniform in [0, min(longest, first · 2ⁿ)] for the n-th failure in a row, from 0.
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, "Full Jitter".
//
// Pure; not synchronised; a few nanoseconds. The randomness is an argument: 64 random bits a call.
#pragma once
#include <cstdint>

#include "base/time_types.hpp"

namespace nissa::resilience {

struct BackoffOptions {
  std::int64_t first_ns = ns_per_s / 10;    // the ceiling after the first failure, > 0
  std::int64_t longest_ns = 30 * ns_per_s;  // no ceiling is above it, ≥ first_ns
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) : options_(options) {}

  // What the next delay is drawn from: [0, ceiling].
  std::int64_t ceiling_ns() const;
  // Another failure: how long to wait.
  std::int64_t failed(std::uint64_t random_bits);
  void succeeded() { failures_ = 0; }
  // In a row, since the last success.
  std::uint32_t failures() const { return failures_; }

 private:
  BackoffOptions options_;
  std::uint32_t failures_ = 0;
};

}  // namespace nissa::resilience
