// A period as it is shown on pages and in labels. Pure.
#pragma once
#include <cstdint>
#include <string>

namespace nissa::slo {

// In the largest unit that leaves no rest: "30d", "36h", "1445min".
std::string period_text(std::int64_t ms);

}  // namespace nissa::slo
