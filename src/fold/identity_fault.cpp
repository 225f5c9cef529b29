#include "fold/identity_fault.hpp"

namespace nissa::fold {

std::optional<EventFault> identity_fault(const slo::Identity& identity, const Options& options) {
  const auto too_long = [&options](std::string_view name) { return name.size() > options.most_name_bytes; };
  if (identity.service.empty()) return EventFault::no_service;
  if (identity.labels.size() > options.most_labels) return EventFault::too_many_labels;
  if (too_long(identity.service) || too_long(identity.operation)) return EventFault::name_too_long;
  for (const slo::Label& label : identity.labels)
    if (too_long(label.key) || too_long(label.value)) return EventFault::name_too_long;
  return std::nullopt;
}

}  // namespace nissa::fold
