// nissa-send: standard input → events. --help says how.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "tools/send_run.hpp"

namespace {

std::atomic<bool> stop{false};
int nothing = -1;  // /dev/null

// Standard input ends here and now: a read that waits is interrupted (no SA_RESTART), one about to begin finds the end.
// What was read before is sent.
void stop_reading(int) {
  stop = true;
  (void)dup2(nothing, STDIN_FILENO);
}

// The second signal has its ordinary effect.
void on_signal(int signal) {
  struct sigaction action{};
  action.sa_handler = stop_reading;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(signal, &action, nullptr);
}

void say(const std::string& text) { std::fprintf(stderr, "nissa-send: %s\n", text.c_str()); }

}  // namespace

int main(int argc, char** argv) {
  using namespace nissa::tools;
  Arguments arguments({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  const SendOptions options = send_options(arguments);
  if (options.help) {
    std::fputs(send_help().c_str(), stdout);
    return 0;
  }
  if (const auto problems = arguments.problems(); !problems.empty()) {
    for (const std::string& one : problems) say(one);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  on_signal(SIGTERM);
  on_signal(SIGINT);
  say("reads standard input; what it has read and the server has not acknowledged is lost if this process crashes");
  LineReader input(STDIN_FILENO, stop);
  const SendOutcome outcome = send_lines(input, options, stop, say);
  if (outcome.broken) say("standard input could not be read to its end");
  std::printf("%s\n", send_summary(outcome).c_str());
  return send_exit_code(outcome);
}
