#include "simulation/oracle.hpp"

#include "slo/block.hpp"
#include "slo/window.hpp"

namespace nissa::simulation {
namespace {

std::string name_of(client::Fate fate) {
  switch (fate) {
    case client::Fate::counted:
      return "counted";
    case client::Fate::duplicate:
      return "duplicate";
    case client::Fate::refused:
      return "refused";
    case client::Fate::uncertain:
      return "uncertain";
    case client::Fate::abandoned:
      return "abandoned";
  }
  return "?";
}

}  // namespace

void Oracle::counted(std::uint64_t tag, const std::vector<bool>& taken, std::int64_t record_ms) {
  Batch& batch = batches_.at(tag);
  if (++batch.times_counted > 1) fail("batch " + std::to_string(tag) + " was counted twice");
  ++counted_;
  for (std::size_t i = 0; i < batch.made.events.size(); ++i) {
    if (!taken[i]) continue;
    for (std::size_t slo = 0; slo < simulated_slo_count; ++slo)
      if (const int good = verdict(batch.made.events[i], slo); good >= 0)
        brute_.add(static_cast<std::uint32_t>(slo), {batch.made.events[i].at_ms, good == 1}, record_ms);
  }
}

void Oracle::settled(std::uint64_t tag, std::optional<client::Fate> fate) {
  Batch& batch = batches_.at(tag);
  if (batch.told) fail("batch " + std::to_string(tag) + " was settled twice");
  batch.told = true;
  batch.fate = fate;
  const bool acknowledged = fate == client::Fate::counted || fate == client::Fate::duplicate;
  if (acknowledged && batch.times_counted == 0)
    fail("batch " + std::to_string(tag) + " was acknowledged and is not on the disk");
}

void Oracle::check_windows(const ledger::Ledger& ledger) {
  const slo::Block* block = ledger.block(0);
  for (std::uint32_t slo = 0; slo < simulated_slo_count; ++slo) {
    const slo::WindowCounts sums = block == nullptr ? slo::WindowCounts{} : block->window_sums(slo);
    for (std::size_t w = 0; w < slo::window_count; ++w) {
      const slo::Window& window = slo::windows[w];
      const auto truth = brute_.window(slo, ledger.ledger_ms(), window.length_ms, window.grid_ms());
      ++compared_;
      if (sums[w].good != truth.good || sums[w].total != truth.total)
        fail("SLO " + std::to_string(slo) + ", window " + std::string(window.name) + ": " +
             std::to_string(sums[w].good) + "/" + std::to_string(sums[w].total) + ", the oracle counts " +
             std::to_string(truth.good) + "/" + std::to_string(truth.total));
    }
  }
}

void Oracle::check_fates() {
  for (const auto& [tag, batch] : batches_) {
    if (!batch.told) {
      fail("batch " + std::to_string(tag) + " was never settled");
      continue;
    }
    if (!batch.fate) continue;  // its agent died: once or not at all, which counted() has seen to
    const bool acknowledged = *batch.fate == client::Fate::counted || *batch.fate == client::Fate::duplicate;
    const int wanted = acknowledged ? 1 : 0;
    if (*batch.fate != client::Fate::uncertain && batch.times_counted != wanted)
      fail("batch " + std::to_string(tag) + " was told " + name_of(*batch.fate) + " and was counted " +
           std::to_string(batch.times_counted) + " times");
  }
}

}  // namespace nissa::simulation
