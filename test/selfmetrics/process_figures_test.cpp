#include "selfmetrics/process_figures.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

using namespace nissa::selfmetrics;

TEST_CASE("the figures of this process are those of a process that runs") {
  const ProcessFigures figures = read_process_figures();
  CHECK(figures.cpu_seconds >= 0);
  CHECK(figures.resident_bytes > 100'000);
  CHECK(figures.open_fds >= 3);
  CHECK(figures.start_time_seconds > 1.6e9);
  CHECK(read_process_figures().start_time_seconds == figures.start_time_seconds);
}

TEST_CASE("descriptors opened are counted, each once") {
  const auto before = read_process_figures().open_fds;
  std::vector<int> opened;
  for (int i = 0; i < 100; ++i) opened.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(read_process_figures().open_fds == before + 100);
  for (const int one : opened) ::close(one);
  CHECK(read_process_figures().open_fds == before);
}
