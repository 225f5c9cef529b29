// What an event of a JSON batch costs: decoded to canonical bytes, beside what protobuf takes to parse the same text.
// Usage: json_bench [seconds a cell]
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "bench_clock.hpp"
#include "nissa.pb.h"
#include "wire/json_batch.hpp"

namespace {

using namespace nissa;

constexpr int batch_count = 64, events_a_batch = 100;

enum class Spelling { as_protobuf, as_curl };

v2::TelemetryBatch make_batch(int labels, std::mt19937_64& random) {
  v2::TelemetryBatch batch;
  batch.set_priority(v2::NORMAL);
  batch.set_event_count(events_a_batch);
  batch.set_agent("bench");
  for (int i = 0; i < events_a_batch; ++i) {
    v2::TelemetryEvent& event = *batch.add_events();
    event.set_time_unix_ns(1'749'995'200'000'000'000 + random() % 30'000'000'000);
    event.set_duration_ns(random() % 400'000'000);
    if (random() % 100 == 0) event.set_outcome(v2::TelemetryEvent::ERROR);
    const std::string number = std::to_string(1'000'000 + random() % 10'000);
    event.set_service("checkout-" + number.substr(4));
    event.set_operation("GET /api/v2/orders/:id/" + number);
    const std::pair<const char*, std::string> texts[] = {
        {"region", "eu-central-1"}, {"host", "web-" + number}, {"version", "2.14.3"}, {"zone", "b"}, {"tier", "gold"}};
    for (int label = 0; label < labels; ++label) {
      event.add_labels()->set_key(texts[label].first);
      event.mutable_labels(label)->set_value(texts[label].second);
    }
  }
  return batch;
}

std::string text_of(const v2::TelemetryBatch& batch, Spelling spelling) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = options.add_whitespace = spelling == Spelling::as_curl;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(batch, &text, options);
  return text;
}

// Of all runs over all batches the fastest: what the code costs, not what the neighbours do.
template <class F>
double ns_per_event(const std::vector<std::string>& texts, double seconds, F one_text) {
  double best = 1e18;
  const double end = bench::cpu_s() + seconds;
  do {
    const double start = bench::cpu_s();
    for (const std::string& text : texts) one_text(text);
    best = std::min(best, (bench::cpu_s() - start) * 1e9 / (batch_count * events_a_batch));
  } while (bench::cpu_s() < end);
  return best;
}

struct Outcome {
  double ours, protobufs, bytes;
};

Outcome measure(int labels, Spelling spelling, double seconds) {
  std::mt19937_64 random(1);
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (int i = 0; i < batch_count; ++i)
    bytes += texts.emplace_back(text_of(make_batch(labels, random), spelling)).size();
  Outcome outcome{};
  outcome.bytes = static_cast<double>(bytes) / (batch_count * events_a_batch);
  outcome.ours = ns_per_event(texts, seconds, [](const std::string& text) {
    if (!wire::batch_from_json(text, events_a_batch)) std::printf("WRONG: not decoded\n");
  });
  outcome.protobufs = ns_per_event(texts, seconds, [](const std::string& text) {
    v2::TelemetryBatch batch;
    if (!google::protobuf::util::JsonStringToMessage(text, &batch).ok()) std::printf("WRONG: not parsed\n");
  });
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  Outcome middle{};
  std::printf("labels  spelling         bytes/event  ours ns/event  protobuf ns/event\n");
  for (const int labels : {0, 5})
    for (const Spelling spelling : {Spelling::as_protobuf, Spelling::as_curl}) {
      const Outcome outcome = measure(labels, spelling, seconds);
      std::printf("%6d  %-15s %12.0f %14.0f %18.0f\n", labels,
                  spelling == Spelling::as_protobuf ? "compact" : "white space", outcome.bytes, outcome.ours,
                  outcome.protobufs);
      if (labels == 5 && spelling == Spelling::as_protobuf) middle = outcome;
    }
  std::printf(
      "figure json_parse_ns %.0f ns\nfigure json_parse_protobuf_ns %.0f ns\nfigure json_parse_ratio %.1f times\n",
      middle.ours, middle.protobufs, middle.protobufs / middle.ours);
}
