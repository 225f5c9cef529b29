#include "tools/send_run.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "tools/amount.hpp"
#include "tools/event_lines.hpp"

namespace nissa::tools {
namespace {

constexpr std::uint64_t most_said = 100;
constexpr std::uint32_t show_every_ms = 100;

class Sender {
 public:
  Sender(const SendOptions& options, const std::atomic<bool>& stop, const SendCalls& calls)
      : options_(options), stop_(stop), calls_(calls), client_(with_callbacks(options.agent)) {}

  SendOutcome run(LineReader& input);

 private:
  agent::Options with_callbacks(agent::Options agent);
  void say(const std::string& text) {
    const std::lock_guard lock(saying_);
    calls_.say(text);
  }
  void show();
  void drain();
  void bad(std::uint64_t number, const std::string& why);
  void take(std::uint64_t number, std::string_view line);
  void send(std::uint64_t number, const LineEvent& line);
  std::uint32_t left_ms();

  const SendOptions& options_;
  const std::atomic<bool>& stop_;
  const SendCalls& calls_;
  std::mutex saying_;  // the client's thread says things too
  SendOutcome outcome_;
  std::uint64_t unsent_ = 0;
  SystemClock clock_;
  std::optional<BootNs> give_up_at_;  // since reading ended, or was told to
  agent::Client client_;
};

agent::Options Sender::with_callbacks(agent::Options agent) {
  agent.on_loss = [this](const agent::Loss& loss) {
    constexpr const char* kinds[]{"refused", "uncertain (counted once or not at all)", "abandoned"};
    say(events_text(loss.events) + " " + kinds[static_cast<int>(loss.kind)] + ": " + std::string(loss.why));
  };
  agent.on_notice = [this](agent::Priority, std::string_view text) { say(std::string(text)); };
  agent.on_connection = [this, down = false](agent::Priority, bool up, std::string_view why) mutable {
    if (!up && !down) say(std::string(why) + "; trying again");
    if (up && down) say("connected again");
    down = !up;
  };
  return agent;
}

// Of the time for draining.
std::uint32_t Sender::left_ms() {
  const BootNs now = clock_.boot_ns();
  if (!give_up_at_) give_up_at_ = now + options_.drain_s * ns_per_s;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, (*give_up_at_ - now) / ns_per_ms));
}

void Sender::bad(std::uint64_t number, const std::string& why) {
  ++outcome_.bad_lines;
  if (outcome_.bad_lines < most_said) say("line " + std::to_string(number) + ": " + why);
  if (outcome_.bad_lines == most_said)
    say("line " + std::to_string(number) + ": " + why + "; further ones are only counted");
}

void Sender::take(std::uint64_t number, std::string_view text) {
  if (is_blank(text)) return;
  ++outcome_.lines;
  const Result<LineEvent> line = understand(text, options_);
  if (!line) return bad(number, line.error().message);
  send(number, *line);
}

void Sender::send(std::uint64_t number, const LineEvent& line) {
  std::vector<agent::Label> labels;
  for (const auto& [key, value] : line.labels) labels.push_back({key, value});
  agent::Event event;
  event.service = line.service;
  event.operation = line.operation;
  event.labels = labels;
  event.outcome = line.outcome;
  // 0 would mean now; the first nanosecond of 1970 is as late as 1970 itself.
  if (line.time_unix_ns) event.time_unix_ns = std::max<std::int64_t>(1, *line.time_unix_ns);
  event.duration_ns = line.duration_ns;
  event.request_id = line.request_id;
  for (;;) {
    switch (client_.send(event, options_.priority)) {
      case agent::Sent::accepted:
        return;
      case agent::Sent::invalid:
        return bad(number, "is not within the limits of the protocol");
      case agent::Sent::closed:
        ++unsent_;
        return;
      case agent::Sent::must_wait:
        // Standard input is held back with us: whoever writes to it waits too.
        if (stop_ && left_ms() == 0) return static_cast<void>(++unsent_);
        (void)client_.flush(stop_ ? std::min(show_every_ms, left_ms()) : show_every_ms);
        show();
        break;
    }
  }
}

void Sender::show() {
  if (!calls_.progress) return;
  const agent::Stats now = client_.stats();
  calls_.progress({outcome_.lines, now.counted, now.held, std::nullopt});
}

void Sender::drain() {
  while (calls_.progress && left_ms() > 0 && !client_.flush(std::min(show_every_ms, left_ms()))) show();
  (void)client_.close(left_ms());
}

SendOutcome Sender::run(LineReader& input) {
  if (const std::string problem = client_.problem(); !problem.empty()) say(problem);
  for (bool more = true; more;) {
    std::string_view line;
    switch (input.next(line)) {
      case LineReader::Got::line:
        take(input.number(), line);
        if (input.number() % 4'096 == 0) show();
        break;
      case LineReader::Got::idle:
        show();
        break;
      case LineReader::Got::too_long:
        ++outcome_.lines;
        bad(input.number(), "is longer than 64 KiB");
        break;
      case LineReader::Got::cut_off:
        ++outcome_.lines;
        bad(input.number(), "was not read to its end when the signal came");
        break;
      case LineReader::Got::end:
        more = false;
        break;
      case LineReader::Got::broken:
        outcome_.broken = true;
        more = false;
        break;
    }
  }
  drain();
  outcome_.stats = client_.stats();
  outcome_.stats.abandoned += unsent_;
  return outcome_;
}

}  // namespace

SendOutcome send_lines(LineReader& input, const SendOptions& options, const std::atomic<bool>& stop,
                       const SendCalls& calls) {
  return Sender(options, stop, calls).run(input);
}

}  // namespace nissa::tools
