// From nothing to ready, with 10 000 SLOs and 30 days of history: open the journal, recover, find the configured SLOs
// and build their matcher, start. Each start is a process of its own; the files are in the page cache, as after a crash
// or an upgrade. Once right after a snapshot (cold_start_s_10k), once with the records of a minute in which 20 groups a
// second changed every SLO, about the most that ever lies behind a snapshot (cold_start_replay_s_10k). Also what an
// fsync of that disk takes.
// Usage: cold_start_bench [directory on the disk to measure [starts]]
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "bench_clock.hpp"
#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "slo/matcher.hpp"
#include "slo_history.hpp"

namespace {

using namespace nissa;
using namespace nissa::bench;

const SystemClock the_clock;
constexpr int groups_a_second = 20;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "cold_start_bench: %s\n", what.c_str());
  std::_Exit(1);
}

// fn in a process of its own, as a server starts: with a fresh heap, and no thread from before. Its answer comes back.
template <class T>
T in_a_process(const std::function<T()>& fn) {
  int ends[2];
  if (pipe(ends) != 0) give_up("no pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) give_up("no process");
  if (child == 0) {
    const T answer = fn();
    std::_Exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
  }
  close(ends[1]);
  T answer{};
  const bool whole = read(ends[0], &answer, sizeof answer) == sizeof answer;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) give_up("a process of its own failed");
  return answer;
}

// --- The state on disk.
class Writer {
 public:
  explicit Writer(const std::string& directory) {
    auto opened = journal::open_journal({.directory = directory}, the_clock);
    if (!opened) give_up(opened.error().message);
    journal_ = std::move(opened->journal);
    auto recovered = ledger::recover(*journal_, opened->last_lsn, {.state_id = opened->state_id});
    if (!recovered) give_up(recovered.error().message);
    ledger_ = std::move(recovered->ledger);
    snapshots_ = std::make_unique<ledger::SnapshotWriter>(ledger::SnapshotOptions{}, std::move(recovered->catalog),
                                                          std::move(recovered->unneeded));
    if (const auto started = journal_->start(); !started) give_up(started.error().message);
  }
  ~Writer() { journal_->stop(); }

  void build() {
    build_history(*ledger_, [this](const ledger::Record& record) { step(record); });
    // Two complete ones are what a server has after two minutes.
    for (int i = 0; i < 2; ++i) {
      snapshots_->request();
      for (const std::uint64_t before = snapshots_->completed(); snapshots_->completed() == before;) tick();
    }
    while (erasing_) tick();
  }
  // A minute in which 20 groups a second change every SLO.
  void dirty_minute() {
    for (int i = 0; i < 60 * groups_a_second; ++i) {
      const UnixMs now = ledger_->ledger_ms() + 1000 / groups_a_second;
      step(counts_record(*ledger_, now, bucket_of(now), 1));
    }
  }

 private:
  void tick() { step(counts_record(*ledger_, ledger_->ledger_ms(), 0, 0)); }
  void step(const ledger::Record& record) {
    journal::Commit commit{.lsn = record.lsn, .record = encode(record), .put = {}, .erase = {}};
    snapshots_->ride(*ledger_, commit);
    erasing_ = !commit.erase.empty();
    std::promise<journal::CommitResult> result;
    journal_->commit(std::move(commit), [&](journal::CommitResult r) { result.set_value(r); });
    if (result.get_future().get() != journal::CommitResult::durable) give_up("a commit failed");
    snapshots_->settled(true);
    ledger_->apply(record);
  }
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ledger::SnapshotWriter> snapshots_;
  bool erasing_ = false;
};

// --- A start.
struct Start {
  double open_s = 0, recover_s = 0, define_s = 0, start_s = 0;
  double cpu_s = 0, rss_mb = 0;
  std::uint64_t rows = 0, records = 0;
  double whole_s() const { return open_s + recover_s + define_s + start_s; }
};

Start start_once(const std::string& directory) {
  Start result;
  const std::vector<slo::Definition> configured = definitions();  // the file's, parsed
  double at = wall_s();
  const double cpu_before = cpu_s();
  const auto lap = [&at] {
    const double before = at;
    at = wall_s();
    return at - before;
  };
  auto opened = journal::open_journal({.directory = directory}, the_clock);
  if (!opened) give_up(opened.error().message);
  result.open_s = lap();
  auto recovered = ledger::recover(*opened->journal, opened->last_lsn, {.state_id = opened->state_id});
  if (!recovered) give_up(recovered.error().message);
  result.recover_s = lap();
  const auto plan = recovered->ledger->definitions().plan(configured);
  if (!plan || !plan->empty()) give_up("the SLOs are not those that were defined");
  std::vector<slo::Rule> rules;
  for (std::size_t i = 0; i < configured.size(); ++i) rules.push_back({plan->ids[i], configured[i].sli});
  slo::MatchSets sets;
  const slo::Matcher matcher(rules, sets);
  const ledger::SnapshotWriter snapshots({}, std::move(recovered->catalog), std::move(recovered->unneeded));
  result.define_s = lap();
  if (const auto started = opened->journal->start(); !started) give_up(started.error().message);
  result.start_s = lap();
  result.cpu_s = cpu_s() - cpu_before;
  result.rows = recovered->rows;
  result.records = recovered->records;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  result.rss_mb = static_cast<double>(used.ru_maxrss) / 1024;
  opened->journal->stop();
  return result;
}

