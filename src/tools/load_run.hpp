// One run of the load generator: connections that send by plan, for a warm-up and a measured time, then a drain.
// One thread, the caller's.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "tools/load_options.hpp"
#include "tools/load_source.hpp"
#include "tools/process_stat.hpp"
#include "tools/slo_totals.hpp"

namespace nissa::tools {

struct LoadOutcome {
  LoadBooks books;
  double measured_s = 0;
  std::uint64_t events_measured = 0;                       // counted within the measured time
  std::uint64_t batches_measured = 0;                      // settled within it
  std::optional<ProcessCost> server_before, server_after;  // around the measured time
  double own_cpu_s = 0;                                    // of the generator, within the measured time
  std::optional<SloTotals> slos_before, slos_after;
  std::vector<std::string> troubles;  // what could not be done
};

LoadOutcome run_load(const LoadOptions& options, const LoadPlan& plan);

}  // namespace nissa::tools
