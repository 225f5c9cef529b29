#include "history.hpp"

#include <algorithm>
#include <string>

#include "ledger/ledger_clock.hpp"

namespace nissa::test {

using ledger::Record;

ledger::LedgerOptions History::options() {
  ledger::LedgerOptions options;
  options.state_id = 7;
  options.epochs.tombstone_bytes = 6 * ledger::Tombstones::bytes_each;
  return options;
}

// Mostly groups within a second and TICKs; sometimes a gap of minutes, hours or days.
UnixMs History::step_ms() {
  switch (below(40)) {
    case 0:
      return static_cast<UnixMs>(below(10 * 24 * 3'600'000ULL));
    case 1:
      return static_cast<UnixMs>(below(3 * 3'600'000));
    case 2:
    case 3:
      return static_cast<UnixMs>(below(120'000));
    default:
      return static_cast<UnixMs>(chance(40) ? below(10'001) : below(300));
  }
}

void History::add_counts(Record& record) {
  constexpr std::array<slo::SloId, 7> ids{0, 1, 5, 255, 256, 300, 1'000};
  const Bucket head = bucket_of(record.ledger_ms);
  for (const slo::SloId id : ids) {
    if (!chance(30)) continue;
    std::vector<Bucket> buckets;
    for (std::uint64_t i = 1 + below(4); i > 0; --i) {
      constexpr std::array<std::uint64_t, 5> reach{2, 40, 800, 30'000, 270'000};
      const auto age = static_cast<Bucket>(below(reach[below(reach.size())]));
      buckets.push_back(std::max(head + (chance(20) ? 1 : -age), 0));
    }
    std::ranges::sort(buckets);
    buckets.erase(std::ranges::unique(buckets).begin(), buckets.end());
    for (const Bucket bucket : buckets) {
      const std::uint64_t total = chance(2) ? below(std::uint64_t{1} << 33) + 1 : below(100) + 1;
      record.counts.push_back({id, bucket, below(total + 1), total});
    }
  }
}

void History::add_batches(const ledger::Ledger& ledger, Record& record) {
  for (std::uint64_t i = below(5); i > 0; --i) {
    if (epochs_.empty() || chance(15)) {
      epochs_.push_back(random_() | 1);
      const RunningMs seen = ledger.running_ms() - std::min<RunningMs>(ledger.running_ms(), below(86'400'000));
      if (!ledger.epochs().accepts_unknown(epochs_.back(), {ledger.now().state_id, seen}, ledger.now())) continue;
      record.new_epochs.push_back({epochs_.back(), {ledger.now().state_id, seen}, "agent", chance(50) ? "a" : "b"});
    }
    // An epoch begins with a batch.
    const bool begun = !record.new_epochs.empty() && record.new_epochs.back().epoch == epochs_.back();
    const Epoch epoch = begun ? epochs_.back() : epochs_[below(epochs_.size())];
    const bool fresh = std::ranges::any_of(record.new_epochs, [&](const auto& one) { return one.epoch == epoch; });
    const ledger::EpochState* state = ledger.epochs().find(epoch);
    if (!fresh && state == nullptr) continue;
    const Priority priority = all_priorities[below(2)];
    const Sequence low = state == nullptr ? 1 : state->stream(priority).low();
    const Sequence sequence = low + below(200);
    const Sequence settled = low + (chance(40) ? below(sequence - low + 1) : 0);
    const BatchKey key{epoch, priority, sequence};
    const Fingerprint print{static_cast<std::uint32_t>(random_()), static_cast<std::uint32_t>(random_())};
    const bool twin = std::ranges::any_of(record.batches, [&](const auto& one) { return one.key == key; });
    const bool absent =
        state == nullptr || state->stream(priority).judge(sequence, settled, print) == ledger::Judgement::absent;
    if (!twin && absent) record.batches.push_back({key, settled, print});
  }
}

void History::end_some(ledger::Ledger& ledger, Record& record) {
  const auto busy = [&](Epoch epoch) {
    const auto names = [&](const auto& one) { return one.epoch == epoch; };
    return std::ranges::any_of(record.new_epochs, names) || std::ranges::any_of(record.ended, names) ||
           std::ranges::any_of(record.batches, [&](const auto& one) { return one.key.epoch == epoch; });
  };
  for (std::uint64_t i = chance(20) ? 1 + below(4) : 0; i > 0 && !epochs_.empty(); --i) {
    const Epoch epoch = epochs_[below(epochs_.size())];
    const ledger::EpochState* state = ledger.epochs().find(epoch);
    if (state != nullptr && !busy(epoch)) record.ended.push_back({epoch, state->seen});
  }
  record.forgotten = ledger.epochs().to_forget(record.running_ms, 3, busy);
  record.floor = ledger.epochs().floor_with(record.ended);
}

void History::define_some(const ledger::Ledger& ledger, Record& record) {
  std::vector<slo::Definition> configured;
  for (int i = 0; i < 6; ++i) {
    if (!chance(70)) continue;
    slo::Definition& definition = configured.emplace_back();
    definition.name = "slo-" + std::to_string(i);
    definition.sli.selector.service = "service-" + std::to_string(below(2));
    definition.objective = *slo::Objective::from_parts(99'000'000 + below(3));
  }
  auto plan = ledger.definitions().plan(configured);
  record.defines = std::move(plan->defines);
  record.retired = std::move(plan->retired);
}

Record History::next(ledger::Ledger& ledger) {
  const UnixMs now = ledger.ledger_ms() == 0 ? 1'700'000'000'000 : ledger.ledger_ms() + step_ms();
  const ledger::Stamp stamp = ledger.next_stamp(now);
  Record record{.lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms};
  // Eight days of memory in a few hundred records.
  if (chance(5)) record.running_ms += below(4ULL * 24 * 3'600'000);
  record.floor = ledger.epochs().floor();
  if (chance(15)) return record;
  if (chance(10)) define_some(ledger, record);
  add_batches(ledger, record);
  end_some(ledger, record);
  add_counts(record);
  return record;
}

}  // namespace nissa::test
