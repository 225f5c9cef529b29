#include "app/process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace nissa::app {

void prepare_process() {
  // open() takes the lowest number that is free.
  int last = STDIN_FILENO;
  while (last >= STDIN_FILENO && last <= STDERR_FILENO) last = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (last > STDERR_FILENO) ::close(last);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace nissa::app
