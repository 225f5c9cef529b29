// The SLOs that an identity belongs to, as one interned thing with the verdicts worked out beforehand.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.hpp"
#include "slo/cell.hpp"
#include "slo/sli.hpp"
#include "slo/slo_id.hpp"

namespace nissa::slo {

inline constexpr std::size_t max_set_members = 64;

struct Member {
  SloId slo = 0;
  Criterion criterion;
};

// Immutable once made: any thread. What is read for every event fills one cache line; what is read for every cell,
// another.
class alignas(64) MatchSet {
 public:
  MatchSet();  // no SLO matches
  // At most 64 members, in ascending order of SLO, each once.
  MatchSet(std::vector<Member> members, std::uint32_t dropped);

  // outcome × brackets + bracket, where the bracket says between which latency thresholds of the set the duration lies,
  // or that there is none (no_duration). A few nanoseconds. Below class_count() <= 5 × 66 = 330.
  std::uint32_t event_class(Outcome outcome, std::int64_t duration_ns) const {
    std::uint32_t bracket = brackets_ - 1;
    if (duration_ns != no_duration) {
      bracket = 0;
#pragma clang loop vectorize(disable)
      for (const std::int64_t threshold : near_thresholds_ns_) bracket += duration_ns > threshold ? 1 : 0;
#pragma clang loop vectorize(disable)
      for (const std::int64_t threshold : far_thresholds_ns_) bracket += duration_ns > threshold ? 1 : 0;
    }
    return static_cast<std::uint32_t>(index_of(outcome)) * brackets_ + bracket;
  }
  std::uint32_t class_count() const { return brackets_ * static_cast<std::uint32_t>(outcome_count); }

  std::span<const SloId> members() const { return slos_; }
  // Bit i is member i. To expand a cell: walk the bits of counted_members.
  std::uint64_t counted_members(std::uint32_t event_class) const { return verdicts_[event_class].counted; }
  std::uint64_t good_members(std::uint32_t event_class) const { return verdicts_[event_class].good; }
  Verdict verdict(std::uint32_t event_class, std::size_t member) const;
  // How many SLOs matched beyond the 64 that count (slo_fanout_dropped).
  std::uint32_t dropped() const { return dropped_; }
  std::size_t memory_bytes() const;

 private:
  struct Verdicts {
    std::uint64_t counted = 0;
    std::uint64_t good = 0;  // a subset of counted
  };
  // A set has a few thresholds: as many comparisons for all sets, so that none depends on a branch. A place without a
  // threshold holds one that no duration exceeds.
  static constexpr std::size_t near_thresholds = 4;
  std::array<std::int64_t, near_thresholds> near_thresholds_ns_;
  std::vector<std::int64_t> far_thresholds_ns_;
  std::uint32_t brackets_ = 1;
  std::uint32_t dropped_ = 0;
  std::vector<Verdicts> verdicts_;
  std::vector<SloId> slos_;
};

// All match sets ever met, append-only: an id stays good for the life of the process, across reloads. Bounded in number
// and in bytes, because labels come from outside and n SLOs that select by labels can make 2^n sets, of up to 6 KB.
class MatchSets {
 public:
  static constexpr std::uint32_t default_limit = 1u << 18;
  static constexpr std::size_t default_most_bytes = std::size_t{64} << 20;  // about 0.4 KB for a set of a few SLOs
  explicit MatchSets(std::uint32_t limit = default_limit, std::size_t most_bytes = default_most_bytes);
  ~MatchSets();
  MatchSets(const MatchSets&) = delete;
  MatchSets& operator=(const MatchSets&) = delete;

  // Any thread; takes a lock. Members in any order, at most 64; the same SLO always with the same criterion (an id is
  // permanent). Without members and dropped: empty_match_set. When either limit is reached: no_match_set.
  MatchSetId intern(std::vector<Member> members, std::uint32_t dropped = 0);
  // Any thread, lock-free. The id came from intern and is not no_match_set. Valid for as long as this lives.
  const MatchSet& at(MatchSetId id) const {
    return chunks_[id / chunk_sets].load(std::memory_order_acquire)->sets[id % chunk_sets];
  }
  std::uint32_t size() const { return size_.load(std::memory_order_relaxed); }
  // Takes the lock.
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t chunk_sets = 1024;
  struct Chunk {
    std::array<MatchSet, chunk_sets> sets;
  };
  const std::uint32_t limit_;
  const std::size_t most_bytes_;
  std::vector<std::atomic<Chunk*>> chunks_;  // owned; a vector of fixed size, so that readers never see it move
  std::atomic<std::uint32_t> size_{0};
  mutable Mutex mutex_;
  std::size_t bytes_ NISSA_GUARDED_BY(mutex_) = 0;                                 // of the sets and what finds them
  std::map<std::vector<std::uint32_t>, MatchSetId> ids_ NISSA_GUARDED_BY(mutex_);  // {dropped, slo...} → id
};

}  // namespace nissa::slo
