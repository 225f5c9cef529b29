// What is in the directory: nothing (begin a state), a sound state (continue it), or damage (say what and refuse).
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "journal/sqlite_journal.hpp"
#include "journal/sqlite_vfs_file.hpp"
#include "journal/state_files.hpp"

namespace nissa::journal {
namespace {

constexpr std::string_view nothing_changed = ". Nothing was changed. Ways on: ";
constexpr std::string_view ways_on =
    "put the missing or damaged file back, or restore a backup into this directory; or start once with --accept-loss: "
    "it goes on from the last sound record, marks what is lost as not measured, and keeps the files as they are now";
constexpr std::string_view ways_back = "start the newer program, or restore a backup that was made before it";

std::unexpected<JournalError> wrong(Damage damage, std::string message) {
  return std::unexpected(with_ways_on(JournalError{damage, std::move(message)}));
}

// A birth leaves some 30 KB, finished or not.
constexpr std::uintmax_t most_bytes_at_birth = 128 * 1024;

// SQLite's own words for it are "disk I/O error" and "unable to open database file".
JournalStatus expect_permission(const std::string& path) {
  if (faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0 || errno != EACCES) return {};
  return wrong(Damage::none, path + " may not be read and written by the user that nissad runs as (" +
                                 std::to_string(geteuid()) + "): " + std::generic_category().message(EACCES));
}

}  // namespace

JournalError with_ways_on(JournalError error) {
  const bool is_newer = error.damage == Damage::newer_version;
  return with_ways_on(std::move(error), is_newer ? ways_back : ways_on);
}

JournalError with_ways_on(JournalError error, std::string_view ways) {
  if (error.damage == Damage::none || error.message.contains(nothing_changed)) return error;
  error.message.append(nothing_changed).append(ways);
  return error;
}

std::string what_is_wrong(const JournalError& error) {
  return error.message.substr(0, error.message.find(nothing_changed));
}

bool SqliteJournal::file_exists(const std::string& name) const {
  sqlite3_vfs* vfs = vfs_named(options_.vfs);
  int found = 0;
  return vfs != nullptr && vfs->xAccess(vfs, in_directory(name).c_str(), SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK &&
         found != 0;
}

JournalStatus SqliteJournal::open_anchor(bool create) {
  auto file = open_anchor_file(options_.vfs, in_directory(anchor_name), create);
  if (!file) return wrong(Damage::none, file.error().message);
  anchor_ = std::make_unique<Anchor>(std::move(*file));
  return {};
}

JournalResult<std::vector<std::string>> SqliteJournal::databases() const {
  std::set<std::string> found;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(options_.directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (const auto name = database_of(entry->path().filename().string())) found.insert(*name);
  }
  if (error) return wrong(Damage::none, options_.directory + " cannot be read: " + error.message());
  return std::vector(found.begin(), found.end());
}

JournalResult<Opened> SqliteJournal::open() {
  sqlite3_initialize();
  if (auto locked = lock_.acquire(options_.directory); !locked) return std::unexpected(locked.error());
  std::optional<AnchorState> anchor;
  if (file_exists(anchor_name)) {
    if (auto permitted = expect_permission(in_directory(anchor_name)); !permitted)
      return std::unexpected(permitted.error());
    if (auto opened = open_anchor(false); !opened) return std::unexpected(opened.error());
    const auto found = anchor_->read();
    if (!found) return wrong(found.error().damage, in_directory(anchor_name) + ": " + found.error().message);
    anchor = *found;
  }
  if (anchor && anchor->generation > 0) return continue_state(*anchor);
  auto nothing = anchor ? expect_stillbirth() : expect_no_database();
  if (!nothing) return std::unexpected(nothing.error());
  const auto id = anchor ? JournalResult<StateId>(anchor->state_id) : draw_state_id();
  return id ? begin_state(*id) : std::unexpected(id.error());
}

JournalResult<Opened> SqliteJournal::continue_state(const AnchorState& anchor) {
  if (!file_exists(anchor.database)) {
    return wrong(Damage::database_missing, "ANCHOR names the database " + in_directory(anchor.database) +
                                               " with records up to " + std::to_string(anchor.last_lsn) +
                                               ", and it is not there");
  }
  for (const char* tail : {"", "-wal"})
    if (auto permitted = expect_permission(in_directory(anchor.database + tail)); !permitted)
      return std::unexpected(permitted.error());
  store_ = std::make_unique<Store>(options_, in_directory(anchor.database));
  if (auto opened = store_->open(); !opened) return wrong(opened.error().damage, opened.error().message);
  // Of a copy too: a start that ended between the database, with the id it had drawn, and ANCHOR.
  const bool half_restored = anchor.copy && store_->generation() == anchor.generation + 1;
  if (store_->state_id() != anchor.state_id && !half_restored) {
    return wrong(Damage::wrong_database, in_directory(anchor.database) + " belongs to another state than ANCHOR");
  }
  // One more is a start that ended between the database and ANCHOR.
  if (store_->generation() > anchor.generation + 1) {
    return wrong(Damage::anchor_damaged, "ANCHOR is an old copy: it knows of start " +
                                             std::to_string(anchor.generation) + ", the database of start " +
                                             std::to_string(store_->generation()));
  }
  if (store_->last_lsn() < anchor.last_lsn) {
    return wrong(Damage::tail_missing,
                 in_directory(anchor.database) + " ends with record " + std::to_string(store_->last_lsn()) +
                     ", ANCHOR knows that record " + std::to_string(anchor.last_lsn) +
                     " was on disk: " + std::to_string(anchor.last_lsn - store_->last_lsn()) +
                     " acknowledged records are missing (is " + anchor.database + "-wal lost or cut off?)");
  }
  starting_ = anchor;
  starting_.generation = anchor.generation + 1;
  starting_.last_lsn = store_->last_lsn();
  Opened opened{.state_id = anchor.state_id, .generation = starting_.generation, .last_lsn = starting_.last_lsn};
  if (!anchor.copy) return opened;
  const auto id = draw_state_id();
  if (!id) return std::unexpected(id.error());
  starting_.copy = false;
  opened.copy_of = anchor.state_id;
  opened.state_id = starting_.state_id = *id;
  return opened;
}

// A birth writes ANCHOR first: a database without it is a state whose ANCHOR was lost.
JournalStatus SqliteJournal::expect_no_database() const {
  const auto found = databases();
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return {};
  return wrong(Damage::anchor_missing, options_.directory + " holds files of the database " + found->front() +
                                           ", but ANCHOR is not there or blank");
}

// ANCHOR knows of no start: nothing was ever acknowledged, and a database that is unsound is one that was not finished.
// Unless somebody has put back a copy of ANCHOR from that moment.
JournalStatus SqliteJournal::expect_stillbirth() const {
  const auto old_copy = [this](const std::string& but) {
    return wrong(Damage::anchor_damaged,
                 in_directory(anchor_name) + " is an old copy: it knows of no start, but " + but);
  };
  const auto names = databases();
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names)
    if (name != first_database) return old_copy(in_directory(name) + " is there");
  if (!file_exists(first_database)) return {};
  const std::string path = in_directory(first_database);
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) > most_bytes_at_birth) return old_copy(path + " is a grown one");
  Store found(options_, path);
  if (const auto opened = found.open(); !opened) {
    const Damage damage = opened.error().damage;
    if (damage == Damage::none) return opened;
    const bool is_torn = damage == Damage::database_missing || damage == Damage::database_damaged;
    return is_torn ? JournalStatus{} : old_copy(opened.error().message);
  }
  // One start is one that ended between the database and ANCHOR.
  if (found.last_lsn() == 0 && found.generation() <= 1) return {};
  return old_copy(path + " of start " + std::to_string(found.generation()) + " and record " +
                  std::to_string(found.last_lsn()));
}

