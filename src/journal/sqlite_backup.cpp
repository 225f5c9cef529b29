#include "journal/sqlite_backup.hpp"

#include <pthread.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "base/memory.hpp"
#include "journal/anchor.hpp"
#include "journal/disk_room.hpp"
#include "journal/sqlite_file_copy.hpp"
#include "journal/sqlite_store.hpp"
#include "journal/state_dir.hpp"
#include "journal/state_files.hpp"

namespace nissa::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t cache_bytes = 2u << 20;

std::unexpected<BackupError> refused(BackupFault fault, std::string message) {
  return std::unexpected(BackupError{fault, std::move(message)});
}
std::unexpected<BackupError> failed(std::string message) { return refused(BackupFault::failed, std::move(message)); }

std::uint64_t size_of(const fs::path& file) {
  std::error_code gone;
  const auto size = fs::file_size(file, gone);
  return gone ? 0 : size;
}

}  // namespace

Backup::Backup(const Options& options, const Clock& clock, HeldLog& log, Counters& counters, BackupDone done)
    : options_(options), clock_(clock), log_(log), counters_(counters), done_(std::move(done)) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& thrown) {
    end(failed(std::string("no thread for it can be had: ") + thrown.what()));
  }
}

Backup::~Backup() {
  give_up();
  if (thread_.joinable()) thread_.join();
}

void Backup::give_up() {
  given_up_.store(true, std::memory_order_relaxed);
  settle(refused(BackupFault::stopping, "nissad stops: the backup was given up"));
}

void Backup::settle(BackupResult result) {
  std::optional<BackupDone> done;
  {
    const Lock lock(mutex_);
    std::swap(done, done_);
  }
  if (done) (*done)(std::move(result));
}

void Backup::run() {
  pthread_setname_np(pthread_self(), "nissa-backup");  // for top -H
  const BootNs begun = clock_.boot_ns();
  begun_ = time_name(clock_.wall_ns());
  BackupResult made = failed("there is no memory for it");
  (void)had_memory([&] { made = make(); });
  if (made) {
    made->took_ms = (clock_.boot_ns() - begun) / ns_per_ms;
    counters_.backups.add();
    counters_.backup_lsn.set(made->lsn);
    counters_.backup_unix_ms.set(static_cast<std::uint64_t>(clock_.wall_ns() / ns_per_ms));
    log(LogLevel::info, "journal", "a backup is made",
        {{"directory", made->directory}, {"lsn", made->lsn}, {"bytes", made->bytes}, {"took_ms", made->took_ms}});
  } else {
    counters_.backups_failed.add();
    log(LogLevel::warning, "journal", "no backup is made: " + made.error().message);
    std::error_code ignored;
    if (!partial_.empty()) fs::remove_all(partial_, ignored);
  }
  end(std::move(made));
}

// Over before `done`: from there on the next one may come.
void Backup::end(BackupResult result) {
  {
    const Lock lock(mutex_);
    over_ = true;
    is_over_.notify_all();
  }
  settle(std::move(result));
}

// The analysis does not see that wait_for() takes the lock it gave back.
bool Backup::over_within(std::int64_t wait_ns) NISSA_NO_THREAD_SAFETY_ANALYSIS {
  std::unique_lock lock(mutex_.native());
  return is_over_.wait_for(lock, std::chrono::nanoseconds(wait_ns),
                           [this]() NISSA_NO_THREAD_SAFETY_ANALYSIS { return over_; });
}

Backup::Step Backup::goes_on() const {
  if (given_up_.load(std::memory_order_relaxed)) return refused(BackupFault::stopping, "nissad stops");
  if (log_.overtaken())
    return refused(BackupFault::overtaken, "more was counted meanwhile than the log may hold until it is copied");
  return {};
}

BackupResult Backup::make() {
  auto source = log_.hold();
  if (!source) return std::unexpected(std::move(source.error()));
  HeldLog::End end;
  Step step = failed("there is no memory for it");
  (void)had_memory([&] {
    step = check_room(*source);
    if (step) step = copy_files(*source, end);
  });
  const Step released = log_.release();
  if (step) step = released;
  BackupMade made;
  if (step) step = prove(*source, end, made);
  if (step) step = complete(made);
  if (!step) return std::unexpected(std::move(step.error()));
  return made;
}

