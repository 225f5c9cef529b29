// What the system says about this process, as Prometheus' clients name it. Reads /proc; about 50 µs.
#pragma once
#include <cstdint>

namespace nissa::selfmetrics {

struct ProcessFigures {
  double cpu_seconds = 0;  // user + system, all threads
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  double start_time_seconds = 0;  // since 1970
};

ProcessFigures read_process_figures();

}  // namespace nissa::selfmetrics
