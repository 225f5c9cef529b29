// What the load generator says at the end: a table for people, figures for programs, and whether the books agree.
// Pure, but for printing.
#pragma once
#include <string>
#include <vector>

#include "tools/load_run.hpp"

namespace nissa::tools {

// What does not agree, in words; empty if all that was sent was counted, once, and stands in the SLOs.
std::vector<std::string> disagreements(const LoadOutcome& outcome, const LoadPlan& plan, bool check_slos);

// The table, and lines `figure NAME VALUE UNIT` (docs/performance.md names them).
std::string load_report(const LoadOptions& options, const LoadOutcome& outcome, const LoadPlan& plan);

}  // namespace nissa::tools
