#include "fold/batch_fold.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/memory.hpp"
#include "fold/identity_fault.hpp"
#include "wire/messages.hpp"

namespace nissa::fold {
namespace {

static_assert(most_events_a_batch <= std::numeric_limits<decltype(Folded::rejected)::value_type>::max());
static_assert(wire::event_outcome_count == slo::outcome_count, "outcomes have the same numbers on the wire and in slo");

slo::Outcome outcome_of(const wire::EventView& event) { return static_cast<slo::Outcome>(event.outcome); }

std::int64_t duration_of(const wire::EventView& event) {
  if (event.duration_ns == wire::no_duration) return slo::no_duration;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(event.duration_ns, most));
}

}  // namespace

// The loads of one step overlap: first all events are walked and their slots of the index fetched, then all entries,
// then they are compared and counted.
struct BatchFold::Step {
  static constexpr std::size_t size = 32;
  std::array<wire::EventView, size> events;
  std::array<std::uint64_t, size> hashes;
  std::size_t count = 0;
};

BatchFold::BatchFold(std::shared_ptr<const slo::Matcher> matcher, const slo::MatchSets& sets, const Options& options,
                     const LatePolicy& late, HashSeed seed)
    : matcher_(std::move(matcher)),
      sets_(sets),
      options_(options),
      late_(late),
      memo_(options.most_identities, options.most_identity_bytes, seed),
      tally_(seed.first * 3 + seed.second) {}

void BatchFold::set_matcher(std::shared_ptr<const slo::Matcher> matcher) {
  matcher_ = std::move(matcher);
  memo_.clear();
  unmatched_.clear();
}

// A border: the memory of identities, the tally and the match sets are as sound after a failure as before.
std::expected<Folded, wire::Malformed> BatchFold::fold(ByteView batch, const wire::BatchHeader& header,
                                                       const FoldContext& context, std::vector<slo::Cell>& cells) {
  std::expected<Folded, wire::Malformed> folded;
  if (!had_memory([&] { folded = fold_any(batch, header, context, cells); }))
    return std::unexpected(wire::Malformed{.reason = Reason::no_room});
  return folded;
}

std::expected<Folded, wire::Malformed> BatchFold::fold_any(ByteView batch, const wire::BatchHeader& header,
                                                           const FoldContext& context, std::vector<slo::Cell>& cells) {
  // (max_events is 1 000; ingest refuses more by the header alone.)
  if (header.event_count > most_events_a_batch)
    return std::unexpected(wire::Malformed{.reason = Reason::too_many_events});
  auto folded = fold_strict(batch, header, context, cells);
  if (!folded && options_.proof == Proof::semantic && batch.size() <= most_reformed_bytes) {
    const auto in_form = wire::canonical_form(batch);
    if (!in_form) return std::unexpected(in_form.error());
    counters_.brought_into_form.add();
    return fold_strict(*in_form, header, context, cells);
  }
  return folded;
}

std::expected<Folded, wire::Malformed> BatchFold::fold_strict(ByteView batch, const wire::BatchHeader& header,
                                                              const FoldContext& context,
                                                              std::vector<slo::Cell>& cells) {
  const CountedTimes times(late_, context.ledger_now_ms, context.skew_ns);
  const Bucket arrival = times.arrival_bucket(context.arrival_ms);
  Folded folded;
  misses_ = 0;
  now_ms_ = context.ledger_now_ms;
  tally_.begin(header.event_count);
  wire::BodyWalk walk(batch, header);
  std::uint64_t looked_up = 0;
  Step step;
  do {
    step.count = 0;
    while (step.count < Step::size && walk.next(step.events[step.count])) {
      const std::uint64_t hash = memo_.hash(step.events[step.count].identity);
      memo_.prefetch(hash);
      step.hashes[step.count++] = hash;
    }
    looked_up += step.count;
    if (!count_step(step, times, arrival, folded)) return std::unexpected(walk.explain());
  } while (step.count == Step::size);
  const auto body = walk.finish();
  counters_.looked_up.add(looked_up);
  if (misses_ > 0) {
    counters_.missed.add(misses_);
    counters_.remembered.set(memo_.entries());
    counters_.memo_bytes.set(memo_.bytes());
  }
  if (!body) return std::unexpected(body.error());
  cells.insert(cells.end(), tally_.cells().begin(), tally_.cells().end());
  folded.metrics = body->metrics;
  folded.alerts = body->alerts;
  return folded;
}

