// What the server says it has counted: GET /api/v2/slos.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "tools/load_plan.hpp"

namespace nissa::tools {

struct SloTotal {
  std::uint64_t good = 0;
  std::uint64_t total = 0;
};
using SloTotals = std::map<std::string, SloTotal>;  // by name; of the longest window

// Pure. The page is a list of SLOs, or an object with one under "slos"; each with name and windows [{window, good,
// total}].
Result<SloTotals> parse_slo_totals(std::string_view json);

// Lines for people: where after − before is not what is expected. At most 10, and how many more.
std::vector<std::string> differences(const std::vector<ExpectedSlo>& expected, const SloTotals& before,
                                     const SloTotals& after);

}  // namespace nissa::tools
