// What a commit costs the processor and the clock, beside a plain file with fdatasync; and what a checkpoint delays.
// `journal_bench [DIRECTORY]`: on the disk that is to be measured, default the current directory.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "journal/journal.hpp"

using namespace nissa;
using journal::CommitResult;

namespace {

const SystemClock the_clock;

double cpu_us(int who) {
  rusage used{};
  getrusage(who, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}
// Of all threads but this one: the journal's.
double others_cpu_us() { return cpu_us(RUSAGE_SELF) - cpu_us(RUSAGE_THREAD); }

struct Cost {
  double cpu = 0;  // microseconds, mean
  double p50 = 0, p99 = 0;
  double checkpoint_ms = 0;
};

Cost summary(double cpu, std::vector<BootNs>& taken) {
  std::ranges::sort(taken);
  const auto at = [&](std::size_t percent) { return static_cast<double>(taken[taken.size() * percent / 100]) / 1e3; };
  return {.cpu = cpu / static_cast<double>(taken.size()), .p50 = at(50), .p99 = at(99)};
}

Cost plain(const std::string& directory, std::size_t size, int count) {
  const Bytes bytes(size, 1);
  const int file = open((directory + "/plain").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
  std::vector<BootNs> taken;
  double before = 0;
  for (int i = -50; i < count; ++i) {
    if (i == 0) before = cpu_us(RUSAGE_THREAD);
    const BootNs start = the_clock.boot_ns();
    const auto at = static_cast<off_t>(static_cast<std::size_t>(i + 50) * size % (16u << 20));
    if (pwrite(file, bytes.data(), size, at) < 0 || fdatasync(file) != 0) std::abort();
    if (i >= 0) taken.push_back(the_clock.boot_ns() - start);
  }
  const double cpu = cpu_us(RUSAGE_THREAD) - before;
  close(file);
  return summary(cpu, taken);
}

// A steady state: 200 records are kept, older ones trimmed; `rows` of 2 KiB put and as many of two generations before
// erased with each commit, as a snapshot does.
journal::Commit next_commit(journal::Lsn lsn, std::size_t size, std::uint32_t rows) {
  constexpr std::uint32_t of_a_generation = 20'000;
  journal::Commit commit{.lsn = lsn, .record = Bytes(size, 1), .trim_below = lsn > 200 ? lsn - 200 : 0};
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::uint64_t number = (lsn - 1) * rows + row;
    const std::uint32_t place = __builtin_bswap32(static_cast<std::uint32_t>(number % of_a_generation));
    Bytes key(8);
    std::memcpy(key.data(), &place, sizeof place);
    const std::uint64_t generation = number / of_a_generation;
    if (generation > 1) commit.erase.push_back({key, generation - 2});
    commit.put.push_back({std::move(key), generation, Bytes(2100, static_cast<Byte>(number))});
  }
  return commit;
}

Cost journalled(const std::string& directory, std::size_t size, std::uint32_t rows, int count) {
  std::filesystem::remove_all(directory + "/journal");
  journal::Options options;
  options.directory = directory + "/journal";
  auto opened = journal::open_journal(options, the_clock);
  if (!opened || !opened->journal->start()) std::abort();
  std::vector<BootNs> taken;
  double before = 0;
  for (int i = -250; i < count; ++i) {
    if (i == 0) before = others_cpu_us();
    auto commit = next_commit(static_cast<journal::Lsn>(i + 251), size, rows);
    std::promise<CommitResult> result;
    const BootNs start = the_clock.boot_ns();
    opened->journal->commit(std::move(commit), [&](CommitResult r) { result.set_value(r); });
    if (result.get_future().get() != CommitResult::durable) std::abort();
    if (i >= 0) taken.push_back(the_clock.boot_ns() - start);
  }
  opened->journal->stop();
  Cost cost = summary(others_cpu_us() - before, taken);
  const auto& counters = opened->journal->counters();
  const auto checkpoints = static_cast<double>(counters.checkpoints.value());
  cost.checkpoint_ms = checkpoints > 0 ? counters.checkpoint.sum_seconds() * 1e3 / checkpoints : 0;
  return cost;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = (argc > 1 ? std::string(argv[1]) : ".") + "/journal-bench";
  std::filesystem::create_directories(directory);
  std::printf("%-22s %10s %10s %10s %14s\n", "", "cpu us", "p50 us", "p99 us", "checkpoint ms");
  for (const std::size_t kib : {4, 40, 400}) {
    const int count = kib > 100 ? 300 : 1500;
    // The least of three: other work on the machine only ever adds.
    Cost file = plain(directory, kib * 1024, count);
    Cost sqlite = journalled(directory, kib * 1024, 0, count);
    for (int more = 0; more < 2; ++more) {
      file.cpu = std::min(file.cpu, plain(directory, kib * 1024, count).cpu);
      sqlite.cpu = std::min(sqlite.cpu, journalled(directory, kib * 1024, 0, count).cpu);
    }
    const std::string name = std::to_string(kib) + "KiB";
    std::printf("plain file %-11s %10.0f %10.0f %10.0f\n", name.c_str(), file.cpu, file.p50, file.p99);
    std::printf("journal %-14s %10.0f %10.0f %10.0f %14.1f\n", name.c_str(), sqlite.cpu, sqlite.p50, sqlite.p99,
                sqlite.checkpoint_ms);
    std::printf("figure journal.commit_cpu_%s %.1f us\n", name.c_str(), sqlite.cpu);
    std::printf("figure journal.plain_cpu_%s %.1f us\n", name.c_str(), file.cpu);
    if (kib == 4) std::printf("figure disk.fdatasync_p50 %.0f us\n", file.p50);
  }
  const Cost with_rows = journalled(directory, 20 * 1024, 125, 800);
  std::printf("journal 20KiB+125 rows %9.0f %10.0f %10.0f %14.1f\n", with_rows.cpu, with_rows.p50, with_rows.p99,
              with_rows.checkpoint_ms);
  std::printf("figure journal.row_cpu %.1f us\n", with_rows.cpu / 125);
  std::filesystem::remove_all(directory);
  return 0;
}
