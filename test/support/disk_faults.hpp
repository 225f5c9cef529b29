// What goes wrong on a PowerCutDisk, by name and by count. Codes are SQLite's, 0: nothing.
#pragma once
#include <cstdint>
#include <string>

#include "support/power_cut_vfs.hpp"

namespace nissa::test {

// The nth of what it counts fails, and some more.
struct Fault {
  std::string tail;
  int code = 0;
  std::uint64_t countdown = 0;  // 0: not armed
  std::uint64_t times = 0;

  int check(const std::string& name) {
    if (countdown == 0 || !name.ends_with(tail)) return 0;
    if (countdown > 1) {
      --countdown;
      return 0;
    }
    if (--times == 0) countdown = 0;
    return code;
  }
};

// A sync that fails, and what follows from it.
struct SyncFault {
  Fault fault;
  PowerCutDisk::Aftermath aftermath;
  std::string failed;                // the first file that did
  std::uint64_t to_second_fail = 0;  // syncs; 0: none is to come

  int check(const std::string& name) {
    int code = fault.check(name);
    const bool is_second = to_second_fail > 0 && --to_second_fail == 0;
    if (is_second || (aftermath.of_that_file && name == failed)) code = fault.code;
    return code;
  }
  // Of the file that just failed. True: it was the first.
  bool note(const std::string& name) {
    if (!failed.empty()) return false;
    failed = name;
    to_second_fail = aftermath.again_at_sync;
    return true;
  }
};

}  // namespace nissa::test
