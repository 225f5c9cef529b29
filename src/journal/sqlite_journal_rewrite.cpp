// The whole state into a new file: when the one in use is not trusted any more, or has grown too big.
//
// Order, each step for one crash: all rows and the record that vouches for them, wholly in the database's file and
// synced; the folder synced; one slot of ANCHOR, synced; the other one, synced; only then a commit enters the new file,
// and the old one goes. Until then a start finds the old file, or the new one with the same state.
#include <sqlite3.h>

#include "base/log.hpp"
#include "base/violation.hpp"
#include "journal/sqlite_journal.hpp"
#include "journal/sqlite_vfs_file.hpp"
#include "journal/state_files.hpp"

namespace nissa::journal {

CommitResult SqliteJournal::execute(const Rewrite& piece) {
  std::string failed;
  const CommitResult result = write_piece(piece, failed);
  if (result == CommitResult::durable) return result;
  counters_.rewrites_failed.add();
  log_rarely(LogLevel::error, "journal", "the state could not be written into a new file: " + failed);
  if (attempt_) give_up_attempt();
  if (broken_) note_failure(broken_by_, failed);
  return broken_ ? CommitResult::unknown : CommitResult::full;
}

CommitResult SqliteJournal::write_piece(const Rewrite& piece, std::string& failed) {
  // Once it is mounted again a start would find the old state there, without a trace of what came since.
  if (lock_.is_elsewhere()) {
    failed =
        options_.directory + " is on another file system than at the start: is the right one not mounted any more?";
    return CommitResult::unknown;
  }
  if (piece.first) {
    if (attempt_) give_up_attempt();
    const CommitResult begun = begin_attempt(store_->last_lsn(), failed);
    if (begun != CommitResult::durable) return begun;
  }
  if (!attempt_) {
    violation("journal", "a state begins with its first piece");
    failed = "its first piece is missing";
    return CommitResult::unknown;
  }
  if (piece.last) return take_over(piece.commit, failed);
  Store& store = *attempt_->store;
  const CommitResult put = store.put_rows(piece.commit.put, failed);
  if (put != CommitResult::durable || store.wal_bytes() < options_.checkpoint_bytes) return put;
  return store.checkpoint(failed);
}

CommitResult SqliteJournal::begin_attempt(Lsn last_lsn, std::string& failed) {
  AnchorState anchor = starting_;
  do {
    anchor.generation = starting_.generation + ++attempts_;
    anchor.database = database_name(anchor.generation);
  } while (file_exists(anchor.database));
  delete_database(anchor.database, true);  // a log that was left alone would be taken for the new file's
  attempt_ = Attempt{anchor, std::make_unique<Store>(options_, in_directory(anchor.database))};
  if (const auto created = attempt_->store->create(anchor.state_id, last_lsn); !created) {
    failed = created.error().message;
    return CommitResult::unknown;
  }
  return CommitResult::durable;
}

CommitResult SqliteJournal::take_over(const Commit& last, std::string& failed) {
  Attempt& attempt = *attempt_;
  Store::Timing timing;
  const CommitResult put = attempt.store->commit(last, clock_, timing, failed);
  if (put != CommitResult::durable) return put;
  auto synced = attempt.store->begin_generation(attempt.anchor.generation, attempt.anchor.state_id);
  if (synced) synced = sync_directory(options_.directory);
  if (!synced) {
    failed = synced.error().message;
    return CommitResult::unknown;
  }
  attempt.anchor.last_lsn = last.lsn;
  if (was_taken_away(anchor_name)) {
    if (const auto opened = open_anchor(true); !opened) {
      failed = opened.error().message;
      return CommitResult::unknown;
    }
  }
  if (const auto written = anchor_->begin(attempt.anchor); !written) {
    // A start may find either file now, so no commit may enter the one before, and this one stays until a later ANCHOR
    // is sure.
    failed = "ANCHOR: " + written.error().message;
    if (!broken_) break_down(failed);
    obsolete_.push_back(attempt.anchor.database);
    attempt_.reset();
    return CommitResult::unknown;
  }
  obsolete_.push_back(starting_.database);
  starting_ = attempt.anchor;
  store_ = std::move(attempt.store);
  attempt_.reset();
  attempts_ = 0;
  files_.clear();
  broken_ = false;
  checkpoint_at_ = options_.checkpoint_bytes;
  counters_.broken.set(0);
  counters_.rewrites.add();
  note_failure("", "");
  note_full("");
  delete_obsolete();
  note_sizes();
  return CommitResult::durable;
}

// ANCHOR has never named it, so nobody misses it; and a full disk has it back.
void SqliteJournal::give_up_attempt() {
  const std::string name = attempt_->anchor.database;
  attempt_.reset();
  delete_database(name);
}

bool SqliteJournal::delete_database(const std::string& name, bool durably) {
  sqlite3_vfs* vfs = vfs_named(options_.vfs);
  for (const char* tail : database_tails) {
    // Not only if it exists: to SQLite an empty file does not, and a log that was cut may come back after a power cut.
    const std::string file = in_directory(name + tail);
    const int code = vfs->xDelete(vfs, file.c_str(), durably ? 1 : 0);
    if (code == SQLITE_OK || code == SQLITE_IOERR_DELETE_NOENT) continue;
    // A file that stays costs room and nothing else.
    log(LogLevel::warning, "journal", file + " is of no use any more, and cannot be deleted");
    return false;
  }
  return true;
}

// Of attempts that a crash ended, and of files that were replaced just before one.
void SqliteJournal::note_leftovers() {
  if (const auto found = databases()) obsolete_ = *found;
}

// ANCHOR is synced in both slots: until then it may be one of these that it names after a power cut.
void SqliteJournal::delete_obsolete() {
  for (const std::string& name : std::exchange(obsolete_, {}))
    if (name != starting_.database) delete_database(name);
}

}  // namespace nissa::journal
