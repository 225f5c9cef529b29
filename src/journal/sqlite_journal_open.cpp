// What is in the directory: nothing (begin a state), a sound state (continue it), or damage (say what and refuse).
#include <sqlite3.h>
#include <sys/random.h>

#include <filesystem>

#include "journal/sqlite_journal.hpp"

namespace nissa::journal {
namespace {

constexpr const char* anchor_name = "ANCHOR";
constexpr const char* first_database = "state-1.db";
constexpr const char* ways_on =
    ". Nothing was changed. Ways on: put the missing or damaged file back, restore a backup into this directory, or "
    "begin anew with an empty directory (all counts begin at zero)";

std::unexpected<JournalError> wrong(Damage damage, std::string message) {
  return std::unexpected(with_ways_on(JournalError{damage, std::move(message)}));
}

JournalResult<StateId> draw_state_id() {
  StateId id = 0;
  while (id == 0) {
    if (getrandom(&id, sizeof id, 0) != sizeof id) return wrong(Damage::none, "the system has no random numbers");
  }
  return id;
}

}  // namespace

JournalError with_ways_on(JournalError error) {
  if (error.damage != Damage::none) error.message += ways_on;
  return error;
}

bool SqliteJournal::file_exists(const std::string& name) const {
  sqlite3_vfs* vfs = sqlite3_vfs_find(options_.vfs.empty() ? nullptr : options_.vfs.c_str());
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

JournalResult<Opened> SqliteJournal::open() {
  sqlite3_initialize();
  if (auto locked = lock_.acquire(options_.directory); !locked) return std::unexpected(locked.error());
  if (!file_exists(anchor_name)) return begin_state();
  if (auto opened = open_anchor(false); !opened) return std::unexpected(opened.error());
  const auto state = anchor_->read();
  if (!state) return wrong(state.error().damage, in_directory(anchor_name) + ": " + state.error().message);
  return *state ? continue_state(**state) : begin_state();
}

JournalResult<Opened> SqliteJournal::continue_state(const AnchorState& anchor) {
  if (!file_exists(anchor.database)) {
    return wrong(Damage::database_missing, "ANCHOR names the database " + in_directory(anchor.database) +
                                               " with records up to " + std::to_string(anchor.last_lsn) +
                                               ", and it is not there");
  }
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

// ANCHOR is the last thing a birth writes. A database without it is either what a birth left that was cut short (no
// start noted in it: nothing was ever acknowledged) or a state whose ANCHOR was lost.
JournalStatus SqliteJournal::clear_stillbirth() {
  const std::string path = in_directory(first_database);
  if (!file_exists(first_database)) {
    // A birth makes the database first, and this deletes it last.
    if (!file_exists(first_database + std::string("-wal"))) return {};
    return wrong(Damage::database_missing,
                 path + "-wal is there, with what was acknowledged last; but neither the database nor ANCHOR is");
  }
  {
    Store found(options_, path);
    const auto opened = found.open();
    if (!opened && opened.error().damage != Damage::database_missing) {
      return wrong(Damage::anchor_missing, path + " is there, but ANCHOR is not; and the database cannot be read (" +
                                               opened.error().message + ")");
    }
    if (opened && (found.generation() != 0 || found.last_lsn() != 0)) {
      return wrong(Damage::anchor_missing, path + " holds a state with records up to " +
                                               std::to_string(found.last_lsn()) + ", but ANCHOR is not there");
    }
  }
  sqlite3_vfs* vfs = sqlite3_vfs_find(options_.vfs.empty() ? nullptr : options_.vfs.c_str());
  for (const char* tail : {"-wal", "-journal", ""}) {
    if (file_exists(first_database + std::string(tail)) && vfs->xDelete(vfs, (path + tail).c_str(), 1) != SQLITE_OK) {
      return wrong(Damage::none, path + tail + " cannot be deleted");
    }
  }
  return {};
}

JournalResult<Opened> SqliteJournal::begin_state() {
  if (auto cleared = clear_stillbirth(); !cleared) return std::unexpected(cleared.error());
  const auto id = draw_state_id();
  if (!id) return std::unexpected(id.error());
  store_ = std::make_unique<Store>(options_, in_directory(first_database));
  if (auto created = store_->create(*id); !created) return std::unexpected(created.error());
  if (auto synced = sync_directory(options_.directory); !synced) return std::unexpected(synced.error());
  starting_ = AnchorState{.generation = 0, .state_id = *id, .last_lsn = 0, .database = first_database};
  if (auto opened = anchor_ ? JournalStatus{} : open_anchor(true); !opened) return std::unexpected(opened.error());
  if (auto written = anchor_->begin(starting_); !written) return wrong(Damage::none, written.error().message);
  if (auto synced = sync_directory(options_.directory); !synced) return std::unexpected(synced.error());
  starting_.generation = 1;
  return Opened{.state_id = *id, .generation = 1, .last_lsn = 0, .new_state = true};
}

JournalResult<Opened> open_journal(const Options& options, const Clock& clock) {
  auto journal = std::make_unique<SqliteJournal>(options, clock);
  auto opened = journal->open();
  if (opened) opened->journal = std::move(journal);
  return opened;
}

}  // namespace nissa::journal