// From ANCHOR on, until start() has noted itself in it, a birth that is cut short is seen for what it is.
JournalResult<Opened> SqliteJournal::begin_state(StateId id) {
  starting_ = AnchorState{.generation = 0, .state_id = id, .last_lsn = 0, .database = first_database};
  if (auto opened = anchor_ ? JournalStatus{} : open_anchor(true); !opened) return std::unexpected(opened.error());
  if (auto written = anchor_->begin(starting_); !written) return wrong(Damage::none, written.error().message);
  if (auto synced = sync_directory(options_.directory); !synced) return std::unexpected(synced.error());
  if (!delete_database(first_database, true))
    return wrong(Damage::none, first_database + std::string(" cannot be deleted"));
  store_ = std::make_unique<Store>(options_, in_directory(first_database));
  if (auto created = store_->create(id); !created) return std::unexpected(created.error());
  if (auto synced = sync_directory(options_.directory); !synced) return std::unexpected(synced.error());
  starting_.generation = 1;
  return Opened{.state_id = id, .generation = 1, .last_lsn = 0, .new_state = true};
}

JournalResult<Opened> open_journal(const Options& options, const Clock& clock) {
  auto journal = std::make_unique<SqliteJournal>(options, clock);
  auto opened = journal->open();
  if (opened) opened->journal = std::move(journal);
  return opened;
}

}  // namespace nissa::journal
