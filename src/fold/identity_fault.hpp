// Whether an event of this identity can be counted at all, whatever SLOs there are. Pure.
#pragma once
#include <optional>

#include "base/refusal.hpp"
#include "fold/options.hpp"
#include "slo/identity.hpp"

namespace nissa::fold {

// Nothing, no_service, too_many_labels or name_too_long.
std::optional<EventFault> identity_fault(const slo::Identity& identity, const Options& options);

}  // namespace nissa::fold
