#include "tools/send_options.hpp"

#include <array>
#include <filesystem>
#include <system_error>

#include "base/utf8.hpp"
#include "client/event_check.hpp"
#include "wire/header_peek.hpp"

namespace nissa::tools {
namespace {

using client::longest_name, client::most_labels;

bool is_name(std::string_view text) { return text.size() <= longest_name && valid_utf8(as_bytes(text)); }

// What no server takes is the command line's fault, not that of each line.
void read_labels(Arguments& arguments, SendOptions& o) {
  for (const std::string& label : arguments.texts("--label")) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      arguments.problem("--label: '" + label + "' is not key=value");
    else if (!is_name(label.substr(0, equals)) || !is_name(label.substr(equals + 1)))
      arguments.problem("--label: expected key and value of at most 256 bytes of UTF-8 each");
    else
      o.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  if (o.labels.size() > most_labels) arguments.problem("--label: at most 32 of them");
}

void read_operations(Arguments& arguments, SendOptions& o) {
  o.operation_rules = arguments.texts("--operation");
  for (const std::string& rule : o.operation_rules) {
    if (!valid_utf8(as_bytes(rule)))
      arguments.problem("--operation: a rule is not UTF-8");
    else if (auto added = o.operations.add_rule(rule); !added)
      arguments.problem("--operation: " + added.error().message);
  }
}

// Of a log that is still empty it would be made one, and its lines overwritten.
bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  const auto whole_a = std::filesystem::weakly_canonical(a, error),
             whole_b = std::filesystem::weakly_canonical(b, error);
  return !error && whole_a == whole_b;
}

void read_follow(Arguments& arguments, SendOptions& o) {
  o.follow = arguments.text("--follow", "");
  // As the state file remembers it, wherever the next start is made from.
  if (!o.follow.empty()) o.follow = std::filesystem::absolute(o.follow).lexically_normal().string();
  o.state = arguments.text("--state", "");
  constexpr std::array<std::string_view, 2> places{"start", "end"};
  o.from_end = arguments.choice("--from", places, 0) == 1;
  if (!o.follow.empty() && o.state.empty())
    arguments.problem("--follow needs --state FILE, where it is kept how far " + o.follow + " was sent");
  if (!o.follow.empty() && !o.state.empty() && is_same_file(o.follow, o.state))
    arguments.problem("--state: " + o.state + " is the log itself; the state file is another, and made by nissa-send");
  if (o.follow.empty() && (!o.state.empty() || o.from_end))
    arguments.problem("--state and --from are for --follow FILE, which is missing");
}

}  // namespace

SendOptions send_options(Arguments& arguments) {
  SendOptions o;
  o.help = arguments.flag("--help");
  const bool standard_input = arguments.flag("-");  // which it reads anyway
  arguments.host_port("--server", o.agent.host, o.agent.port);
  o.agent.agent = arguments.text("--agent", "nissa-send");
  if (o.agent.agent.size() > wire::agent_limit || !valid_utf8(as_bytes(o.agent.agent)))
    arguments.problem("--agent: expected at most " + std::to_string(wire::agent_limit) + " bytes of UTF-8");
  o.agent.token = arguments.text("--token", "");
  o.service = arguments.text("--service", "");
  if (!is_name(o.service)) arguments.problem("--service: expected at most 256 bytes of UTF-8");
  constexpr std::array<std::string_view, 4> classes{"low", "normal", "high", "critical"};
  o.priority = static_cast<agent::Priority>(arguments.choice("--priority", classes, 1) + 1);
  constexpr std::array<std::string_view, 3> formats{"auto", "json", "nginx"};
  o.format = static_cast<SendOptions::Format>(arguments.choice("--format", formats, 0));
  if (o.format == SendOptions::Format::nginx && o.service.empty())
    arguments.problem("--format nginx needs --service NAME: an access log names no service");
  read_operations(arguments, o);
  read_labels(arguments, o);
  read_follow(arguments, o);
  if (standard_input && !o.follow.empty()) arguments.problem("expected one of - and --follow");
  o.agent.batch_age_ms = static_cast<std::uint32_t>(arguments.number("--batch-age-ms", 100, 1, 60'000));
  o.drain_s = static_cast<std::uint32_t>(arguments.number("--drain", o.drain_s, 0, 86'400));
  return o;
}

std::string send_help() {
  return R"(nissa-send: reads events, a line each, and sends them to a Nissa server.

  --server HOST:PORT   127.0.0.1:7440
  --follow FILE        a growing file, through its rotations, instead of standard input; it needs
  --state FILE         where it is kept how far that file was sent: after a crash it goes on from there
  --from start|end     of the file that is followed for the first time (start)
  --service NAME       of lines that name none; needed for access logs
  --operation RULE     REGEX=NAME: what an access log's "METHOD /path" is called; may be repeated, the first match counts.
                       Otherwise method and path, with numbers, UUIDs and long hexadecimal segments as :id
  --label KEY=VALUE    added to every event; may be repeated
  --priority CLASS     low | normal (default) | high | critical
  --format FORMAT      auto (default: a line that begins with { is JSON) | json | nginx
  --agent NAME         what the server shows as the sender (nissa-send)
  --token TEXT
  --batch-age-ms N     how long an event waits for company (100)
  --drain S            how long answers are waited for at the end (60)

JSON lines: {"time": …, "duration_ms": …, "outcome": …, "service": …, "operation": …, "labels": {…}, "request_id": …}
  time: "2025-06-15T13:46:40.5Z" or seconds since 1970, absent: now (of a followed file: when it arrives);
  duration_ms or duration_s; outcome: OK (default), ERROR, TIMEOUT, CLIENT_ERROR, CANCELLED.
nginx: the lines of this log_format
  log_format nissa '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                   '"$http_referer" "$http_user_agent" rt=$request_time';

Each event is counted exactly once. Of standard input that holds as long as this process lives: what it has read and the
server has not acknowledged is lost if it crashes. Of a followed file it holds through its crashes, too: what is not
acknowledged when it ends is sent by its next start. When the server is away, reading stops.
SIGTERM and SIGINT end reading and wait for answers (--drain); a second one ends at once.
Ends with 0 if every line was counted (or is kept for the next start), 1 if lines were not understood or single events
not taken (they are named), 2 if the command line or the state file cannot be used, 3 if events were lost or may be,
4 if all went well but the summary could not be written.
)";
}

}  // namespace nissa::tools
