// What a process has cost so far, from /proc (proc(5)).
#pragma once
#include <sys/types.h>

#include "base/result.hpp"

namespace nissa::tools {

struct ProcessCost {
  double cpu_s = 0;   // user and system, all threads, the ended ones too; 10 ms steps
  double rss_mb = 0;  // resident now, in 10⁶ bytes
  double peak_rss_mb = 0;
};

// Fails if there is no such process, or if its files cannot be read.
Result<ProcessCost> cost_of_process(pid_t pid);

}  // namespace nissa::tools
