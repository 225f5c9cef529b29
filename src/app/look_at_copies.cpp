#include "app/look_at_copies.hpp"

#include "app/state_copy.hpp"
#include "async/coroutine.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"

namespace nissa::app {
namespace {

using journal::Damage;
using journal::JournalError;

constexpr int most_copies = 10;
constexpr std::int64_t pause_ns = 50 * ns_per_ms;  // longer than most checkpoints

Task<void> pause_on(EventLoop& loop, Timers& timers) {
  (void)co_await timers.sleep_for(pause_ns);
  timers.stop();
  loop.release();
}
void pause() {
  const SystemClock clock;
  EventLoop loop;
  Timers timers(loop, clock);
  loop.spawn(pause_on(loop, timers));
  loop.run();
}

}  // namespace

std::string in_words_of(const std::string& directory, const std::string& copy, std::string message) {
  for (std::size_t at = 0; (at = message.find(copy, at)) != std::string::npos; at += directory.size())
    message.replace(at, copy.size(), directory);
  return message;
}

journal::JournalStatus look_at_copies(const std::string& directory,
                                      const std::function<journal::JournalStatus(const std::string& copy)>& look) {
  for (int copies = 1;; ++copies) {
    const auto copy = StateCopy::of(directory);
    if (!copy) return std::unexpected(JournalError{Damage::none, directory + ": " + copy.error().message});
    journal::JournalStatus seen = look(copy->path());
    if (seen) return seen;
    const bool changed = copy->original_changed();
    if (changed && copies < most_copies) {
      pause();
      continue;
    }
    JournalError error = std::move(seen.error());
    error.message = in_words_of(directory, copy->path(), std::move(error.message));
    if (!error.message.contains(directory)) error.message = directory + ": " + error.message;
    if (changed) {
      error.damage = Damage::none;  // known of the copies only
      error.message = "no copy of a state that is being written was whole, of " + std::to_string(copies) +
                      "; stop its server and look again. Of the last copy: " + error.message;
    }
    return std::unexpected(std::move(error));
  }
}

}  // namespace nissa::app
