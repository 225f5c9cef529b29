#include "tools/process_stat.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace nissa::tools {
namespace {

std::string read_proc(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "VmRSS:     1234 kB"
double megabytes(const std::string& status, const char* key) {
  const auto at = status.find(key);
  if (at == std::string::npos) return 0;
  return std::strtod(status.c_str() + at + std::char_traits<char>::length(key), nullptr) * 1024 / 1e6;
}

}  // namespace

Result<ProcessCost> cost_of_process(pid_t pid) {
  const std::string stat = read_proc(pid, "stat");
  // The second field is the program's name in parentheses, which may hold anything; utime is the 14th, stime the 15th.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return failure("process " + std::to_string(pid) + " cannot be looked at");
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0, system = 0;
  if (!(fields >> user >> system)) return failure("/proc/" + std::to_string(pid) + "/stat is not understood");
  const std::string status = read_proc(pid, "status");
  return ProcessCost{(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)), megabytes(status, "VmRSS:"),
                     megabytes(status, "VmHWM:")};
}

}  // namespace nissa::tools
