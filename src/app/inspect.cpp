#include "app/inspect.hpp"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "app/exit_code.hpp"
#include "base/clock.hpp"
#include "journal/journal.hpp"
#include "ledger/recovery.hpp"
#include "net/http_types.hpp"
#include "slo/block.hpp"

namespace nissa::app {
namespace {

namespace fs = std::filesystem;

// A copy of the files of a state, removed at the end.
class Copy {
 public:
  static Result<Copy> of(const fs::path& original) {
    std::error_code error;
    if (!fs::is_directory(original, error)) return failure(original.string() + ": no such directory");
    std::string pattern = (fs::temp_directory_path(error) / "nissa-inspect-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return failure(pattern + ": no directory can be made for the copy");
    Copy copy(pattern);
    for (const auto& entry : fs::directory_iterator(original, error)) {
      if (entry.is_regular_file()) fs::copy_file(entry.path(), copy.path_ / entry.path().filename(), error);
      if (error) return failure(entry.path().string() + ": cannot be copied: " + error.message());
    }
    if (error) return failure(original.string() + ": cannot be read: " + error.message());
    return copy;
  }
  explicit Copy(fs::path path) : path_(std::move(path)) {}
  Copy(Copy&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Copy& operator=(Copy&&) = delete;
  ~Copy() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

struct Found {
  journal::Opened journal;
  ledger::Recovered recovered;
};

void print_buckets(const slo::Block& block, slo::SloId id) {
  const std::int32_t head = bucket_of(block.head_ms());
  const char* comma = "";
  block.ring(0).for_each(head - 361, head + slo::buckets_ahead + 1, [&](const slo::Row& row) {
    const slo::Counts counts = row.at(slo::lane_of(id));
    if (counts.total == 0) return;
    std::printf("%s{\"bucket\":%d,\"good\":%llu,\"total\":%llu}", comma, row.period(),
                static_cast<unsigned long long>(counts.good), static_cast<unsigned long long>(counts.total));
    comma = ",";
  });
}

void print_json(const Found& found) {
  const ledger::Ledger& ledger = *found.recovered.ledger;
  std::printf(
      "{\"state_id\":\"%016llx\",\"lsn\":%llu,\"ledger_time_ms\":%lld,\"running_ms\":%llu,\"epochs\":%zu,\"slos\":[",
      static_cast<unsigned long long>(found.journal.state_id), static_cast<unsigned long long>(found.journal.last_lsn),
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
    if (block != nullptr) print_buckets(*block, id);
    std::printf("]}");
    comma = ",";
  }
  std::printf("]}\n");
}

void print_text(const Found& found) {
  const ledger::Ledger& ledger = *found.recovered.ledger;
  std::printf("state %016llx, started %llu times\n", static_cast<unsigned long long>(found.journal.state_id),
              static_cast<unsigned long long>(found.journal.generation) - 1);
  std::printf("last record %llu, at ledger time %lld ms after running %llu ms\n",
              static_cast<unsigned long long>(found.journal.last_lsn), static_cast<long long>(ledger.ledger_ms()),
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
  }
  std::printf("with --json: every SLO's 10 s buckets of the last hour\n");
}

}  // namespace

int inspect(const std::string& directory, bool as_json) {
  const auto fail = [](int code, const std::string& message) {
    std::fprintf(stderr, "nissad inspect: %s\n", message.c_str());
    return code;
  };
  const auto copy = Copy::of(directory);
  if (!copy) return fail(exit_failed, copy.error().message);
  journal::Options options;
  options.directory = copy->path();
  const SystemClock clock;
  auto opened = journal::open_journal(options, clock);
  if (!opened) return fail(exit_damaged_state, opened.error().message);
  if (opened->new_state) return fail(exit_failed, directory + " holds no state");
  ledger::LedgerOptions ledger_options;
  ledger_options.state_id = opened->state_id;
  auto recovered = ledger::recover(*opened->journal, opened->last_lsn, ledger_options);
  if (!recovered) return fail(exit_damaged_state, recovered.error().message);
  const Found found{std::move(*opened), std::move(*recovered)};
  if (as_json)
    print_json(found);
  else
    print_text(found);
  return exit_ok;
}

}  // namespace nissa::app
