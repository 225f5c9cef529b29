// Writing into the database: commits, trimming, checkpoints.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "journal/anchor.hpp"
#include "journal/sqlite_store.hpp"

namespace nissa::journal {
namespace {

// A piece of trimming: as much as keeps ahead of what is written, and no more, so that no commit becomes a long one.
// Worth the pages it touches only when several go together.
constexpr Lsn trim_at_least = 16;
constexpr Lsn trim_at_most = 64;
constexpr std::size_t trim_bytes = 256 * 1024;

constexpr std::uintmax_t piece_bytes = 64 * 1024;  // of a log that is written anew; a VFS takes no more at once

}  // namespace

int Store::erase_row(ByteView key, std::uint64_t generation, RowDigest& rows) {
  const ResetAtEnd reset(find_row_);
  const int code = find_row_.bind(1, key).bind(2, generation).step();
  if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_OK : code;
  rows.remove(static_cast<std::uint32_t>(find_row_.number(1)));
  const std::uint64_t rowid = find_row_.number(0);
  find_row_.reset();
  return delete_row_.bind(1, rowid).run();
}

int Store::put_row(const RowPut& row, RowDigest& rows) {
  const std::uint32_t crc = row_crc(row.key, row.generation, row.value);
  insert_row_.bind(1, ByteView(row.key)).bind(2, row.generation).bind(3, std::uint64_t{crc});
  int code = insert_row_.bind(4, ByteView(row.value)).run();
  if (code == SQLITE_CONSTRAINT_PRIMARYKEY) {  // there is one: replaced
    code = erase_row(row.key, row.generation, rows);
    if (code == SQLITE_OK) code = insert_row_.run();
  }
  if (code == SQLITE_OK) rows.add(crc);
  return code;
}

int Store::trim(Lsn below, std::size_t record_bytes, Lsn& first, std::uint64_t& trimmed) {
  if (below < first + trim_at_least) return SQLITE_OK;
  std::size_t left = std::max(trim_bytes, 2 * record_bytes);
  for (Lsn count = 0; count < trim_at_most && first < below && left > 0; ++count, ++first) {
    int code = length_of_record_.bind(1, first).step();
    const std::size_t size = code == SQLITE_ROW ? static_cast<std::size_t>(length_of_record_.number(0)) : 0;
    length_of_record_.reset();
    if (code == SQLITE_ROW) code = delete_record_.bind(1, first).run();
    if (code != SQLITE_OK) return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    left -= std::min(left, size + 64);
    ++trimmed;
  }
  return SQLITE_OK;
}

int Store::write(const Commit& commit, RowDigest& rows, Lsn& first, std::uint64_t& trimmed) {
  int code = begin_.run();
  for (const RowErase& row : commit.erase) {
    if (code != SQLITE_OK) return code;
    code = erase_row(row.key, row.generation, rows);
  }
  for (const RowPut& row : commit.put) {
    if (code != SQLITE_OK) return code;
    code = put_row(row, rows);
  }
  // The last record stays: it vouches for the rows.
  if (code == SQLITE_OK) code = trim(std::min(commit.trim_below, commit.lsn), commit.record.size(), first, trimmed);
  if (code != SQLITE_OK) return code;
  insert_record_.bind(1, commit.lsn).bind(2, std::uint64_t{record_crc(commit.lsn, rows, commit.record)});
  insert_record_.bind(3, rows.count).bind(4, rows.sum).bind(5, ByteView(commit.record));
  return insert_record_.run();
}

CommitResult Store::commit(const Commit& commit, const Clock& clock, Timing& timing, std::string& failed) {
  RowDigest rows = rows_;
  Lsn first = first_lsn_;
  std::uint64_t trimmed = trimmed_;
  int code = write(commit, rows, first, trimmed);
  if (code == SQLITE_OK) {
    const BootNs before = clock.boot_ns();
    code = commit_.run();
    timing.commit_ns = clock.boot_ns() - before;
  }
  if (code == SQLITE_OK) {
    rows_ = rows;
    first_lsn_ = first;
    trimmed_ = trimmed;
    last_lsn_ = commit.lsn;
    return CommitResult::durable;
  }
  return failure_of("commit of record " + std::to_string(commit.lsn), code, failed);
}

CommitResult Store::failure_of(const std::string& doing, int code, std::string& failed) {
  failed = doing + ": " + words_of(code);
  // SQLite has rolled back by itself after some errors.
  const bool open = sqlite3_get_autocommit(database_) == 0;
  const bool rolled_back = !open || rollback_.run() == SQLITE_OK;
  return (code & 0xff) == SQLITE_FULL && rolled_back ? CommitResult::full : CommitResult::unknown;
}

CommitResult Store::put_rows(const std::vector<RowPut>& put, std::string& failed) {
  RowDigest rows = rows_;
  int code = begin_.run();
  for (const RowPut& row : put) {
    if (code != SQLITE_OK) break;
    code = put_row(row, rows);
  }
  if (code == SQLITE_OK) code = commit_.run();
  if (code != SQLITE_OK) return failure_of("rows of the state", code, failed);
  rows_ = rows;
  return CommitResult::durable;
}

CommitResult Store::checkpoint(std::string& failed) {
  const int code = sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK) {
    wal_bytes_ = 0;  // the next commit begins at the log's start again
    return CommitResult::durable;
  }
  failed = "checkpoint: " + words_of(code);
  return (code & 0xff) == SQLITE_FULL ? CommitResult::full : CommitResult::unknown;
}

// After a failed fsync and a kill the page cache may show a log that the disk has only the older part of, and syncing
// it does nothing: its pages count as clean. Before SQLite reads it, for otherwise it would be moved into the database,
// and after a power cut that older part would be laid over newer pages.
JournalStatus Store::write_log_anew() {
  const std::string path = path_ + "-wal";
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(path, missing);
  if (missing || size == 0) return {};
  const auto log = open_anchor_file(options_.vfs, path, true);
  auto done = log ? Status{} : Status(std::unexpected(log.error()));
  for (std::uintmax_t at = 0; done && at < size; at += piece_bytes) {
    const auto piece = (*log)->read(at, static_cast<std::size_t>(std::min<std::uintmax_t>(piece_bytes, size - at)));
    done = piece ? (*log)->write(at, *piece) : Status(std::unexpected(piece.error()));
  }
  if (done) done = (*log)->sync();
  if (!done) return wrong(Damage::none, "its log cannot be written anew: " + done.error().message);
  return {};
}

JournalStatus Store::begin_generation(std::uint64_t generation, StateId state_id) {
  Statement note;
  int code = note.prepare(database_,
                          "UPDATE meta SET value = CASE name WHEN 'generation' THEN ?1 ELSE ?2 END"
                          " WHERE name IN ('generation', 'state_id')");
  if (code == SQLITE_OK) code = note.bind(1, generation).bind(2, state_id).run();
  if (code == SQLITE_OK) {
    code = sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  }
  if (code != SQLITE_OK) return said("the log cannot be moved into the database", code);
  generation_ = generation;
  state_id_ = state_id;
  wal_bytes_ = 0;
  return {};
}

}  // namespace nissa::journal
