#include "ledger/ledger_pages.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace nissa::ledger {
namespace {

void add_counts(const Ledger& ledger, const slo::Block& block, SloView& view) {
  const std::uint32_t lane = slo::lane_of(view.id);
  const slo::Life& life = block.life(lane);
  view.lifetime = life.lifetime;
  view.born_ms = life.born;
  view.windows = block.window_sums(lane);
  view.period = view.definition->period_ms == slo::default_period_ms
                    ? view.windows[slo::window_30d]
                    : block.sum_since(lane, ledger.ledger_ms() - view.definition->period_ms);
}

// Of one page. What an SLO that is older than a window has of it is the same for all: gaps may be thousands.
class Coverages {
 public:
  explicit Coverages(const Ledger& ledger) : now_ms_(ledger.ledger_ms()), gaps_(ledger.gaps().all()) {
    for (std::size_t w = 0; w < slo::window_count; ++w) {
      starts_ms_[w] = slo::window_start_ms(slo::windows[w], now_ms_);
      of_old_[w] = slo::coverage_of(starts_ms_[w], now_ms_, gaps_, starts_ms_[w]);
    }
  }
  void add(SloView& view) const {
    for (std::size_t w = 0; w < slo::window_count; ++w)
      view.coverage[w] =
          view.born_ms <= starts_ms_[w] ? of_old_[w] : slo::coverage_of(starts_ms_[w], now_ms_, gaps_, view.born_ms);
    const UnixMs start = now_ms_ - view.definition->period_ms;
    if (view.definition->period_ms == slo::default_period_ms && view.born_ms <= starts_ms_[slo::window_30d]) {
      view.period_coverage = of_old_[slo::window_30d];
    } else {
      const UnixMs from = view.born_ms == slo::not_born ? start : std::max(start, view.born_ms);
      view.period_coverage = slo::coverage_of(from, now_ms_, gaps_, view.born_ms);
    }
  }

 private:
  UnixMs now_ms_;
  std::span<const slo::Gap> gaps_;
  std::array<UnixMs, slo::window_count> starts_ms_{};
  std::array<slo::Coverage, slo::window_count> of_old_{};
};

std::shared_ptr<const SloPage> build(const Ledger& ledger, std::uint32_t index) {
  auto page = std::make_shared<SloPage>();
  page->ledger_ms = ledger.ledger_ms();
  const slo::Block* block = ledger.block(index);
  const Coverages coverages(ledger);
  const slo::SloId first = index * slo::block_lanes;
  for (slo::SloId id = first; id < first + slo::block_lanes; ++id) {
    const DefinedSlo* defined = ledger.definitions().find(id);
    if (defined == nullptr) continue;
    SloView& view = page->slos.emplace_back();
    view.id = id;
    view.definition = defined->definition;
    view.retired = defined->retired;
    view.quarantined = ledger.quarantined(id);
    if (block != nullptr) add_counts(ledger, *block, view);
    if (view.retired && std::ranges::all_of(view.windows, [](const slo::Counts& one) { return one.total == 0; })) {
      page->slos.pop_back();
      continue;
    }
    coverages.add(view);
    view.state = slo::state_of(view.windows, view.period, view.definition->objective);
  }
  return page;
}

}  // namespace

std::shared_ptr<const SloPages> LedgerPages::current() const {
  const Lock lock(mutex_);
  return current_;
}

bool LedgerPages::refresh_one(const Ledger& ledger) {
  const std::size_t wanted = (ledger.definitions().size() + slo::block_lanes - 1) / slo::block_lanes;
  slots_.resize(std::max(slots_.size(), wanted));
  if (next_ < slots_.size()) {
    const auto index = static_cast<std::uint32_t>(next_++);
    const Source source{ledger.touched_lsn(index), ledger.definitions().changed_lsn(), bucket_of(ledger.ledger_ms()),
                        ledger.quarantined_count()};
    if (slots_[index].page == nullptr || slots_[index].source != source) slots_[index] = {source, build(ledger, index)};
  }
  if (next_ < slots_.size()) return false;
  next_ = 0;
  auto pass = std::make_shared<SloPages>();
  pass->lsn = ledger.applied();
  pass->ledger_ms = ledger.ledger_ms();
  pass->running_ms = ledger.running_ms();
  for (const Slot& slot : slots_) pass->pages.push_back(slot.page);
  const Lock lock(mutex_);
  current_ = std::move(pass);
  return true;
}

}  // namespace nissa::ledger
