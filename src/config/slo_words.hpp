// What an SLO means, in words: for --check-config. Pure.
#pragma once
#include <string>

#include "slo/definition.hpp"

namespace nissa::config {

// Which events belong to it: `service "shop", operations like "GET *", label region like "eu-*"`.
std::string selector_in_words(const slo::Selector& selector);
// Which of them are good, bad and not counted, as the verdicts are: `good: OK up to 300ms; bad: OK above 300ms; not
// counted: ERROR, …`.
std::string criterion_in_words(const slo::Criterion& criterion);
// What the objective leaves: `43.2 min of total outage, or 1 bad event in 1000 (1000 of a million)`.
std::string budget_in_words(const slo::Objective& objective, std::int64_t period_ms);
// With the grid on which its begin moves: `30d, its begin moves by the hour`.
std::string period_in_words(std::int64_t period_ms);

// The steps in which the begin of a rolling period moves: those of the finest ring that holds it.
std::int64_t period_grid_ms(std::int64_t period_ms);

}  // namespace nissa::config
