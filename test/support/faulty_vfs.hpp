// A SQLite VFS for tests: passes everything to the system's, and fails one sync or write of one's choice.
#pragma once
#include <string>

namespace nissa::test {

// Registered under name() while it lives; one at a time. Files opened through it must be closed before it ends.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;
  static const char* name() { return "nissa-faulty"; }

  // The `nth` (1 = the next) sync or write from now on, of a file whose name ends with `tail`, fails with this code
  // of SQLite's, once. Any thread, but not while the journal runs a commit.
  void fail_sync(const std::string& tail, int nth, int code);
  void fail_write(const std::string& tail, int nth, int code);
};

}  // namespace nissa::test
