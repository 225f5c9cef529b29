// Pages of the ledger made by hand: for tests of what is shown of them.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ledger/ledger_pages.hpp"

namespace nissa::test {

inline constexpr UnixMs page_time_ms = 1'749'995'200'000;

// Fully measured, and without an event.
inline ledger::SloView slo_named(std::string name, const char* objective = "99.9") {
  slo::Definition definition;
  definition.name = std::move(name);
  definition.service = "shop";
  definition.sli.selector.service = "shop";
  definition.objective = *slo::Objective::parse(objective);
  ledger::SloView view;
  view.definition = std::make_shared<const slo::Definition>(std::move(definition));
  for (std::size_t w = 0; w < slo::window_count; ++w) view.coverage[w] = {slo::windows[w].length_ms, 0};
  view.period_coverage = view.coverage[slo::window_30d];
  view.born_ms = page_time_ms - slo::default_period_ms;
  return view;
}

// The same counts in every window, in its period and in its lifetime.
inline ledger::SloView counted(ledger::SloView view, const slo::Counts& counts) {
  view.windows.fill(counts);
  view.period = counts;
  view.lifetime = counts;
  view.state = slo::state_of(view.windows, view.period, view.definition->objective);
  return view;
}

// Ids are given here, as the ledger does: 256 a page.
inline std::shared_ptr<const ledger::SloPages> pages_of(std::vector<ledger::SloView> slos) {
  auto pages = std::make_shared<ledger::SloPages>();
  pages->ledger_ms = page_time_ms;
  pages->running_ms = 123'456;
  std::shared_ptr<ledger::SloPage> page;
  for (ledger::SloView& one : slos) {
    if (page == nullptr || page->slos.size() == slo::block_lanes) {
      page = std::make_shared<ledger::SloPage>();
      page->ledger_ms = page_time_ms;
      pages->pages.push_back(page);
    }
    one.id = static_cast<slo::SloId>((pages->pages.size() - 1) * slo::block_lanes + page->slos.size());
    page->slos.push_back(std::move(one));
  }
  return pages;
}

}  // namespace nissa::test
