// What an event costs: walked, proven, matched and counted (fold), beside what protobuf takes to parse the same bytes
// into an arena and do nothing with them. Prints a table and the figures of the middle row.
// Usage: fold_bench [seconds a cell [number of series, else all]]
#include <google/protobuf/arena.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "fold/batch_fold.hpp"
#include "nissa.pb.h"
#include "wire/event_writer.hpp"
#include "wire/header_peek.hpp"

namespace {

using namespace nissa;

// CPU time of this thread: the neighbours on a shared machine take time, but not this time.
double cpu_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

constexpr UnixMs now_ms = 1'749'995'200'000;
constexpr std::size_t batch_count = 64;  // per cell: more events than the caches of branch predictors remember

struct Cell {
  int labels;
  std::size_t series;
  std::size_t events;      // a batch
  bool forgetful = false;  // every identity is new: proven and matched
};

// Four SLOs that every event belongs to, among a thousand that none does.
std::vector<slo::Rule> rules() {
  std::vector<slo::Rule> made;
  for (slo::SloId id = 0; id < 1000; ++id) {
    slo::Rule rule{.slo = id};
    rule.sli.selector.service = id % 250 == 0 ? "checkout-*" : "another-" + std::to_string(id);
    if (id % 2 == 0) {
      rule.sli.criterion.kind = slo::SliKind::latency;
      rule.sli.criterion.threshold_ns = 200'000'000 + id * 100'000;
    }
    made.push_back(rule);
  }
  return made;
}

Bytes identity_of(std::size_t series, int labels) {
  const std::string number = std::to_string(1'000'000 + series);
  const std::string service = "checkout-" + number.substr(4);
  // Without labels the operation is longer, so that the event has 107 bytes.
  const std::string operation =
      (labels == 0 ? "GET /api/v2/customers/:id/orders/:id/items/:id/prices/history/" : "GET /api/v2/orders/:id/") +
      number;
  std::vector<std::pair<std::string, std::string>> texts{
      {"region", "eu-central-1"}, {"host", "web-" + number}, {"version", "2.14.3"}, {"zone", "b"}, {"tier", "gold"}};
  if (labels == 0) texts.clear();
  std::vector<wire::LabelView> views;
  for (const auto& [key, value] : texts) views.push_back({key, value});
  Bytes identity;
  wire::append_identity(identity, service, operation, views);
  return identity;
}

std::vector<Bytes> make_batches(const Cell& cell, std::mt19937_64& random) {
  std::vector<Bytes> batches;
  std::vector<Bytes> identities;
  for (std::size_t i = 0; i < cell.series; ++i) identities.push_back(identity_of(i, cell.labels));
  // At least as many events as there are series, so that a pass meets them all.
  const std::size_t count = std::max(batch_count, cell.series / cell.events);
  for (std::size_t n = 0; n < count; ++n) {
    wire::BatchHeader header{.keyed = true,
                             .event_count = static_cast<std::uint32_t>(cell.events),
                             .epoch = 7,
                             .sequence = n + 1,
                             .settled_below = 1,
                             .agent = "bench"};
    Bytes batch;
    wire::append_header(batch, header);
    for (std::size_t i = 0; i < cell.events; ++i) {
      // Shuffled times of the last half minute, one failure in a hundred.
      const auto age_ns = static_cast<std::int64_t>(random() % 30'000'000'000);
      wire::append_event(batch,
                         {.time_unix_ns = static_cast<std::uint64_t>(now_ms * ns_per_ms - age_ns),
                          .duration_ns = random() % 400'000'000,
                          .outcome = random() % 100 == 0 ? wire::EventOutcome::error : wire::EventOutcome::ok},
                         identities[random() % cell.series]);
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

// Of all runs over all batches the fastest: what the code costs, not what the neighbours do.
template <class F>
double ns_per_event(const std::vector<Bytes>& batches, std::size_t events, double seconds, F one_batch) {
  double best = 1e18;
  const double end = cpu_ns() + seconds * 1e9;
  do {
    const double start = cpu_ns();
    for (const Bytes& batch : batches) one_batch(batch);
    best = std::min(best, (cpu_ns() - start) / static_cast<double>(batches.size() * events));
  } while (cpu_ns() < end);
  return best;
}

struct Outcome {
  double fold_ns;
  double parse_ns;
  double bytes;
};

Outcome measure(const Cell& cell, double seconds) {
  std::mt19937_64 random(1);
  const std::vector<Bytes> batches = make_batches(cell, random);
  slo::MatchSets sets;
  const auto all = rules();
  fold::BatchFold fold(std::make_shared<slo::Matcher>(all, sets), sets,
                       {.most_identities = cell.forgetful ? std::size_t{1} : 1'000'000}, {}, {random(), random()});
  std::vector<slo::Cell> cells;
  std::uint64_t accepted = 0, offered = 0;
  const auto fold_one = [&](const Bytes& batch) {
    const auto header = wire::peek_header(batch);
    cells.clear();
    const auto folded = fold.fold(batch, *header, {now_ms, now_ms, 0}, cells);
    accepted += folded->accepted;
    offered += cell.events;
  };
  for (const Bytes& batch : batches) fold_one(batch);
  Outcome outcome{};
  outcome.fold_ns = ns_per_event(batches, cell.events, seconds, fold_one);
  if (accepted != offered) std::printf("WRONG: %zu of %zu events accepted\n", accepted, offered);

  google::protobuf::ArenaOptions arena_options;
  std::vector<char> first_block(8 << 20);
  arena_options.initial_block = first_block.data();
  arena_options.initial_block_size = first_block.size();
  google::protobuf::Arena arena(arena_options);
  std::int64_t parsed = 0;
  outcome.parse_ns = ns_per_event(batches, cell.events, seconds / 2, [&](const Bytes& batch) {
    auto* message = google::protobuf::Arena::CreateMessage<v2::TelemetryBatch>(&arena);
    if (!message->ParseFromArray(batch.data(), static_cast<int>(batch.size()))) std::printf("WRONG: not parsed\n");
    parsed += message->events_size();
    arena.Reset();
  });
  outcome.bytes = static_cast<double>(batches[0].size()) / static_cast<double>(cell.events);
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  const std::size_t only = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 0;
  Outcome middle{};
  std::printf("labels  series   batch  bytes/event  fold ns/event  arena parse ns/event\n");
  for (const int labels : {0, 5})
    for (const std::size_t series : {100, 10'000, 1'000'000})
      for (const std::size_t events : {100, 1000}) {
        if (only > 0 && series != only) continue;
        const Outcome outcome = measure({labels, series, events}, seconds);
        std::printf("%6d %8zu %6zu %12.1f %14.1f %21.1f\n", labels, series, events, outcome.bytes, outcome.fold_ns,
                    outcome.parse_ns);
        std::fflush(stdout);
        if (labels == 5 && series == 10'000 && events == 100) middle = outcome;
      }
  std::printf("all identities new, 1 000 SLOs, four of them by a glob over the service:\n");
  for (const int labels : {0, 5}) {
    const Outcome outcome = measure({labels, 10'000, 1000, true}, seconds);
    std::printf("%6d %8s %6d %12.1f %14.1f\n", labels, "-", 1000, outcome.bytes, outcome.fold_ns);
  }
  std::printf("figure fold_ns %.1f ns\nfigure arena_parse_ns %.1f ns\n", middle.fold_ns, middle.parse_ns);
}
