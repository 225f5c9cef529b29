// A histogram of seconds with fixed bounds, as Prometheus wants it; any thread may read.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"

namespace nissa {

template <class CounterType>
class BasicLatencyHistogram {
 public:
  // Upper bounds in nanoseconds; the last bucket is +Inf.
  static constexpr std::array<std::int64_t, 15> bounds_ns{
      100'000,    250'000,     500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,    25'000'000,
      50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};

  void observe(std::int64_t ns) {
    std::size_t i = 0;
    while (i < bounds_ns.size() && ns > bounds_ns[i]) ++i;
    counts_[i].add();
    sum_ns_.add(static_cast<std::uint64_t>(ns > 0 ? ns : 0));
  }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  double sum_seconds() const { return static_cast<double>(sum_ns_.value()) / 1e9; }

 private:
  std::array<CounterType, bounds_ns.size() + 1> counts_;
  CounterType sum_ns_;
};

using LatencyHistogram = BasicLatencyHistogram<Counter>;              // one writer
using SharedLatencyHistogram = BasicLatencyHistogram<SharedCounter>;  // several

}  // namespace nissa
