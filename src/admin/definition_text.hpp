// How an SLO is defined, as JSON. Pure.
#pragma once
#include <string>

#include "slo/definition.hpp"

namespace nissa::admin {

// "sli":{"kind","threshold_ms" and "failures" of latency,"good","ignore","service","operation","labels"}
void append_sli(std::string& out, const slo::Sli& sli);
// "name","objective","objective_ratio","period","sli"
void append_definition(std::string& out, const slo::Definition& definition);

}  // namespace nissa::admin