Backup::Step Backup::check_room(const HeldLog::Source& source) {
  const std::string& directory = options_.backup_directory;
  // Only its last part: a whole missing path is more likely a missing mount.
  if (mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST)
    return failed("backup_directory " + directory + " cannot be made: " + std::generic_category().message(errno));
  const auto free = free_bytes_of(directory);
  // The log twice: until it is moved into the database it is there, and its pages may be new ones.
  const std::uint64_t bytes = size_of(source.database) + 2 * source.log_bytes;
  const std::uint64_t spare = DiskRoom::needed(options_.min_free_bytes, bytes);
  if (free && *free < bytes + spare)
    return refused(BackupFault::no_room, "only " + mebibytes(*free) + " are free on the disk of " + directory +
                                             "; the backup takes " + mebibytes(bytes) + ", and min_free leaves " +
                                             mebibytes(spare));
  return {};
}

Backup::Step Backup::copy_files(const HeldLog::Source& source, HeldLog::End& end) {
  for (int nth = 1; nth <= most_of_a_name && partial_.empty(); ++nth) {
    const std::string name = options_.backup_directory + '/' + begun_ + numbered(nth) + ".partial";
    if (mkdir(name.c_str(), 0750) == 0)
      partial_ = name;
    else if (errno != EEXIST)
      return failed(name + " cannot be made: " + std::generic_category().message(errno));
  }
  if (partial_.empty()) return failed("there are too many folders " + begun_ + "*.partial");
  const std::string to = partial_ + '/' + first_database;  // whatever the state's own has become
  FileCopy copy{.vfs = options_.vfs, .from = source.database, .to = to, .goes_on = [this] { return goes_on(); }};
  if (auto copied = copy_file(copy); !copied) return copied;
  auto ends = log_.end();
  if (!ends) return std::unexpected(std::move(ends.error()));
  end = *ends;
  if (end.log_bytes == 0) return {};
  copy.from += "-wal";
  copy.to += "-wal";
  copy.is_log = true;
  copy.bytes = end.log_bytes;
  return copy_file(copy);
}

// Read through once, as a start would.
Backup::Step Backup::prove(const HeldLog::Source& source, const HeldLog::End& end, BackupMade& made) {
  const std::string path = partial_ + '/' + first_database;
  Options options;
  options.cache_bytes = cache_bytes;
  Store store(options, path);
  const auto going = [this] { return !given_up_.load(std::memory_order_relaxed); };
  auto sound = store.open();
  if (sound) sound = store.read_rows([&](ByteView, std::uint64_t, ByteView) { return going(); });
  if (sound) sound = store.read_records(store.first_lsn(), [&](Lsn, ByteView) { return going(); });
  if (!sound) return failed("the copy is not what was written: " + sound.error().message);
  if (store.state_id() != source.state_id || store.last_lsn() != end.last_lsn)
    return failed("the copy ends with record " + std::to_string(store.last_lsn()) + ", not " +
                  std::to_string(end.last_lsn));
  if (!going()) return goes_on();
  if (auto moved = store.begin_generation(store.generation(), store.state_id()); !moved)
    return failed(moved.error().message);
  made.state_id = store.state_id();
  made.lsn = store.last_lsn();
  auto file = open_anchor_file("", partial_ + '/' + anchor_name, true);
  if (!file) return failed(file.error().message);
  Anchor anchor(std::move(*file));
  const auto written = anchor.begin({.generation = store.generation(),
                                     .state_id = made.state_id,
                                     .last_lsn = made.lsn,
                                     .database = first_database,
                                     .copy = true});
  return written ? Step{} : failed(written.error().message);
}

Backup::Step Backup::complete(BackupMade& made) {
  std::error_code ignored;
  // It is empty: all of it was moved into the database.
  fs::remove(partial_ + '/' + first_database + "-wal", ignored);
  made.bytes = size_of(partial_ + '/' + first_database) + size_of(partial_ + '/' + anchor_name);
  if (auto synced = sync_directory(partial_); !synced) return failed(synced.error().message);
  for (int nth = 1; nth <= most_of_a_name && made.directory.empty(); ++nth) {
    const std::string name =
        options_.backup_directory + '/' + begun_ + "-lsn-" + std::to_string(made.lsn) + numbered(nth);
    if (std::rename(partial_.c_str(), name.c_str()) == 0)
      made.directory = name;
    else if (errno != ENOTEMPTY && errno != EEXIST)
      return failed(partial_ + " cannot be renamed: " + std::generic_category().message(errno));
  }
  if (made.directory.empty()) return failed("there are too many folders " + begun_ + "*");
  partial_.clear();
  if (auto synced = sync_directory(options_.backup_directory); !synced) return failed(synced.error().message);
  return {};
}

}  // namespace nissa::journal
