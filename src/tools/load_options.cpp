#include "tools/load_options.hpp"

#include <algorithm>
#include <charconv>

namespace nissa::tools {
namespace {

// "low:40,critical:5"
void read_shares(Arguments& arguments, std::array<std::uint32_t, priority_count>& shares) {
  const std::string text = arguments.text("--classes", "");
  if (text.empty()) return;
  shares = {};
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto colon = one.find(':');
    const std::string_view name = one.substr(0, colon);
    std::uint32_t share = 1;
    bool good = true;
    if (colon != std::string_view::npos) {
      const auto [end, error] = std::from_chars(one.data() + colon + 1, one.data() + one.size(), share);
      good = error == std::errc() && end == one.data() + one.size() && share > 0 && share <= 1'000;
    }
    const auto* found = std::ranges::find_if(all_priorities, [name](Priority p) { return name_of(p) == name; });
    if (good && found != all_priorities.end())
      shares[index_of(*found)] = share;
    else
      arguments.problem("--classes: '" + std::string(one) + "' is not class:share, for example low:40,critical:5");
  }
}

}  // namespace

LoadOptions load_options(Arguments& arguments) {
  LoadOptions o;
  o.help = arguments.flag("--help");
  o.print_config = arguments.flag("--print-config");
  constexpr std::array<std::string_view, 3> doors{"tcp", "http", "http-json"};
  if (const auto door = arguments.choice("--door", doors, 0); door != 0) {
    o.http = static_cast<HttpBody>(door - 1);
    o.port = 7441;
  }
  arguments.host_port("--server", o.host, o.port);
  arguments.host_port("--admin", o.admin_host, o.admin_port);
  o.check_slos = !arguments.flag("--no-slo-check");
  o.token = arguments.text("--token", "");
  o.events_per_s = arguments.number("--rate", 0, 0, 1'000'000'000);
  const auto u32 = [&arguments](std::string_view name, std::uint32_t otherwise, std::uint32_t least,
                                std::uint32_t most) {
    return static_cast<std::uint32_t>(arguments.number(name, otherwise, least, most));
  };
  o.connections = u32("--connections", o.connections, 1, 15'000);
  o.depth = u32("--depth", o.depth, 1, 256);
  o.one_by_one = arguments.flag("--one-by-one");
  o.warmup_s = arguments.number("--warmup", o.warmup_s, 0, 3'600);
  o.measure_s = arguments.number("--seconds", o.measure_s, 1, 86'400);
  o.drain_s = arguments.number("--drain", o.drain_s, 1, 3'600);
  o.most_batches = arguments.number("--batches", 0, 0, ~0ULL);
  o.pid = static_cast<std::int64_t>(arguments.number("--pid", 0, 0, 1U << 30));
  read_shares(arguments, o.shares);
  LoadShape& shape = o.shape;
  shape.batch_events = u32("--batch", shape.batch_events, 1, 1'000);
  shape.series = u32("--series", shape.series, 1, 1'000'000);
  shape.services = std::min(u32("--services", shape.services, 1, 10'000), shape.series);
  shape.slos_per_event = u32("--slos", shape.slos_per_event, 1, 16);
  shape.labels = u32("--labels", shape.labels, 0, 8);
  shape.failure_every = u32("--failure-every", shape.failure_every, 0, 1'000'000'000);
  constexpr std::array<std::string_view, 3> disorders{"sorted", "shuffled", "30days"};
  shape.disorder = static_cast<Disorder>(arguments.choice("--disorder", disorders, 1));
  if (shape.services * shape.slos_per_event > 10'000)
    arguments.problem("--services times --slos is above the 10 000 SLOs that a server takes");
  return o;
}

std::vector<Priority> classes_of(const LoadOptions& options) {
  std::vector<Priority> classes;
  std::array<double, priority_count> owed{};
  double all = 0;
  for (const std::uint32_t share : options.shares) all += share;
  // Always to the class that is furthest behind its share; so any beginning of the list has the proportions, too.
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    std::size_t next = 0;
    for (std::size_t c = 0; c < priority_count; ++c) {
      owed[c] += options.shares[c] / all;
      if (owed[c] > owed[next]) next = c;
    }
    owed[next] -= 1;
    classes.push_back(all_priorities[next]);
  }
  return classes;
}

std::string load_help() {
  return R"(nissa-load: offers load to a Nissa server, and checks that all of it was counted exactly once.

  --door WHICH          tcp (default) | http | http-json: over HTTP, one request at a time on a connection
  --server HOST:PORT    127.0.0.1:7440, over HTTP 127.0.0.1:7441
  --admin HOST:PORT     127.0.0.1:7442; where the SLO totals are read
  --no-slo-check        does not compare the SLO totals (for a server with another configuration)
  --token TEXT
  --print-config        prints the [[slo]] tables that belong to this load, and ends

what is sent
  --rate N              events a second, of all connections; 0 (default): as many as answers allow
  --batch N             events a batch, 1 to 1000 (100)
  --connections N       1 to 15000 (1)
  --classes LIST        shares of the connections, for example low:40,normal:40,high:15,critical:5 (normal)
  --depth N             batches outstanding a connection, 1 to 256 (64)
  --one-by-one          each batch in a write of its own; otherwise what may go goes together
  --series N            distinct identities, 1 to 1000000 (10000)
  --services N          of them (250)
  --slos N              SLOs that each event counts in, 1 to 16 (4)
  --labels N            labels of an event, 0 to 8 (5)
  --disorder WHICH      sorted | shuffled (within a minute; default) | 30days
  --failure-every N     each n-th event is a failure (1000); 0: none

how long
  --warmup S            before measuring (2)
  --seconds S           measured (10)
  --batches N           ends after so many, measured from the first; 0 (default): by time
  --drain S             how long answers are waited for at the end (60)
  --pid PID             of the server: its CPU time and memory are measured

Ends with 0 if the books agree, 1 if they do not, 2 if the command line is not understood, 3 if it could not be done.
)";
}

}  // namespace nissa::tools
