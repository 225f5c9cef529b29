// The vectors of the judge from the SLO mathematics: fully measured time, so lower = upper = burn rate. They prove the
// cut of the windows, the running sums and the integers together.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

#include "slo/block.hpp"
#include "slo/burn_rate.hpp"

using namespace nissa::slo;

namespace {

constexpr nissa::UnixMs z_ms = 6'912'000'000;
constexpr std::int64_t spacing_ms = 50;
constexpr std::uint64_t min_bad = 10;
constexpr double never = -1;

struct Tier {
  std::size_t long_window;
  std::size_t short_window;
  BurnFactor factor;
};
constexpr std::array<Tier, 4> tiers{{{2, 0, {72, 5}}, {4, 1, {6, 1}}, {5, 3, {3, 1}}, {6, 4, {1, 1}}}};

struct Times {
  double fire_s = never;   // after the failures began
  double clear_s = never;  // after they ended
};
struct Vector {
  const char* objective;
  std::uint64_t bad_per_mille;
  std::int64_t phase_ms;
  std::array<Times, 4> expected;
};

// Four days of good events before z, one each 50 ms.
void add_history(Block& block) {
  for (nissa::UnixMs at_ms = z_ms - 4 * day_ms; at_ms < z_ms; at_ms += nissa::bucket_ms) {
    block.advance(at_ms);
    block.add(0, nissa::bucket_of(at_ms), {nissa::bucket_ms / spacing_ms, nissa::bucket_ms / spacing_ms}, 1);
  }
}

class Judge {
 public:
  explicit Judge(const Vector& vector) : vector_(vector), objective_(*Objective::parse(vector.objective)) {}
  void judge(const Block& block) {
    const WindowCounts sums = block.window_sums(0);
    const std::int64_t since_ms = block.head_ms() - z_ms - vector_.phase_ms;
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      const Counts& in_long = sums[tiers[i].long_window];
      const Counts& in_short = sums[tiers[i].short_window];
      const bool over = burns_faster_than(tiers[i].factor, in_long, objective_) &&
                        burns_faster_than(tiers[i].factor, in_short, objective_);
      if (over && in_long.bad() >= min_bad && times[i].fire_s == never) {
        times[i].fire_s = static_cast<double>(since_ms) / 1000;
      }
      const bool clear = !over && in_short.total > 0 && since_ms >= hour_ms && times[i].fire_s != never;
      if (clear && times[i].clear_s == never) times[i].clear_s = static_cast<double>(since_ms - hour_ms) / 1000;
    }
  }
  std::array<Times, 4> times;

 private:
  const Vector& vector_;
  Objective objective_;
};

std::array<Times, 4> run(const Vector& vector) {
  Block block(z_ms - 4 * day_ms);
  add_history(block);
  Judge judge(vector);
  std::uint64_t in_failures = 0;
  for (nissa::UnixMs at_ms = z_ms; at_ms <= z_ms + vector.phase_ms + 7 * hour_ms; at_ms += spacing_ms) {
    block.advance(at_ms);
    if (at_ms % nissa::bucket_ms == 0) judge.judge(block);
    const std::int64_t since_ms = at_ms - z_ms - vector.phase_ms;
    bool bad = false;
    if (since_ms >= 0 && since_ms < hour_ms) {
      bad = (in_failures + 1) * vector.bad_per_mille / 1000 > in_failures * vector.bad_per_mille / 1000;
      ++in_failures;
    }
    block.add(0, nissa::bucket_of(at_ms), {bad ? 0u : 1u, 1}, 1);
    judge.judge(block);
  }
  return judge.times;
}

}  // namespace

TEST_CASE("all tiers fire and clear at the times of the brute-force model") {
  constexpr Times none{};
  const Vector vectors[] = {
      {"99.9", 1000, 0, {{{51.850, 300.000}, {129.650, 1790.000}, {259.950, 7200.000}, {259.450, 21600.000}}}},
      {"99.9", 1000, 7350, {{{51.950, 302.650}, {129.700, 1792.650}, {260.000, 7192.650}, {259.450, 21592.650}}}},
      {"99.9", 500, 0, {{{103.750, 300.000}, {259.450, 1780.000}, {519.750, 7200.000}, {518.850, 21600.000}}}},
      {"99.9", 100, 0, {{{519.950, 260.000}, {1298.450, 1700.000}, {2597.950, 7020.000}, {2593.950, 21420.000}}}},
      {"99.9", 20, 0, {{{2597.450, 85.550}, none, none, none}}},
      {"99", 1000, 0, {{{519.800, 260.000}, {1298.250, 1700.000}, {2597.900, 7020.000}, {2593.900, 21420.000}}}},
      {"99.99", 1000, 0, {{{5.150, 300.000}, {12.950, 1800.000}, {25.900, 7200.000}, {25.900, 21600.000}}}}};
  for (const Vector& vector : vectors) {
    const std::array<Times, 4> times = run(vector);
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      CAPTURE(vector.objective);
      CAPTURE(vector.bad_per_mille);
      CAPTURE(vector.phase_ms);
      CAPTURE(i + 1);
      CHECK(times[i].fire_s == vector.expected[i].fire_s);
      CHECK(times[i].clear_s == vector.expected[i].clear_s);
    }
  }
}
