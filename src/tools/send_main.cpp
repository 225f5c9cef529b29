// nissa-send: standard input, or a followed file → events. --help says how.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <mutex>

#include "base/clock.hpp"
#include "tools/send_follow.hpp"
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

// Standard error: lines for people and, on a terminal, the one line of progress below them.
class Screen {
 public:
  void say(const std::string& text) {
    const std::lock_guard lock(mutex_);
    clear();
    std::fprintf(stderr, "nissa-send: %s\n", text.c_str());
  }
  void show(const nissa::tools::SendFigures& figures) {
    const std::lock_guard lock(mutex_);
    const auto line = progress_.line(figures, clock_.boot_ns());
    if (!line) return;
    std::fprintf(stderr, "\r\x1b[K%s", line->c_str());  // to the start of the line, and what stood there is gone
    shown_ = true;
  }
  void clear_progress() {
    const std::lock_guard lock(mutex_);
    clear();
  }

 private:
  void clear() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
    shown_ = false;
  }
  std::mutex mutex_;
  nissa::SystemClock clock_;
  nissa::tools::SendProgress progress_;
  bool shown_ = false;
};

// 0, or 4: standard output is full or closed.
int print(const std::string& text) {
  const bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return written ? 0 : 4;
}

int tell(const nissa::tools::SendOutcome& outcome, Screen& screen) {
  screen.clear_progress();
  const std::string summary = nissa::tools::send_summary(outcome);
  const int printed = print(summary + "\n");
  if (printed != 0) screen.say("standard output cannot be written; the summary is: " + summary);
  const int code = nissa::tools::send_exit_code(outcome);
  return code != 0 ? code : printed;
}

int follow(const nissa::tools::SendOptions& options, Screen& screen) {
  nissa::tools::FollowCalls calls;
  calls.say = [&screen](const std::string& text) { screen.say(text); };
  if (isatty(STDERR_FILENO) != 0)
    calls.progress = [&screen](const nissa::tools::SendFigures& figures) { screen.show(figures); };
  const auto outcome = nissa::tools::send_followed(options, stop, calls);
  if (outcome) return tell(*outcome, screen);
  screen.say(outcome.error().message);
  return 2;
}

int send_input(const nissa::tools::SendOptions& options, Screen& screen) {
  nissa::tools::SendCalls calls;
  calls.say = [&screen](const std::string& text) { screen.say(text); };
  nissa::tools::LineReader input(STDIN_FILENO, stop);
  if (isatty(STDIN_FILENO) == 0)
    screen.say(
        "reads standard input: what it has read and the server has not acknowledged is lost if this process "
        "crashes (--follow FILE is not)");
  if (isatty(STDERR_FILENO) != 0) {
    calls.progress = [&screen](const nissa::tools::SendFigures& figures) { screen.show(figures); };
    input.idle_after(250);
  }
  const auto outcome = nissa::tools::send_lines(input, options, stop, calls);
  if (outcome.broken) screen.say("standard input could not be read to its end");
  return tell(outcome, screen);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nissa::tools;
  Screen screen;
  Arguments arguments({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  const SendOptions options = send_options(arguments);
  if (options.help) return print(send_help());
  if (const auto problems = arguments.problems(); !problems.empty()) {
    for (const std::string& one : problems) screen.say(one);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  on_signal(SIGTERM);
  on_signal(SIGINT);
  return options.follow.empty() ? send_input(options, screen) : follow(options, screen);
}
