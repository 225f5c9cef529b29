#include <algorithm>
#include <string>

#include "app/inspected.hpp"
#include "base/utc_text.hpp"

namespace nissa::app {
namespace {

using Ull = unsigned long long;
using Ll = long long;

constexpr std::size_t most_streams = 20;
constexpr std::size_t most_gaps = 10;

void print_files(std::FILE* out, const StateFacts& facts) {
  for (const FileSize& file : facts.files)
    std::fprintf(out, "  %-16s %14llu bytes\n", file.name.c_str(), static_cast<Ull>(file.bytes));
  for (std::size_t slot = 0; slot < facts.slots.size() && facts.anchor_there; ++slot)
    std::fprintf(out, "  ANCHOR slot %zu: %s\n", slot, slot_text(facts.slots[slot]).c_str());
}

void print_snapshots(std::FILE* out, const std::vector<ledger::KeptSnapshot>& snapshots) {
  if (snapshots.empty()) std::fprintf(out, "no complete snapshot\n");
  for (const ledger::KeptSnapshot& one : snapshots)
    std::fprintf(out, "snapshot %llu: begun before record %llu, complete after record %llu\n",
                 static_cast<Ull>(one.generation), static_cast<Ull>(one.begin_lsn), static_cast<Ull>(one.complete_lsn));
}

void print_amounts(std::FILE* out, const StateFacts& facts) {
  std::fprintf(out, "%llu records of %llu bytes, %llu rows of %llu bytes\n", static_cast<Ull>(facts.records.sound),
               static_cast<Ull>(facts.records.bytes), static_cast<Ull>(facts.rows.sound),
               static_cast<Ull>(facts.rows.bytes));
}

void print_times(std::FILE* out, const Inspected& found) {
  const StateFacts& facts = found.facts;
  const ledger::Ledger& ledger = *found.recovered->ledger;
  std::fprintf(out, "state %016llx, format version %u, started %llu times\n", static_cast<Ull>(facts.state_id),
               journal::format_version, static_cast<Ull>(facts.generation));
  if (facts.backup) std::fprintf(out, "a backup that was never started: a start on it begins a state of its own\n");
  std::fprintf(out, "last record %llu, at ledger time %lld ms (%sZ) after running %llu ms\n",
               static_cast<Ull>(ledger.applied()), static_cast<Ll>(ledger.ledger_ms()),
               utc_text(ledger.ledger_ms()).c_str(), static_cast<Ull>(ledger.running_ms()));
  std::fprintf(out, "database %s, records %llu to %llu; ", facts.database.c_str(), static_cast<Ull>(facts.first_lsn),
               static_cast<Ull>(facts.last_lsn));
  print_amounts(out, facts);
  print_files(out, facts);
  print_snapshots(out, found.recovered->catalog.kept());
  std::fprintf(out, "from snapshot %llu: %llu rows, %llu records since\n", static_cast<Ull>(found.recovered->snapshot),
               static_cast<Ull>(found.recovered->rows), static_cast<Ull>(found.recovered->records));
}

void print_gaps(std::FILE* out, const ledger::Ledger& ledger) {
  const auto gaps = ledger.gaps().all();
  std::fprintf(out, "%zu gaps in what was measured\n", gaps.size());
  for (const slo::Gap& gap : gaps.last(std::min(gaps.size(), most_gaps)))
    std::fprintf(out, "  from %sZ to %sZ, %lld ms\n", utc_text(gap.from_ms).c_str(), utc_text(gap.to_ms).c_str(),
                 static_cast<Ll>(gap.to_ms - gap.from_ms));
  if (gaps.size() > most_gaps) std::fprintf(out, "  and %zu before (--json has all)\n", gaps.size() - most_gaps);
}

void print_epoch(std::FILE* out, Epoch epoch, const ledger::EpochState& state, RunningMs running_ms) {
  std::fprintf(out, "  epoch %016llx: agent \"%s\", principal \"%s\", last heard %llu ms ago\n",
               static_cast<Ull>(epoch), state.agent.c_str(), state.principal.c_str(),
               static_cast<Ull>(running_ms - state.last_running_ms));
  for (const Priority priority : all_priorities) {
    const ledger::StreamWindow& window = state.stream(priority);
    if (window.untouched()) continue;
    std::fprintf(out, "    %s: all settled below %llu, and %llu from there on\n",
                 std::string(name_of(priority)).c_str(), static_cast<Ull>(window.low()),
                 static_cast<Ull>(settled_above(window)));
  }
}

// Those that were heard last.
void print_streams(std::FILE* out, const ledger::Ledger& ledger) {
  std::vector<std::pair<Epoch, const ledger::EpochState*>> heard;
  for (const ledger::EpochObject& object : ledger.epochs().objects())
    if (const ledger::EpochState* state = ledger.epochs().find(object.epoch)) heard.emplace_back(object.epoch, state);
  std::ranges::sort(heard, std::greater(),
                    [](const auto& one) { return std::pair(one.second->last_running_ms, one.first); });
  std::fprintf(out, "%zu tombstones; none is accepted that was begun before running %llu ms\n",
               ledger.epochs().tombstones(), static_cast<Ull>(ledger.epochs().floor()));
  for (std::size_t i = 0; i < std::min(heard.size(), most_streams); ++i)
    print_epoch(out, heard[i].first, *heard[i].second, ledger.running_ms());
  if (heard.size() > most_streams)
    std::fprintf(out, "  and %zu more, heard before these (--json has all)\n", heard.size() - most_streams);
}

void print_slos(std::FILE* out, const ledger::Ledger& ledger) {
  std::fprintf(out, "%zu epochs, %zu SLOs:\n", ledger.epochs().size(), ledger.definitions().size());
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id) {
    const ledger::DefinedSlo* slo = ledger.definitions().find(id);
    if (slo == nullptr) continue;
    const slo::Block* block = ledger.block(slo::block_of(id));
    const slo::Counts life = lifetime_of(block, id);
    std::fprintf(out, "  %5u  %10s %%  %-40s %14llu good of %llu%s%s\n", id,
                 slo->definition->objective.to_string().c_str(), slo->definition->name.c_str(),
                 static_cast<Ull>(life.good), static_cast<Ull>(life.total), slo->retired ? ", retired" : "",
                 ledger.quarantined(id) ? ", quarantined" : "");
    if (block == nullptr) continue;
    for_each_bucket(*block, id, [out](Bucket bucket, slo::Counts counts) {
      std::fprintf(out, "    bucket %d from %sZ %14llu good of %llu\n", bucket, utc_text(start_of(bucket)).c_str(),
                   static_cast<Ull>(counts.good), static_cast<Ull>(counts.total));
    });
  }
}

void print_remains(std::FILE* out, const Inspected& found) {
  const StateFacts& facts = found.facts;
  std::fprintf(out, "damage: %s: %s\n", std::string(name_of(found.damage->damage)).c_str(),
               found.damage->message.c_str());
  std::fprintf(out, "What can still be read:\n");
  print_files(out, facts);
  if (facts.unopened)
    std::fprintf(out, "database %s: %s: %s\n", facts.database.c_str(),
                 std::string(name_of(facts.unopened->damage)).c_str(), facts.unopened->message.c_str());
  if (facts.last_lsn == 0) return;
  std::fprintf(out, "state %016llx, records %llu to %llu; sound are ", static_cast<Ull>(facts.state_id),
               static_cast<Ull>(facts.first_lsn), static_cast<Ull>(facts.last_lsn));
  print_amounts(out, facts);
  for (const SoundRecords& range : facts.records.ranges)
    std::fprintf(out, "  records %llu to %llu\n", static_cast<Ull>(range.first), static_cast<Ull>(range.last));
  for (const auto* fault : {&facts.records.damage, &facts.rows.damage})
    if (*fault)
      std::fprintf(out, "  %s: %s\n", std::string(name_of((*fault)->damage)).c_str(), (*fault)->message.c_str());
  print_snapshots(out, facts.complete);
}

}  // namespace

std::string slot_text(const StateFacts::Slot& slot) {
  if (slot)
    return "start " + std::to_string(slot->generation) + ", record " + std::to_string(slot->last_lsn) + ", " +
           slot->database + (slot->copy ? ", a backup" : "");
  switch (slot.error()) {
    case journal::SlotFault::blank:
      return "blank";
    case journal::SlotFault::damaged:
      return "damaged";
    case journal::SlotFault::newer_version:
      return "of a newer version";
  }
  return "unknown";
}

void print_text(std::FILE* out, const Inspected& found) {
  if (found.damage) return print_remains(out, found);
  print_times(out, found);
  print_gaps(out, *found.recovered->ledger);
  print_streams(out, *found.recovered->ledger);
  print_slos(out, *found.recovered->ledger);
}

}  // namespace nissa::app
