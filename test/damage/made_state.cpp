#include "made_state.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "history.hpp"
#include "journal_helpers.hpp"
#include "ledger/reassembled.hpp"
#include "ledger/record.hpp"
#include "ledger/snapshot_writer.hpp"

namespace nissa::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "the state cannot be made: %s\n", what.c_str());
  std::exit(2);
}

ledger::LedgerOptions options_of(journal::StateId state_id) {
  ledger::LedgerOptions options = History::options();
  options.state_id = state_id;
  return options;
}

// From one start to a kill.
class Run {
 public:
  explicit Run(const std::string& directory) {
    auto opened = open_at(directory);
    if (!opened) fail(opened.error().message);
    auto recovered = ledger::recover(*opened->journal, opened->last_lsn, options_of(opened->state_id));
    if (!recovered) fail(recovered.error().message);
    if (const auto started = opened->journal->start(); !started) fail(started.error().message);
    journal_ = std::move(opened->journal);
    ledger_ = std::move(recovered->ledger);
    writer_.emplace(ledger::SnapshotOptions{.every_ms = INT64_MAX / 2, .slice_rows = 12}, std::move(recovered->catalog),
                    std::move(recovered->unneeded));
  }

  void step(History& history, std::vector<Bytes>& records) {
    const ledger::Record record = history.next(*ledger_);
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    writer_->ride(*ledger_, commit);
    if (commit_and_wait(*journal_, std::move(commit)) != journal::CommitResult::durable) fail("a commit failed");
    writer_->settled(true);
    ledger_->apply(record);
    records.push_back(encode(record));
  }
  void snapshot() { writer_->request(); }
  std::uint64_t completed() const { return writer_->completed(); }
  const ledger::Ledger& ledger() const { return *ledger_; }

 private:
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::optional<ledger::SnapshotWriter> writer_;
};

std::set<int> sections_of(const ledger::Record& record) {
  std::set<int> sections;
  if (!record.new_epochs.empty()) sections.insert(1);
  if (!record.batches.empty()) sections.insert(2);
  if (!record.ended.empty()) sections.insert(3);
  if (!record.forgotten.empty()) sections.insert(4);
  if (!record.counts.empty()) sections.insert(5);
  if (!record.defines.empty()) sections.insert(6);
  if (!record.retired.empty()) sections.insert(7);
  return sections;
}

}  // namespace

MadeState make_state(const std::string& directory, std::uint64_t seed, int records) {
  std::mt19937_64 random(seed);
  History history(random);
  MadeState made;
  {
    Run first(directory);
    for (int i = 0; i < records * 7 / 8; ++i) {
      if (i == records / 4 || i == records / 2) first.snapshot();
      first.step(history, made.records);
    }
    made.snapshots = first.completed();
  }
  Run second(directory);
  second.snapshot();
  for (int i = 0; i < records / 8; ++i) second.step(history, made.records);
  made.snapshots += second.completed();
  made.hash = second.ledger().state_hash();
  made.state_id = second.ledger().now().state_id;
  made.last_lsn = second.ledger().applied();
  made.ledger_ms = second.ledger().ledger_ms();
  return made;
}

ledger::LedgerOptions any_state() { return options_of(7); }

std::vector<std::uint64_t> hashes_after_loss(const MadeState& made, UnixMs now_ms) {
  std::vector<std::uint64_t> hashes{0};
  ledger::Ledger all(any_state());
  for (const Bytes& bytes : made.records) {
    all.apply(*ledger::decode_record(bytes));
    auto part = ledger::reassembled(all, any_state());
    if (!part) fail(part.error().message);
    (*part)->lose_until(now_ms);
    (*part)->apply({.lsn = (*part)->applied() + 1,
                    .ledger_ms = (*part)->ledger_ms(),
                    .running_ms = (*part)->running_ms(),
                    .floor = (*part)->epochs().floor()});
    hashes.push_back((*part)->state_hash());
  }
  return hashes;
}

void settle(const std::string& directory) { const Run again(directory); }

bool uses_everything(const std::string& directory) {
  auto opened = open_at(directory);
  if (!opened) fail(opened.error().message);
  std::set<int> kinds, sections;
  if (!opened->journal->read_rows([&](ByteView key, std::uint64_t, ByteView) { return kinds.insert(key[0]), true; }))
    return false;
  const auto recovered = ledger::recover(*opened->journal, opened->last_lsn, options_of(opened->state_id));
  if (!recovered || recovered->catalog.kept().size() != 2) return false;
  const auto read = opened->journal->read_records(recovered->catalog.trim_below(), [&](journal::Lsn, ByteView bytes) {
    sections.merge(sections_of(*ledger::decode_record(bytes)));
    return true;
  });
  const auto& slos = recovered->ledger->definitions();
  bool retired = false;
  for (slo::SloId id = 0; id < slos.size(); ++id)
    retired = retired || (slos.find(id) != nullptr && slos.find(id)->retired);
  return read && kinds.size() == 6 && sections.size() == 7 && retired && !recovered->ledger->gaps().all().empty() &&
         recovered->ledger->epochs().tombstones() > 0 && recovered->ledger->epochs().floor() > 0;
}

journal::JournalResult<ledger::Recovered> recovered_at(const std::string& directory) {
  auto opened = open_at(directory);
  if (!opened) return std::unexpected(opened.error());
  return ledger::recover(*opened->journal, opened->last_lsn, options_of(opened->state_id));
}

}  // namespace nissa::test
