#include "simulation/oracle.hpp"

#include <algorithm>

#include "simulation/world.hpp"
#include "slo/block.hpp"
#include "slo/window.hpp"

namespace nissa::simulation {
namespace {

// Keyed into an epoch of less than a day, of eight that it is remembered for; and an agent hears of the time now and
// then only.
constexpr RunningMs promised_ms = 6 * simulated_day_ms;

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

bool is_acknowledged(client::Fate fate) { return fate == client::Fate::counted || fate == client::Fate::duplicate; }

std::string text_of(const ledger::BucketCount& count) {
  return "SLO " + std::to_string(count.slo) + " bucket " + std::to_string(count.bucket) + ": " +
         std::to_string(count.good) + "/" + std::to_string(count.total);
}

}  // namespace

void Oracle::durable(const ledger::Record& record, std::map<BatchKey, Merged>& merged) {
  std::map<std::pair<std::uint32_t, Bucket>, ledger::BucketCount> expected;
  for (const ledger::CountedBatch& counted : record.batches) {
    const auto found = merged.find(counted.key);
    if (found == merged.end()) {
      fail("a record holds a batch that was not merged");
      continue;
    }
    const Merged one = std::move(found->second);
    merged.erase(found);
    Batch& batch = batches_.at(one.tag);
    if (++batch.times_counted > 1) fail(one.tag, "was counted twice");
    if (disowned_.contains(counted.key)) fail(one.tag, "was counted after one of its sendings was told unknown_epoch");
    ++counted_;
    for (std::size_t i = 0; i < batch.made.events.size(); ++i) {
      if (!one.taken[i]) continue;
      const MadeEvent& event = batch.made.events[i];
      for (std::uint32_t slo = 0; slo < one.slos; ++slo) {
        const int good = verdict(event, slo);
        if (good < 0) continue;
        brute_.add(slo, {event.at_ms, good == 1}, record.ledger_ms);
        ledger::BucketCount& sum = expected[{slo, bucket_of(event.at_ms)}];
        sum.slo = slo;
        sum.bucket = bucket_of(event.at_ms);
        sum.good += good == 1;
        ++sum.total;
      }
    }
  }
  std::vector<ledger::BucketCount> all;
  for (const auto& [_, sum] : expected) all.push_back(sum);
  if (all == record.counts) return;
  const auto [is, should] = std::ranges::mismatch(record.counts, all);
  fail("record " + std::to_string(record.lsn) + " counts " + (is == record.counts.end() ? "nothing" : text_of(*is)) +
       ", its events say " + (should == all.end() ? "nothing" : text_of(*should)));
}

void Oracle::answered(std::uint64_t tag, const ledger::Answer& answer, bool is_pending) {
  Batch& batch = batches_.at(tag);
  if (is_pending && !(answer.status == ledger::AckStatus::refused && leaves_doubt(answer.reason)))
    fail(tag, "was answered while its key was pending, with no doubt left");
  switch (answer.status) {
    case ledger::AckStatus::counted:
      if (++batch.times_told_counted > 1) fail(tag, "was told COUNTED twice");
      if (batch.times_counted == 0) fail(tag, "was told COUNTED and is not on the disk");
      break;
    case ledger::AckStatus::duplicate:
      if (answer.reason != Reason::below_low && batch.times_counted == 0)
        fail(tag, "was told DUPLICATE and is not on the disk");
      break;
    case ledger::AckStatus::refused:
      if (answer.reason == Reason::unknown_epoch) disowned_.insert(answer.key);
      if (answer.reason == Reason::window_full) fail(tag, "of an honest agent was told window_full");
      break;
    default:
      fail(tag, "of an honest agent was told CONFLICT or MALFORMED");
      break;
  }
}

void Oracle::settled(std::uint64_t tag, std::optional<client::Fate> fate, RunningMs now) {
  Batch& batch = batches_.at(tag);
  if (batch.told) fail(tag, "was settled twice");
  batch.told = true;
  batch.fate = fate;
  if (!fate) return;
  if (is_acknowledged(*fate) && batch.times_counted == 0) fail(tag, "was acknowledged and is not on the disk");
  if (*fate == client::Fate::refused || *fate == client::Fate::abandoned) fail(tag, "was " + name_of(*fate));
  if (*fate != client::Fate::uncertain) return;
  ++uncertain_;
  if (!expects_floor_ && (!batch.first_sent || now - *batch.first_sent < promised_ms))
    fail(tag, "is uncertain, though its agent kept it and came back in time");
}

void Oracle::check_state(const ledger::Ledger& ledger) {
  for (std::uint32_t slo = 0; slo < simulated_slo_count; ++slo) {
    for (std::size_t window = 0; window < slo::window_count; ++window) check_window(ledger, slo, window);
    check_life(ledger, slo);
  }
}

void Oracle::check_window(const ledger::Ledger& ledger, std::uint32_t slo, std::size_t w) {
  const slo::Block* block = ledger.block(0);
  const slo::Window& window = slo::windows[w];
  const slo::Counts sum = block == nullptr ? slo::Counts{} : block->window_sums(slo)[w];
  const auto truth = brute_.window(slo, ledger.ledger_ms(), window.length_ms, window.grid_ms());
  ++compared_;
  if (sum.good != truth.good || sum.total != truth.total)
    fail("SLO " + std::to_string(slo) + ", window " + std::string(window.name) + ": " + std::to_string(sum.good) + "/" +
         std::to_string(sum.total) + ", the oracle counts " + std::to_string(truth.good) + "/" +
         std::to_string(truth.total));
}

void Oracle::check_life(const ledger::Ledger& ledger, std::uint32_t slo) {
  const slo::Block* block = ledger.block(0);
  const slo::Life life = block == nullptr ? slo::Life{} : block->life(slo);
  const auto truth = brute_.lifetime(slo);
  if (life.lifetime.good != truth.good || life.lifetime.total != truth.total)
    fail("SLO " + std::to_string(slo) + ", lifetime: " + std::to_string(life.lifetime.good) + "/" +
         std::to_string(life.lifetime.total) + ", the oracle counts " + std::to_string(truth.good) + "/" +
         std::to_string(truth.total));
  if (life.born != brute_.born(slo).value_or(slo::not_born))
    fail("SLO " + std::to_string(slo) + " was born at " + std::to_string(life.born) + ", says the ledger");
}

void Oracle::check_fates() {
  for (const auto& [tag, batch] : batches_) {
    if (!batch.told) {
      fail(tag, "was never settled");
      continue;
    }
    if (!batch.fate) continue;  // its agent died: once or not at all, which durable() has seen to
    const int wanted = is_acknowledged(*batch.fate) ? 1 : 0;
    acknowledged_ += is_acknowledged(*batch.fate);
    if (*batch.fate != client::Fate::uncertain && batch.times_counted != wanted)
      fail(tag,
           "was told " + name_of(*batch.fate) + " and was counted " + std::to_string(batch.times_counted) + " times");
  }
}

}  // namespace nissa::simulation
