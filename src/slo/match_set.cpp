#include "slo/match_set.hpp"

#include <algorithm>
#include <limits>

#include "base/violation.hpp"

namespace nissa::slo {
namespace {

// Any duration inside the bracket stands for all of it: the verdict is the same for each.
std::int64_t duration_in_bracket(std::span<const std::int64_t> thresholds_ns, std::uint32_t bracket) {
  if (bracket < thresholds_ns.size()) return thresholds_ns[bracket];
  if (bracket == thresholds_ns.size()) return std::numeric_limits<std::int64_t>::max();
  return no_duration;
}

}  // namespace

MatchSet::MatchSet() : MatchSet({}, 0) {}

MatchSet::MatchSet(std::vector<Member> members, std::uint32_t dropped) : dropped_(dropped) {
  if (members.size() > max_set_members) {
    violation("slo", "a match set has at most 64 members");
    members.resize(max_set_members);
  }
  std::vector<std::int64_t> thresholds_ns;  // ascending, distinct
  for (const Member& member : members) {
    slos_.push_back(member.slo);
    if (member.criterion.kind == SliKind::latency) thresholds_ns.push_back(member.criterion.threshold_ns);
  }
  std::ranges::sort(thresholds_ns);
  thresholds_ns.erase(std::ranges::unique(thresholds_ns).begin(), thresholds_ns.end());
  if (!thresholds_ns.empty()) brackets_ = static_cast<std::uint32_t>(thresholds_ns.size()) + 2;
  const std::size_t near = std::min(thresholds_ns.size(), near_thresholds);
  near_thresholds_ns_.fill(std::numeric_limits<std::int64_t>::max());
  std::copy_n(thresholds_ns.begin(), near, near_thresholds_ns_.begin());
  far_thresholds_ns_.assign(thresholds_ns.begin() + static_cast<std::ptrdiff_t>(near), thresholds_ns.end());
  verdicts_.assign(class_count(), Verdicts{});
  for (const Outcome outcome : all_outcomes) {
    for (std::uint32_t bracket = 0; bracket < brackets_; ++bracket) {
      Verdicts& verdicts = verdicts_[index_of(outcome) * brackets_ + bracket];
      const std::int64_t duration_ns = duration_in_bracket(thresholds_ns, bracket);
      for (std::size_t i = 0; i < members.size(); ++i) {
        const Verdict verdict = verdict_of(members[i].criterion, outcome, duration_ns);
        if (verdict != Verdict::ignored) verdicts.counted |= std::uint64_t{1} << i;
        if (verdict == Verdict::good) verdicts.good |= std::uint64_t{1} << i;
      }
    }
  }
}

Verdict MatchSet::verdict(std::uint32_t event_class, std::size_t member) const {
  const std::uint64_t bit = std::uint64_t{1} << member;
  if ((counted_members(event_class) & bit) == 0) return Verdict::ignored;
  return (good_members(event_class) & bit) != 0 ? Verdict::good : Verdict::bad;
}

std::size_t MatchSet::memory_bytes() const {
  return sizeof *this + slos_.capacity() * sizeof(SloId) + far_thresholds_ns_.capacity() * sizeof(std::int64_t) +
         verdicts_.capacity() * sizeof(Verdicts);
}

MatchSets::MatchSets(std::uint32_t limit, std::size_t most_bytes)
    : limit_(std::min(limit, 1u << cell_set_bits)), most_bytes_(most_bytes), chunks_(limit_ / chunk_sets + 1) {
  intern({});
}

MatchSets::~MatchSets() {
  for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

MatchSetId MatchSets::intern(std::vector<Member> members, std::uint32_t dropped) {
  std::ranges::sort(members, {}, &Member::slo);
  std::vector<std::uint32_t> key{dropped};
  for (const Member& member : members) key.push_back(member.slo);
  const Lock lock(mutex_);
  if (const auto known = ids_.find(key); known != ids_.end()) return known->second;
  const std::uint32_t id = size_.load(std::memory_order_relaxed);
  if (id >= limit_ && id > 0) return no_match_set;
  MatchSet set(std::move(members), dropped);
  constexpr std::size_t node_bytes = 80;  // of the map, with its key's header
  const std::size_t bytes = set.memory_bytes() + node_bytes + key.capacity() * sizeof(std::uint32_t);
  if (bytes_ + bytes > most_bytes_ && id > 0) return no_match_set;
  // First all that may find no memory, then what has to be whole: who reads the id has it from here.
  std::atomic<Chunk*>& slot = chunks_[id / chunk_sets];
  if (slot.load(std::memory_order_relaxed) == nullptr) slot.store(new Chunk, std::memory_order_release);
  ids_.emplace(std::move(key), id);
  slot.load(std::memory_order_relaxed)->sets[id % chunk_sets] = std::move(set);
  bytes_ += bytes;
  size_.store(id + 1, std::memory_order_relaxed);
  return id;
}

std::size_t MatchSets::memory_bytes() const {
  const Lock lock(mutex_);
  return bytes_;
}

}  // namespace nissa::slo
