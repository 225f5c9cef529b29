// Opening, proving and reading the database. Writing: sqlite_store_write.cpp.
#include "journal/sqlite_store.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "journal/anchor.hpp"

namespace nissa::journal {
namespace {

constexpr std::uint64_t application_id = 0x4E495353;  // "NISS": what `file` and a stranger see

// 4 KiB: measured beside 8 – 64 KiB. Bigger pages halve the cost of records beyond 400 KiB and make small ones dearer.
constexpr const char* page_size = "PRAGMA page_size=4096";

// `rows` has a rowid: half the cost a row of WITHOUT ROWID, whose values of 2 KiB spill into pages of their own.
constexpr const char* tables =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE records(lsn INTEGER PRIMARY KEY, crc INTEGER NOT NULL, row_count INTEGER NOT NULL,"
    " row_sum INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE rows(key BLOB NOT NULL, generation INTEGER NOT NULL, crc INTEGER NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(key, generation))";

Damage damage_of(int code, const std::string& path) {
  const int kind = code & 0xff;
  // SQLITE_ERROR: our statements are sound, so what the file says of itself is not (an unknown schema format).
  bool damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR;
  // A header that forbids writing, in a file that the system lets us write.
  damaged = damaged || (kind == SQLITE_READONLY && access(path.c_str(), W_OK) == 0);
  return damaged ? Damage::database_damaged : Damage::none;
}

}  // namespace

Store::~Store() {
  // Statements first: a connection with live ones does not close.
  for (Statement* one : {&begin_, &commit_, &rollback_, &insert_record_, &length_of_record_, &delete_record_,
                         &insert_row_, &find_row_, &delete_row_}) {
    *one = Statement();
  }
  sqlite3_close(database_);
}

int Store::execute(const char* sql) { return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }

std::unexpected<JournalError> Store::wrong(Damage damage, const std::string& what) const {
  return std::unexpected(JournalError{damage, path_ + ": " + what});
}

std::unexpected<JournalError> Store::said(const std::string& doing, int code) const {
  auto error = wrong(damage_of(code, path_), doing + ": " + words_of(code));
  error.error().no_room = (code & 0xff) == SQLITE_FULL;
  return error;
}

std::string Store::words_of(int code) const {
  std::string words = sqlite3_errstr(code);
  if (database_ == nullptr) return words;
  words += std::string(" (") + sqlite3_errmsg(database_) + ", code " + std::to_string(code) + ")";
  // SQLite's own words for a file system that became read-only are "unable to open" or "I/O error".
  const int kind = code & 0xff;
  const bool is_systems =
      kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL || kind == SQLITE_READONLY;
  const int error = is_systems ? sqlite3_system_errno(database_) : 0;
  return error == 0 ? words : words + ": " + std::generic_category().message(error);
}

int Store::connect(bool create) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
                    (create ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(path_.c_str(), &database_, flags, options_.vfs.empty() ? nullptr : options_.vfs.c_str());
  if (code != SQLITE_OK) return code;
  // A failed fsync of a checkpoint at closing or after a commit would be swallowed: we alone say when.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // Exclusive before the first access: the log's index is then in memory, without a shared-memory file.
  code = execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
  const std::string cache = "PRAGMA cache_size=-" + std::to_string(options_.cache_bytes / 1024);
  return code != SQLITE_OK ? code : execute(cache.c_str());
}

int Store::set_up_log() {
  Statement mode;
  int code = mode.prepare(database_, "PRAGMA journal_mode=WAL");
  if (code != SQLITE_OK) return code;
  code = mode.step();
  if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_ERROR : code;
  const bool is_log = mode.text(0) == "wal";
  // The file's header is written behind this row: if that fails, the file goes on without a log, and its commits would
  // not outlive a power cut.
  if (code = mode.step(); code != SQLITE_DONE) return code == SQLITE_ROW ? SQLITE_ERROR : code;
  if (!is_log) return SQLITE_CANTOPEN;
  code = execute("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0");
  if (code == SQLITE_OK && options_.max_database_bytes != 0) {
    code = execute(("PRAGMA max_page_count=" + std::to_string(options_.max_database_bytes / 4096)).c_str());
  }
  // The hook only measures the log; it takes the place of the automatic checkpoint.
  sqlite3_wal_hook(
      database_,
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Store*>(self)->wal_bytes_ = 32 + static_cast<std::uint64_t>(frames) * (4096 + 24);
        return SQLITE_OK;
      },
      this);
  return code;
}

int Store::prepare() {
  const std::pair<Statement*, std::string_view> all[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&insert_record_, "INSERT INTO records(lsn, crc, row_count, row_sum, bytes) VALUES(?1, ?2, ?3, ?4, ?5)"},
      {&length_of_record_, "SELECT length(bytes) FROM records WHERE lsn = ?1"},
      {&delete_record_, "DELETE FROM records WHERE lsn = ?1"},
      {&insert_row_, "INSERT INTO rows(key, generation, crc, value) VALUES(?1, ?2, ?3, ?4)"},
      {&find_row_, "SELECT rowid, crc FROM rows WHERE key = ?1 AND generation = ?2"},
      {&delete_row_, "DELETE FROM rows WHERE rowid = ?1"}};
  for (const auto& [statement, sql] : all) {
    if (const int code = statement->prepare(database_, sql); code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

JournalStatus Store::create(StateId state_id, Lsn last_lsn) {
  const std::string begin_state =
      "BEGIN; " + std::string(tables) + "; PRAGMA application_id=" + std::to_string(application_id) +
      "; PRAGMA user_version=" + std::to_string(format_version) + "; INSERT INTO meta VALUES('state_id', " +
      std::to_string(static_cast<std::int64_t>(state_id)) + "), ('generation', 0); COMMIT";
  int code = connect(true);
  if (code == SQLITE_OK) code = execute(page_size);
  if (code == SQLITE_OK) code = set_up_log();
  if (code == SQLITE_OK) code = execute(begin_state.c_str());
  if (code == SQLITE_OK) code = prepare();
  if (code == SQLITE_OK) {
    code = sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  }
  if (code != SQLITE_OK) return said("cannot be made", code);
  state_id_ = state_id;
  last_lsn_ = last_lsn;
  first_lsn_ = last_lsn + 1;
  return {};
}

JournalStatus Store::open() {
  if (auto checked = check_size(); !checked) return checked;
  if (auto written = write_log_anew(); !written) return written;
  int code = connect(false);
  if (code != SQLITE_OK) return said("cannot be opened", code);
  if (auto checked = check_format(); !checked) return checked;
  if (code = set_up_log(); code != SQLITE_OK) return said("cannot be opened in WAL mode", code);
  if (auto checked = check_pages(); !checked) return checked;
  // By its header, for the file itself may be written to.
  if (sqlite3_db_readonly(database_, "main") != 0)
    return wrong(Damage::database_damaged, "its header says that only a newer SQLite may write to it");
  if (code = prepare(); code != SQLITE_OK) return wrong(Damage::database_damaged, sqlite3_errmsg(database_));
  return read_facts();
}

JournalStatus Store::open_damaged() {
  if (auto checked = check_size(); !checked) return checked;
  int code = connect(false);
  if (code == SQLITE_OK) code = execute("PRAGMA query_only=1");
  if (code != SQLITE_OK) return said("cannot be opened", code);
  if (auto checked = check_format(); !checked) return checked;
  Statement meta;
  code = meta.prepare(database_, "SELECT value FROM meta WHERE name = 'generation'");
  if (code == SQLITE_OK && meta.step() == SQLITE_ROW) generation_ = meta.number(0);
  return {};
}

// SQLite deletes the log of an empty database: what is left must stay as it is for whoever looks into the damage.
JournalStatus Store::check_size() const {
  std::error_code unreadable;
  const auto size = std::filesystem::file_size(path_, unreadable);
  if (!unreadable && size < 512) return wrong(Damage::database_missing, "is empty");
  return {};
}

JournalStatus Store::check_format() {
  Statement application, version, anything;
  int code = application.prepare(database_, "PRAGMA application_id");
  if (code == SQLITE_OK) code = version.prepare(database_, "PRAGMA user_version");
  if (code == SQLITE_OK) code = anything.prepare(database_, "SELECT count(*) FROM sqlite_master");
  for (Statement* one : {&application, &version, &anything}) {
    if (code == SQLITE_OK || code == SQLITE_ROW) code = one->step();
  }
  if (code != SQLITE_ROW) return said("cannot be read", code);
  if (application.number(0) == 0 && version.number(0) == 0 && anything.number(0) == 0) {
    return wrong(Damage::database_missing, "holds no tables");
  }
  if (application.number(0) != application_id || version.number(0) == 0) {
    return wrong(Damage::database_damaged,
                 "is not a journal of Nissa's (application_id " + std::to_string(application.number(0)) + ")");
  }
  if (version.number(0) > format_version) {
    return wrong(Damage::newer_version, "was written by a newer Nissa: its format version is " +
                                            std::to_string(version.number(0)) + ", and this one knows up to " +
                                            std::to_string(format_version));
  }
  return {};
}

// What our own CRCs cannot see: a damaged list of free pages, which would let a later commit write over live ones.
JournalStatus Store::check_pages() {
  Statement check;
  int code = check.prepare(database_, "PRAGMA quick_check(1)");
  if (code == SQLITE_OK) code = check.step();
  if (code != SQLITE_ROW) return said("quick_check", code == SQLITE_DONE ? SQLITE_CORRUPT : code);
  const std::string answer = check.text(0);
  if (answer != "ok") return wrong(Damage::database_damaged, "quick_check: " + answer);
  return {};
}

JournalStatus Store::read_facts() {
  Statement meta, first, last;
  int code = meta.prepare(database_,
                          "SELECT (SELECT value FROM meta WHERE name = 'state_id'),"
                          " (SELECT value FROM meta WHERE name = 'generation')");
  if (code == SQLITE_OK) code = first.prepare(database_, "SELECT min(lsn) FROM records");
  if (code == SQLITE_OK) {
    code = last.prepare(database_, "SELECT lsn, crc, row_count, row_sum, bytes FROM records ORDER BY lsn DESC LIMIT 1");
  }
  if (code == SQLITE_OK) code = meta.step();
  if (code == SQLITE_ROW) code = first.step();
  if (code != SQLITE_ROW) return said("cannot be read", code);
  state_id_ = meta.number(0);
  generation_ = meta.number(1);
  code = last.step();
  if (code == SQLITE_DONE) return {};  // no record yet
  if (code != SQLITE_ROW) return said("the last record cannot be read", code);
  first_lsn_ = first.number(0);
  last_lsn_ = last.number(0);
  rows_ = RowDigest{.count = last.number(2), .sum = last.number(3)};
  if (record_crc(last_lsn_, rows_, last.blob(4)) != last.number(1)) {
    return wrong(Damage::bad_crc, "record " + std::to_string(last_lsn_) + " (the last) has a wrong CRC");
  }
  return {};
}

JournalStatus Store::read_rows(const RowVisitor& visit) {
  Statement all;
  int code = all.prepare(database_, "SELECT key, generation, crc, value FROM rows ORDER BY key, generation");
  RowDigest seen;
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = all.step();
    if (code != SQLITE_ROW) break;
    const ByteView key = all.blob(0);
    const std::uint64_t generation = all.number(1);
    const std::uint64_t crc = all.number(2);
    const ByteView value = all.blob(3);
    if (row_crc(key, generation, value) != crc) {
      return wrong(Damage::bad_crc, "a row of generation " + std::to_string(generation) + " has a wrong CRC");
    }
    seen.add(static_cast<std::uint32_t>(crc));
    if (!visit(key, generation, value)) return {};
  }
  if (code != SQLITE_DONE) return said("the rows cannot be read", code);
  if (seen != rows_) {
    return wrong(Damage::rows_missing, "has " + std::to_string(seen.count) + " rows; record " +
                                           std::to_string(last_lsn_) + " vouches for " + std::to_string(rows_.count) +
                                           (seen.count == rows_.count ? " others" : ""));
  }
  return {};
}

JournalStatus Store::read_records(Lsn from, const RecordVisitor& visit) {
  Statement some;
  int code =
      some.prepare(database_, "SELECT lsn, crc, row_count, row_sum, bytes FROM records WHERE lsn >= ?1 ORDER BY lsn");
  if (code != SQLITE_OK) return said("the records cannot be read", code);
  some.bind(1, from);
  Lsn next = from;
  while ((code = some.step()) == SQLITE_ROW) {
    const Lsn lsn = some.number(0);
    if (lsn != next) break;
    const ByteView bytes = some.blob(4);
    if (record_crc(lsn, {some.number(2), some.number(3)}, bytes) != some.number(1)) {
      return wrong(Damage::bad_crc, "record " + std::to_string(lsn) + " has a wrong CRC");
    }
    if (!visit(lsn, bytes)) return {};
    ++next;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) return said("the records cannot be read", code);
  if (next != last_lsn_ + 1) {
    return wrong(Damage::gap,
                 "record " + std::to_string(next) + " is missing, the last is " + std::to_string(last_lsn_));
  }
  return {};
}

}  // namespace nissa::journal
