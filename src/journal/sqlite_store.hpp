// The database: one SQLite connection, ever (two that write or checkpoint one WAL can corrupt it before 3.51.3).
// Thread: one at a time (the opening one, then the journal's). docs/journal-format.md has the tables.
#pragma once
#include <cstdint>
#include <string>

#include "journal/journal.hpp"
#include "journal/row_digest.hpp"
#include "journal/sqlite_statement.hpp"

namespace nissa::journal {

class Store {
 public:
  Store(const Options& options, std::string path) : options_(options), path_(std::move(path)) {}
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A new database file with its tables, in the log's mode and wholly on disk; `path` is not there yet. `last_lsn`: the
  // first record to come is the one after it.
  JournalStatus create(StateId state_id, Lsn last_lsn = 0);
  // An existing one, proven sound by SQLite's quick_check (about 0.5 ms a MB) and by its last record's CRC. Its log is
  // written anew first, and synced.
  JournalStatus open();
  // One that may be damaged, for SoundPart: as far as SQLite can read it at all, and nothing is written.
  JournalStatus open_damaged();
  sqlite3* connection() const { return database_; }

  // After open() or create().
  StateId state_id() const { return state_id_; }
  std::uint64_t generation() const { return generation_; }  // of the last start; 0: none yet
  Lsn first_lsn() const { return first_lsn_; }
  Lsn last_lsn() const { return last_lsn_; }  // 0: no record

  JournalStatus read_rows(const RowVisitor& visit);
  JournalStatus read_records(Lsn from, const RecordVisitor& visit);

  // Notes the start and the id in one; then moves the whole log into the database and cuts it: what was read from the
  // page cache is written and synced anew (after a failed fsync and a kill, it may show a group that the disk never
  // got).
  JournalStatus begin_generation(std::uint64_t generation, StateId state_id);

  struct Timing {
    BootNs commit_ns = 0;  // of the COMMIT statement alone: the log's pages and their fsync
  };
  // `failed` says why, when the result is not durable.
  CommitResult commit(const Commit& commit, const Clock& clock, Timing& timing, std::string& failed);
  // Rows alone, for a file that nobody counts on yet.
  CommitResult put_rows(const std::vector<RowPut>& rows, std::string& failed);
  std::uint64_t wal_bytes() const { return wal_bytes_; }
  // Between two commits. SQLITE_FULL is no harm (the log still holds everything): `full`. Any other failure: `unknown`.
  CommitResult checkpoint(std::string& failed);

  std::uint64_t trimmed() const { return trimmed_; }  // records, since open()

 private:
  int connect(bool create);
  int prepare();
  int set_up_log();
  int execute(const char* sql);
  JournalStatus write_log_anew();
  JournalStatus check_size() const;
  JournalStatus check_format();
  JournalStatus check_pages();
  JournalStatus read_facts();
  CommitResult failure_of(const std::string& doing, int code, std::string& failed);
  int write(const Commit& commit, RowDigest& rows, Lsn& first, std::uint64_t& trimmed);
  int put_row(const RowPut& row, RowDigest& rows);
  int erase_row(ByteView key, std::uint64_t generation, RowDigest& rows);
  int trim(Lsn below, std::size_t record_bytes, Lsn& first, std::uint64_t& trimmed);
  std::unexpected<JournalError> wrong(Damage damage, const std::string& what) const;
  std::unexpected<JournalError> said(const std::string& doing, int code) const;
  std::string words_of(int code) const;

  const Options& options_;
  std::string path_;
  sqlite3* database_ = nullptr;
  StateId state_id_ = 0;
  std::uint64_t generation_ = 0;
  Lsn first_lsn_ = 1;  // oldest record kept; last + 1 if none
  Lsn last_lsn_ = 0;
  RowDigest rows_;
  std::uint64_t wal_bytes_ = 0;
  std::uint64_t trimmed_ = 0;
  Statement begin_, commit_, rollback_, insert_record_, length_of_record_, delete_record_, insert_row_, find_row_,
      delete_row_;
};

}  // namespace nissa::journal