// False: an identity is not canonical.
bool BatchFold::count_step(const Step& step, const CountedTimes& times, Bucket arrival, Folded& folded) {
  std::array<const MatchMemo::Entry*, Step::size> candidates;
  for (std::size_t i = 0; i < step.count; ++i) candidates[i] = memo_.candidate(step.hashes[i]);
  std::array<Known, Step::size> known;
  const std::uint64_t evictions = memo_.evictions();
  for (std::size_t i = 0; i < step.count; ++i) {
    const ByteView identity = step.events[i].identity;
    if (memo_.evictions() == evictions && MatchMemo::answers(candidates[i], identity)) {
      known[i] = candidates[i]->known;
    } else {
      const auto learned = learn(step.hashes[i], identity);
      if (!learned) return false;
      known[i] = *learned;
    }
  }
  std::array<std::uint64_t, Step::size> keys;
  std::size_t count = 0;
  for (std::size_t i = 0; i < step.count; ++i) {
    if (const auto key = cell_key_of(step.events[i], known[i], times, arrival, folded)) keys[count++] = *key;
  }
  tally_.add(std::span(keys).first(count));
  return true;
}

// Nothing: not canonical. The same identity may stand twice in a step, so the memory is asked again.
std::optional<Known> BatchFold::learn(std::uint64_t hash, ByteView identity) {
  if (const auto* entry = memo_.find(hash, identity)) return entry->known;
  ++misses_;
  const auto proven = wire::prove_identity(identity);
  if (!proven) return std::nullopt;
  const Known known = judge(*proven);
  if (known == Known()) unmatched_.learned(identity, now_ms_);
  memo_.remember(hash, identity, known);
  return known;
}

Known BatchFold::judge(const wire::Identity& identity) const {
  std::vector<slo::Label> labels;
  labels.reserve(identity.labels.size());
  for (const wire::LabelView& label : identity.labels) labels.push_back({label.key, label.value});
  const slo::Identity named{.service = identity.service, .operation = identity.operation, .labels = labels};
  if (const auto fault = identity_fault(named, options_)) return Known::rejected(*fault);
  const slo::MatchSetId set = matcher_->match(named);
  return set == slo::no_match_set ? Known::rejected(EventFault::match_sets_full) : Known::matches(set);
}

// Nothing: not to be counted, or wanted by no SLO.
std::optional<std::uint64_t> BatchFold::cell_key_of(const wire::EventView& event, Known known,
                                                    const CountedTimes& times, Bucket arrival, Folded& folded) const {
  const auto reject = [&folded](EventFault fault) {
    ++folded.rejected[static_cast<std::size_t>(fault) - 1];
    return std::nullopt;
  };
  if (known.is_rejected()) return reject(known.fault());
  if (event.request_id_size > options_.most_request_id_bytes) return reject(EventFault::request_id_too_long);
  Bucket bucket = arrival;
  if (event.has_time) {
    switch (times.judge(event.time_unix_ns)) {
      case Timing::on_time:
        bucket = times.bucket(event.time_unix_ns);
        break;
      case Timing::too_old:
        ++folded.late;
        return std::nullopt;
      case Timing::in_the_future:
        return reject(EventFault::in_the_future);
    }
  }
  ++folded.accepted;
  const slo::MatchSet& set = sets_.at(known.set());
  folded.fanout_dropped += set.dropped();
  if (known.set() == slo::empty_match_set) {
    ++folded.unmatched;
    return std::nullopt;
  }
  return slo::cell_key(known.set(), set.event_class(outcome_of(event), duration_of(event)), bucket);
}

}  // namespace nissa::fold
