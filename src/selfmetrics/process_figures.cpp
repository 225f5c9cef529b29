#include "selfmetrics/process_figures.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace nissa::selfmetrics {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Field 22 of /proc/self/stat, in clock ticks since boot (proc(5)); the second field may hold spaces.
double start_ticks() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  std::istringstream rest(line.substr(line.rfind(')') == line.npos ? 0 : line.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return rest ? std::stod(field) : 0;
}

double boot_time() {
  std::ifstream in("/proc/stat");
  std::string key;
  double value = 0;
  while (in >> key)
    if (key == "btime" && in >> value) break;
  return value;
}

// Since Linux 6.2 the size of the directory is the number of its entries; before, each has to be read, some 0.3 µs.
std::uint64_t open_descriptors() {
  struct stat fd_directory{};
  if (stat("/proc/self/fd", &fd_directory) == 0 && fd_directory.st_size > 0)
    return static_cast<std::uint64_t>(fd_directory.st_size);
  std::error_code error;
  std::uint64_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) ++count;
  return count > 0 ? count - 1 : 0;  // the reader's own
}

}  // namespace

ProcessFigures read_process_figures() {
  ProcessFigures figures;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  figures.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  figures.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  figures.open_fds = open_descriptors();
  static const double started = boot_time() + start_ticks() / static_cast<double>(sysconf(_SC_CLK_TCK));
  figures.start_time_seconds = started;
  return figures;
}

}  // namespace nissa::selfmetrics
