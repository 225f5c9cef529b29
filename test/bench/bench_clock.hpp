// What a benchmark may ask for and src/ may not: the time.
#pragma once
#include <ctime>

namespace nissa::bench {

inline double read_seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
// Of this process, all threads: the neighbours on a shared machine take time, but not this time.
inline double cpu_s() { return read_seconds(CLOCK_PROCESS_CPUTIME_ID); }
inline double wall_s() { return read_seconds(CLOCK_MONOTONIC); }

}  // namespace nissa::bench
