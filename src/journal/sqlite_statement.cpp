#include "journal/sqlite_statement.hpp"

#include <sqlite3.h>

namespace nissa::journal {

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

int Statement::prepare(sqlite3* database, std::string_view sql) {
  return sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_,
                            nullptr);
}

Statement& Statement::bind(int index, std::uint64_t value) {
  sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(value));
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  // An empty view may bear a null pointer, which would bind NULL.
  if (blob.empty()) {
    sqlite3_bind_zeroblob(statement_, index, 0);
  } else {
    sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), SQLITE_STATIC);
  }
  return *this;
}

int Statement::step() { return sqlite3_step(statement_); }

int Statement::run() {
  const int code = sqlite3_step(statement_);
  sqlite3_reset(statement_);
  return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

void Statement::reset() { sqlite3_reset(statement_); }

std::uint64_t Statement::number(int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

ByteView Statement::blob(int column) {
  const void* data = sqlite3_column_blob(statement_, column);
  return {static_cast<const Byte*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string Statement::text(int column) { return std::string(as_text(blob(column))); }

}  // namespace nissa::journal
