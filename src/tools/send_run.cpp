#include "tools/send_run.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "tools/access_log.hpp"
#include "tools/json_line.hpp"

namespace nissa::tools {
namespace {

constexpr std::uint64_t most_said = 100;

class Sender {
 public:
  Sender(const SendOptions& options, const std::atomic<bool>& stop, const std::function<void(const std::string&)>& say)
      : options_(options), stop_(stop), say_(say), client_(with_callbacks(options.agent)) {}

  SendOutcome run(LineReader& input);

 private:
  agent::Options with_callbacks(agent::Options agent);
  void say(const std::string& text) {
    const std::lock_guard lock(saying_);
    say_(text);
  }
  void bad(std::uint64_t number, const std::string& why);
  void take(std::uint64_t number, std::string_view line);
  void send(std::uint64_t number, const LineEvent& line);
  Result<LineEvent> parse(std::string_view line) const;
  std::uint32_t left_ms();

  const SendOptions& options_;
  const std::atomic<bool>& stop_;
  const std::function<void(const std::string&)>& say_;
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
    say(std::to_string(loss.events) + " events " + kinds[static_cast<int>(loss.kind)] +
        (loss.reason.empty() ? "" : ": " + std::string(loss.reason)));
  };
  agent.on_connection = [this, down = false](agent::Priority, bool up, std::string_view why) mutable {
    if (!up && !down) say(std::string(why) + "; trying again");
    if (up && down) say("connected again");
    down = !up;
  };
  return agent;
}

Result<LineEvent> Sender::parse(std::string_view line) const {
  const bool json =
      options_.format == SendOptions::Format::json || (options_.format == SendOptions::Format::automatic &&
                                                       line.substr(line.find_first_not_of(" \t")).starts_with('{'));
  return json ? parse_json_line(line) : parse_access_line(line, options_.operations);
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
  if (text.find_first_not_of(" \t") == std::string_view::npos) return;
  ++outcome_.lines;
  Result<LineEvent> line = parse(text);
  if (!line) return bad(number, line.error().message);
  if (line->service.empty()) line->service = options_.service;
  if (line->service.empty()) return bad(number, "names no service, and there is no --service");
  line->labels.insert(line->labels.end(), options_.labels.begin(), options_.labels.end());
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
  event.time_unix_ns = line.time_unix_ns;
  event.duration_ns = line.duration_ns;
  event.request_id = line.request_id;
  for (;;) {
    switch (client_.send(event, options_.priority)) {
      case agent::Sent::accepted:
        return;
      case agent::Sent::invalid:
        return bad(number,
                   "a text is longer than 256 bytes (request_id: 64) or not UTF-8, or there are more than 32 labels");
      case agent::Sent::closed:
        ++unsent_;
        return;
      case agent::Sent::must_wait:
        // Standard input is held back with us: whoever writes to it waits too.
        if (stop_ && left_ms() == 0) return static_cast<void>(++unsent_);
        (void)client_.flush(100);
        break;
    }
  }
}

SendOutcome Sender::run(LineReader& input) {
  if (const std::string problem = client_.problem(); !problem.empty()) say(problem);
  for (bool more = true; more;) {
    std::string_view line;
    switch (input.next(line)) {
      case LineReader::Got::line:
        take(input.number(), line);
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
  (void)client_.close(left_ms());
  outcome_.stats = client_.stats();
  outcome_.stats.abandoned += unsent_;
  return outcome_;
}

}  // namespace

SendOutcome send_lines(LineReader& input, const SendOptions& options, const std::atomic<bool>& stop,
                       const std::function<void(const std::string&)>& say) {
  return Sender(options, stop, say).run(input);
}

std::string send_summary(const SendOutcome& outcome) {
  const agent::Stats& s = outcome.stats;
  return std::to_string(outcome.lines) + " lines, " + std::to_string(outcome.bad_lines) + " not understood; " +
         std::to_string(s.counted) + " events acknowledged, of them " + std::to_string(s.rejected) +
         " not taken by the server; " + std::to_string(s.refused) + " refused, " + std::to_string(s.uncertain) +
         " uncertain, " + std::to_string(s.abandoned) + " not sent; " + std::to_string(s.batches_resent) +
         " batches resent, " + std::to_string(s.connections_lost) + " connections lost";
}

int send_exit_code(const SendOutcome& outcome) {
  const agent::Stats& s = outcome.stats;
  if (s.refused + s.uncertain + s.abandoned > 0 || outcome.broken) return 3;
  return outcome.bad_lines + s.rejected > 0 ? 1 : 0;
}

}  // namespace nissa::tools
