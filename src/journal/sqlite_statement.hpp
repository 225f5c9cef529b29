// A prepared SQLite statement that gives itself back. Bound blobs are not copied: they live until the last step().
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace nissa::journal {

// Codes are SQLite's own, extended; 0 is SQLITE_OK.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept;

  int prepare(sqlite3* database, std::string_view sql);
  Statement& bind(int index, std::uint64_t value);
  Statement& bind(int index, ByteView blob);
  // SQLITE_ROW or SQLITE_DONE, else an error.
  int step();
  // One that yields no row: step and reset. SQLITE_OK or an error.
  int run();
  void reset();
  std::uint64_t number(int column);
  ByteView blob(int column);  // until the next step or reset
  std::string text(int column);

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// Resets at the end of a scope, so that no read transaction stays open.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

}  // namespace nissa::journal