double measure(const char* name, const std::string& directory, int starts) {
  std::vector<Start> all;
  for (int i = 0; i < starts; ++i) all.push_back(in_a_process<Start>([&] { return start_once(directory); }));
  std::ranges::sort(all, {}, &Start::whole_s);
  const Start& median = all[all.size() / 2];
  std::printf("%-24s %7llu %7llu %7.3f %8.3f %7.3f %7.3f %7.3f [%.3f, %.3f] %7.3f %7.0f\n", name,
              static_cast<unsigned long long>(median.rows), static_cast<unsigned long long>(median.records),
              median.open_s, median.recover_s, median.define_s, median.start_s, median.whole_s(), all.front().whole_s(),
              all.back().whole_s(), median.cpu_s, median.rss_mb);
  return median.whole_s();
}

// --- The disk.
struct Disk {
  double p50_ms = 0, p99_ms = 0;
};

// As the journal's log does it: 4 KiB more, durable.
Disk measure_disk(const std::string& directory) {
  const int file = open((directory + "/fsync").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (file < 0) give_up("cannot write to " + directory);
  const std::vector<char> page(4096, 'x');
  std::vector<double> took_ms;
  const double end = wall_s() + 5;
  while (wall_s() < end && took_ms.size() < 2000) {
    const double before = wall_s();
    const auto offset = static_cast<off_t>(took_ms.size() * page.size());
    if (pwrite(file, page.data(), page.size(), offset) != 4096 || fdatasync(file) != 0) give_up("fdatasync failed");
    took_ms.push_back((wall_s() - before) * 1e3);
  }
  close(file);
  std::ranges::sort(took_ms);
  return {took_ms[took_ms.size() / 2], took_ms[took_ms.size() * 99 / 100]};
}

// "device type", of the mount that holds the directory.
std::string mount_of(const std::string& directory) {
  std::ifstream mounts("/proc/self/mounts");
  std::string line, best, found = "unknown";
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string device, place, type;
    fields >> device >> place >> type;
    const bool holds = place == "/" || directory == place || directory.starts_with(place + "/");
    if (!holds || place.size() < best.size()) continue;
    best = place;
    found = device + " " + type;
  }
  return found;
}

std::uint64_t bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  // /tmp may be memory.
  std::string base = std::filesystem::absolute(argc > 1 ? argv[1] : "/var/tmp").string() + "/nissa-bench-XXXXXX";
  const int starts = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  if (mkdtemp(base.data()) == nullptr) give_up("cannot make " + base);
  const std::string state = base + "/state";
  const Disk disk = measure_disk(base);
  std::printf("%s (%s): fdatasync of 4 KiB p50 %.2f ms, p99 %.2f ms\n", base.c_str(), mount_of(base).c_str(),
              disk.p50_ms, disk.p99_ms);
  in_a_process<int>([&] {
    Writer(state).build();
    return 0;
  });
  std::printf("%u SLOs, every period of 30 days counted in: %llu MB on disk; %d starts each, medians by the whole\n",
              slo_count, static_cast<unsigned long long>(bytes_in(state) >> 20), starts);
  std::printf("%-24s %7s %7s %7s %8s %7s %7s %22s %9s %7s\n", "", "rows", "records", "open s", "recover", "define",
              "start", "whole", "CPU-s", "RSS MB");
  const double idle_s = measure("idle since the snapshot", state, starts);
  in_a_process<int>([&] {
    Writer(state).dirty_minute();
    return 0;
  });
  const double dirty_s = measure("after a minute, all dirty", state, starts);
  std::filesystem::remove_all(base);
  std::printf("figure cold_start_s_10k %.3f s\n", idle_s);
  std::printf("figure cold_start_replay_s_10k %.3f s\n", dirty_s);
  std::printf("figure fsync_p50_ms %.2f ms\nfigure fsync_p99_ms %.2f ms\n", disk.p50_ms, disk.p99_ms);
}
