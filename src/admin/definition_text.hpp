// How an SLO is defined, as JSON. Pure.
#pragma once
#include <cstdint>
#include <string>

#include "slo/definition.hpp"

namespace nissa::admin {

// In the largest unit that leaves no rest: "30d", "36h", "1445min".
std::string period_text(std::int64_t ms);
// "sli":{"kind","threshold_ms" and "failures" of latency,"good","ignore","service","operation","labels"}
void append_sli(std::string& out, const slo::Sli& sli);
// "name","objective","objective_ratio","period","sli"
void append_definition(std::string& out, const slo::Definition& definition);

}  // namespace nissa::admin
