// The ledger with 10 000 SLOs and 30 days of history: what a count, an edge, a page, a slice of a snapshot cost, and
// how long a start takes (warm page cache). `ledger_bench [DIRECTORY]`: where the state is put, default the current
// one.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <random>
#include <string>

#include "base/clock.hpp"
#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_pages.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

constexpr slo::SloId slos = 10'000;
constexpr UnixMs now_ms = 1'800'000'000'000;
const SystemClock the_clock;

double cpu_ms() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}
template <class Work>
double cpu_ms_of(Work&& work) {
  const double before = cpu_ms();
  work();
  return cpu_ms() - before;
}
double seconds_since(BootNs start) { return static_cast<double>(the_clock.boot_ns() - start) / 1e9; }

void must(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

struct Node {
  std::unique_ptr<journal::Journal> journal;
  journal::StateId state_id = 0;
  Recovered recovered;
  std::unique_ptr<SnapshotWriter> writer;
  double slowest_ride_ms = 0;
  std::size_t snapshot_bytes = 0;

  explicit Node(const std::string& directory) {
    auto opened = journal::open_journal({.directory = directory}, the_clock);
    must(opened.has_value(), opened ? "" : opened.error().message);
    journal = std::move(opened->journal);
    state_id = opened->state_id;
    auto found = recover(*journal, opened->last_lsn, {.state_id = state_id});
    must(found.has_value(), found ? "" : found.error().message);
    recovered = std::move(*found);
  }
  void run() {
    must(journal->start().has_value(), "start");
    writer = std::make_unique<SnapshotWriter>(SnapshotOptions{.every_ms = INT64_MAX / 2, .journal_bytes = UINT64_MAX},
                                              std::move(recovered.catalog), std::move(recovered.unneeded));
  }
  Ledger& ledger() { return *recovered.ledger; }
  Record at(UnixMs time) {
    const Stamp stamp = ledger().next_stamp(time);
    return {.lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms};
  }
  void commit(const Record& record) {
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    slowest_ride_ms = std::max(slowest_ride_ms, cpu_ms_of([&] { writer->ride(ledger(), commit); }));
    for (const auto& row : commit.put) snapshot_bytes += row.value.size();
    std::promise<journal::CommitResult> done;
    journal->commit(std::move(commit), [&](journal::CommitResult result) { done.set_value(result); });
    must(done.get_future().get() == journal::CommitResult::durable, "commit");
    writer->settled(true);
    ledger().apply(record);
  }
  int snapshot(UnixMs time) {
    writer->request();
    int commits = 0;
    snapshot_bytes = 0;
    for (const std::uint64_t before = writer->completed(); writer->completed() == before; ++commits) commit(at(time));
    return commits;
  }
};

void define(Node& node) {
  Record record = node.at(now_ms - 31 * slo::day_ms);
  for (slo::SloId id = 0; id < slos; ++id) {
    record.defines.push_back({id, {}});
    record.defines.back().definition.name = "checkout-availability-" + std::to_string(id);
    record.defines.back().definition.service = "checkout-" + std::to_string(id);
  }
  node.commit(record);
}

// Every SLO counts in every period of every ring.
void fill(Node& node, std::mt19937_64& random) {
  UnixMs time = now_ms - 30 * slo::day_ms;
  while (time <= now_ms) {
    Record record = node.at(time);
    record.counts.reserve(slos);
    for (slo::SloId id = 0; id < slos; ++id) {
      const std::uint64_t total = 1 + random() % 2'000;
      record.counts.push_back({id, bucket_of(time), total - (random() % 8 == 0 ? random() % total : 0), total});
    }
    node.commit(record);
    const UnixMs left = now_ms - time;
    time += left > 3 * slo::day_ms    ? slo::hour_ms
            : left > 6 * slo::hour_ms ? 5 * slo::minute_ms
            : left > slo::hour_ms     ? slo::minute_ms
                                      : bucket_ms;
  }
}

double apply_ns(Node& node, UnixMs time, slo::SloId of, int buckets) {
  Record record = node.at(time);
  for (slo::SloId id = 0; id < slos; id += slos / of)
    for (Bucket back = buckets - 1; back >= 0; --back) record.counts.push_back({id, bucket_of(time) - back, 9, 10});
  constexpr int rounds = 200;
  const double spent = cpu_ms_of([&] {
    for (int i = 0; i < rounds; ++i) {
      node.ledger().apply(record);
      ++record.lsn;
    }
  });
  return spent * 1e6 / rounds / static_cast<double>(record.counts.size());
}

void live(Node& node) {
  Record group = node.at(now_ms + 10'000);
  for (slo::SloId id = 0; id < slos; id += 10)
    for (Bucket back = 2; back >= 0; --back) group.counts.push_back({id, bucket_of(now_ms) - back, 990, 1'000});
  const Bytes bytes = encode(group);
  std::printf("record of 1 000 SLOs × 3 buckets: %zu bytes\n", bytes.size());
  constexpr int rounds = 300;
  std::printf("figure record_encode_us %.1f us\n", 1e3 / rounds * cpu_ms_of([&] {
                                                     for (int i = 0; i < rounds; ++i)
                                                       must(encode(group).size() == bytes.size(), "encode");
                                                   }));
  std::printf("figure record_decode_us %.1f us\n", 1e3 / rounds * cpu_ms_of([&] {
                                                     for (int i = 0; i < rounds; ++i)
                                                       must(decode_record(bytes).has_value(), "decode");
                                                   }));
  std::printf("figure apply_ns_1000_slos %.1f ns\n", apply_ns(node, now_ms + 10'000, 1'000, 3));
  std::printf("figure apply_ns_10k_slos %.1f ns\n", apply_ns(node, now_ms + 10'000, slos, 1));
  double edge = 0, worst = 0;
  constexpr int edges = 360;
  for (int i = 2; i < 2 + edges; ++i) {
    node.ledger().apply(node.at(now_ms + i * bucket_ms));
    const double spent = cpu_ms_of([&] { node.ledger().catch_up(slos); });
    edge += spent;
    worst = std::max(worst, spent);
  }
  std::printf("figure edge_ms_10k %.3f ms\nworst of %d edges %.3f ms\n", edge / edges, edges, worst);
  LedgerPages pages;
  const auto pass = [&] {
    while (!pages.refresh_one(node.ledger())) continue;
  };
  std::printf("figure pages_ms_10k %.3f ms\n", cpu_ms_of(pass));
  std::printf("nothing changed: %.3f ms\n", cpu_ms_of(pass));
  std::printf("state hash %.1f ms\n", cpu_ms_of([&] { node.ledger().state_hash(); }));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = std::string(argc > 1 ? argv[1] : ".") + "/ledger-bench-state";
  std::filesystem::remove_all(directory);
  std::mt19937_64 random(1);
  std::uint64_t hash = 0;
  {
    Node node(directory);
    node.run();
    define(node);
    fill(node, random);
    std::printf("figure ledger_bytes_per_slo %.0f bytes\n", static_cast<double>(node.ledger().memory_bytes()) / slos);
    int commits = node.snapshot(now_ms);
    std::printf("first snapshot: %d commits, %.1f MiB, slowest slice %.3f ms\n", commits,
                static_cast<double>(node.snapshot_bytes) / (1 << 20), node.slowest_ride_ms);
    Record busy = node.at(now_ms);
    for (slo::SloId id = 0; id < slos; ++id) busy.counts.push_back({id, bucket_of(now_ms), 9, 10});
    node.commit(busy);
    node.slowest_ride_ms = 0;
    commits = node.snapshot(now_ms);
    std::printf("next snapshot, all SLOs having counted: %d commits, %.2f MiB, slowest slice %.3f ms\n", commits,
                static_cast<double>(node.snapshot_bytes) / (1 << 20), node.slowest_ride_ms);
    for (int i = 0; i < 500; ++i) node.commit(node.at(now_ms));  // what is no longer needed goes
    hash = node.ledger().state_hash();
    node.journal->stop();
  }
  for (int i = 0; i < 3; ++i) {
    const BootNs start = the_clock.boot_ns();
    const double cpu_before = cpu_ms();
    Node node(directory);
    std::printf("figure ledger_cold_start_s_10k %.3f s\n", seconds_since(start));
    std::printf("of that CPU: %.3f s\n", (cpu_ms() - cpu_before) / 1e3);
    must(node.ledger().state_hash() == hash, "recovered state differs");
    if (i == 0) {
      std::printf("from snapshot %lu: %lu rows, %lu records\n", node.recovered.snapshot, node.recovered.rows,
                  node.recovered.records);
    }
    if (i == 2) live(node);
    node.journal->stop();
  }
  std::filesystem::remove_all(directory);
}
