#include "tools/send_options.hpp"

#include <array>

#include "wire/header_peek.hpp"
#include "wire/utf8.hpp"

namespace nissa::tools {

SendOptions send_options(Arguments& arguments) {
  SendOptions o;
  o.help = arguments.flag("--help");
  (void)arguments.flag("-");  // standard input, which it reads anyway
  arguments.host_port("--server", o.agent.host, o.agent.port);
  o.agent.agent = arguments.text("--agent", "nissa-send");
  if (o.agent.agent.size() > wire::agent_limit || !wire::valid_utf8(as_bytes(o.agent.agent)))
    arguments.problem("--agent: expected at most " + std::to_string(wire::agent_limit) + " bytes of UTF-8");
  o.agent.token = arguments.text("--token", "");
  o.service = arguments.text("--service", "");
  constexpr std::array<std::string_view, 4> classes{"low", "normal", "high", "critical"};
  o.priority = static_cast<agent::Priority>(arguments.choice("--priority", classes, 1) + 1);
  constexpr std::array<std::string_view, 3> formats{"auto", "json", "nginx"};
  o.format = static_cast<SendOptions::Format>(arguments.choice("--format", formats, 0));
  for (const std::string& rule : arguments.texts("--operation"))
    if (auto added = o.operations.add_rule(rule); !added) arguments.problem("--operation: " + added.error().message);
  for (const std::string& label : arguments.texts("--label")) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      arguments.problem("--label: '" + label + "' is not key=value");
    else
      o.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  o.agent.batch_age_ms = static_cast<std::uint32_t>(arguments.number("--batch-age-ms", 100, 1, 60'000));
  o.drain_s = static_cast<std::uint32_t>(arguments.number("--drain", o.drain_s, 0, 86'400));
  return o;
}

std::string send_help() {
  return R"(nissa-send: reads events from standard input, a line each, and sends them to a Nissa server.

  --server HOST:PORT   127.0.0.1:7440
  --service NAME       of lines that name none; needed for access logs
  --operation RULE     REGEX=NAME: what an access log's "METHOD /path" is called; may be repeated, the first match counts.
                       Otherwise method and path, with numbers and UUIDs as :id
  --label KEY=VALUE    added to every event; may be repeated
  --priority CLASS     low | normal (default) | high | critical
  --format FORMAT      auto (default: a line that begins with { is JSON) | json | nginx
  --agent NAME         what the server shows as the sender (nissa-send)
  --token TEXT
  --batch-age-ms N     how long an event waits for company (100)
  --drain S            how long answers are waited for at the end (60)

JSON lines: {"time": …, "duration_ms": …, "outcome": …, "service": …, "operation": …, "labels": {…}, "request_id": …}
  time: "2025-06-15T13:46:40.5Z" or seconds since 1970, absent: now; duration_ms or duration_s;
  outcome: OK (default), ERROR, TIMEOUT, CLIENT_ERROR, CANCELLED.
nginx: the lines of this log_format
  log_format nissa '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                   '"$http_referer" "$http_user_agent" rt=$request_time';

Each event is counted exactly once, as long as this process lives; what it has read and the server has not acknowledged
is lost if the process itself crashes. When the server is away, reading stops.
Ends with 0 if every line was counted, 1 if lines were not understood or single events not taken (they are named),
2 if the command line is not understood, 3 if events were lost or may be.
)";
}

}  // namespace nissa::tools
