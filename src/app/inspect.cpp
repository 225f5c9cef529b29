#include "app/inspect.hpp"

#include <cstdio>

#include "app/exit_code.hpp"
#include "app/state_copy.hpp"
#include "async/coroutine.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/utc_text.hpp"
#include "journal/journal.hpp"
#include "ledger/recovery.hpp"
#include "net/http_types.hpp"
#include "slo/block.hpp"

namespace nissa::app {
namespace {

constexpr int most_copies = 10;
constexpr std::int64_t pause_ns = 50 * ns_per_ms;  // longer than most checkpoints

struct Found {
  journal::StateId state_id = 0;
  std::uint64_t generation = 0;
  journal::Lsn last_lsn = 0;
  ledger::Recovered recovered;
};

journal::JournalResult<Found> read_state(const std::string& directory, const Clock& clock) {
  journal::Options options;
  options.directory = directory;
  auto opened = journal::open_journal(options, clock);
  if (!opened) return std::unexpected(opened.error());
  if (opened->new_state) return std::unexpected(journal::JournalError{journal::Damage::none, "holds no state"});
  ledger::LedgerOptions ledger_options;
  ledger_options.state_id = opened->state_id;
  auto recovered = ledger::recover(*opened->journal, opened->last_lsn, ledger_options);
  if (!recovered) return std::unexpected(recovered.error());
  return Found{opened->state_id, opened->generation, opened->last_lsn, std::move(*recovered)};
}

Task<void> pause_on(EventLoop& loop, Timers& timers) {
  (void)co_await timers.sleep_for(pause_ns);
  timers.stop();
  loop.release();
}
void pause(const Clock& clock) {
  EventLoop loop;
  Timers timers(loop, clock);
  loop.spawn(pause_on(loop, timers));
  loop.run();
}

// The copy is our affair: whoever asked knows the files by the directory they named.
std::string in_words_of(std::string message, const std::string& copy, const std::string& directory) {
  bool named = false;
  for (std::size_t at = 0; (at = message.find(copy, at)) != std::string::npos; at += directory.size()) {
    message.replace(at, copy.size(), directory);
    named = true;
  }
  return named ? message : directory + ": " + message;
}

// Damage that is seen while a server writes may be only the copy's, so another copy is asked.
journal::JournalResult<Found> read_copy(const std::string& directory) {
  const SystemClock clock;
  for (int copies = 1;; ++copies) {
    const auto copy = StateCopy::of(directory);
    if (!copy)
      return std::unexpected(journal::JournalError{journal::Damage::none, directory + ": " + copy.error().message});
    auto found = read_state(copy->path(), clock);
    if (found) return found;
    const bool changed = copy->original_changed();
    if (changed && copies < most_copies) {
      pause(clock);
      continue;
    }
    journal::JournalError error = std::move(found.error());
    error.message = in_words_of(std::move(error.message), copy->path(), directory);
    if (changed) {
      error.damage = journal::Damage::none;  // known of the copies only
      error.message = "no copy of a state that is being written was whole, of " + std::to_string(copies) +
                      "; stop its server and inspect again. Of the last copy: " + error.message;
    }
    return std::unexpected(std::move(error));
  }
}

// visitor(bucket, counts) for each bucket of the last hour in which something was counted.
template <class Visitor>
void for_each_bucket(const slo::Block& block, slo::SloId id, Visitor&& visitor) {
  const Bucket head = bucket_of(block.head_ms());
  block.ring(0).for_each(head - 361, head + slo::buckets_ahead + 1, [&](const slo::Row& row) {
    const slo::Counts counts = row.at(slo::lane_of(id));
    if (counts.total != 0) visitor(row.period(), counts);
  });
}

void print_json_buckets(const slo::Block& block, slo::SloId id) {
  const char* comma = "";
  for_each_bucket(block, id, [&](Bucket bucket, slo::Counts counts) {
    std::printf("%s{\"bucket\":%d,\"good\":%llu,\"total\":%llu}", comma, bucket,
                static_cast<unsigned long long>(counts.good), static_cast<unsigned long long>(counts.total));
    comma = ",";
  });
}

void print_text_buckets(const slo::Block& block, slo::SloId id) {
  for_each_bucket(block, id, [](Bucket bucket, slo::Counts counts) {
    std::printf("    bucket %d from %sZ %14llu good of %llu\n", bucket, utc_text(start_of(bucket)).c_str(),
                static_cast<unsigned long long>(counts.good), static_cast<unsigned long long>(counts.total));
  });
}

void print_json(const Found& found) {
  const ledger::Ledger& ledger = *found.recovered.ledger;
  std::printf(
      "{\"state_id\":\"%016llx\",\"lsn\":%llu,\"ledger_time_ms\":%lld,\"running_ms\":%llu,\"epochs\":%zu,\"slos\":[",
      static_cast<unsigned long long>(found.state_id), static_cast<unsigned long long>(found.last_lsn),
      static_cast<long long>(ledger.ledger_ms()), static_cast<unsigned long long>(ledger.running_ms()),
      ledger.epochs().size());
  const char* comma = "";
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id) {
    const ledger::DefinedSlo* slo = ledger.definitions().find(id);
    if (slo == nullptr) continue;
    const slo::Block* block = ledger.block(slo::block_of(id));
    const slo::Counts life = block == nullptr ? slo::Counts{} : block->life(slo::lane_of(id)).lifetime;
    std::printf("%s{\"id\":%u,\"name\":%s,\"retired\":%s,\"lifetime\":{\"good\":%llu,\"total\":%llu},\"buckets\":[",
                comma, id, net::json_quoted(slo->definition->name).c_str(), slo->retired ? "true" : "false",
                static_cast<unsigned long long>(life.good), static_cast<unsigned long long>(life.total));
    if (block != nullptr) print_json_buckets(*block, id);
    std::printf("]}");
    comma = ",";
  }
  std::printf("]}\n");
}

void print_text(const Found& found) {
  const ledger::Ledger& ledger = *found.recovered.ledger;
  std::printf("state %016llx, started %llu times\n", static_cast<unsigned long long>(found.state_id),
              static_cast<unsigned long long>(found.generation) - 1);
  std::printf("last record %llu, at ledger time %lld ms after running %llu ms\n",
              static_cast<unsigned long long>(found.last_lsn), static_cast<long long>(ledger.ledger_ms()),
              static_cast<unsigned long long>(ledger.running_ms()));
  std::printf(
      "snapshot %llu (%llu rows), %llu records since\n", static_cast<unsigned long long>(found.recovered.snapshot),
      static_cast<unsigned long long>(found.recovered.rows), static_cast<unsigned long long>(found.recovered.records));
  std::printf("%zu epochs, %zu SLOs:\n", ledger.epochs().size(), ledger.definitions().size());
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id) {
    const ledger::DefinedSlo* slo = ledger.definitions().find(id);
    const slo::Block* block = slo == nullptr ? nullptr : ledger.block(slo::block_of(id));
    if (slo == nullptr) continue;
    const slo::Counts life = block == nullptr ? slo::Counts{} : block->life(slo::lane_of(id)).lifetime;
    std::printf("  %-40s %14llu good of %llu%s\n", slo->definition->name.c_str(),
                static_cast<unsigned long long>(life.good), static_cast<unsigned long long>(life.total),
                slo->retired ? ", retired" : "");
    if (block != nullptr) print_text_buckets(*block, id);
  }
}

}  // namespace

int inspect(const std::string& directory, bool as_json) {
  const auto found = read_copy(directory);
  if (!found) {
    std::fprintf(stderr, "nissad inspect: %s\n", found.error().message.c_str());
    return found.error().damage == journal::Damage::none ? exit_failed : exit_damaged_state;
  }
  if (as_json)
    print_json(*found);
  else
    print_text(*found);
  return exit_ok;
}

}  // namespace nissa::app
