// What many runs come to, as the programs of T1 and T3 print it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "simulation/power_cut_run.hpp"

namespace nissa::simulation {

struct PowerCutSum {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  PowerCutReport of_all;

  // A violation in it is a failure. `which` says how to repeat it.
  PowerCutReport run(const PowerCutPlan& plan, const std::string& which);
  // True: none failed.
  bool show(const std::string& what) const;
};

struct PowerCutArguments {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 0;
  bool full = false;
};
// [--seed FIRST] [--full] [--seeds N]: so many, and so many when full, unless said. Sets the hooks for violations and
// the log. nullopt: not understood, which is said.
std::optional<PowerCutArguments> begin_power_cuts(int argc, char** argv, std::uint64_t seeds,
                                                  std::uint64_t seeds_if_full);

}  // namespace nissa::simulation
