// What the load generator sends: bodies that are a function of the batch's number alone (so nothing is kept for
// resending), made from prebuilt identities with heads patched in place; and what they must add up to in each SLO.
// Pure. 10 – 15 ns an event while the identities fit into the processor's caches.
//
// Series: each has a service, an operation and its labels; every event of a batch has another one, and every batch
// begins elsewhere and takes other steps. Each service belongs to `slos_per_event` SLOs and no other: the first is of
// availability, the others of latency at different thresholds, failures counted as bad; so every event counts in each.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/time_types.hpp"

namespace nissa::tools {

enum class Disorder : std::uint8_t {
  sorted,    // ascending in a batch, up to its base time
  shuffled,  // in any order within the minute before it
  days,      // anywhere within the 29 days before it
};

struct LoadShape {
  std::uint32_t batch_events = 100;     // 1 … 1 000
  std::uint32_t series = 10'000;        // 1 … 1 000 000
  std::uint32_t services = 250;         // 1 … 10 000, at most `series`
  std::uint32_t slos_per_event = 4;     // 1 … 16
  std::uint32_t labels = 5;             // 0 … 8
  std::uint32_t failure_every = 1'000;  // the n-th event of all is a failure; 0: none
  Disorder disorder = Disorder::shuffled;
};

struct PlannedBatch {
  std::uint64_t number = 0;  // from 0, of all connections
  UnixNs base_time = 0;
};

inline constexpr std::size_t load_classes = 9;  // eight durations, and failures

// Events by service and class: what was made, so what must be found.
using LoadTally = std::vector<std::array<std::uint64_t, load_classes>>;

struct ExpectedSlo {
  std::string name;
  std::uint64_t good = 0;
  std::uint64_t total = 0;
};

class LoadPlan {
 public:
  explicit LoadPlan(LoadShape shape);

  const LoadShape& shape() const { return shape_; }
  std::uint32_t body_size(const PlannedBatch& batch) const;
  // Appends exactly body_size() bytes; counts the events in `tally`, unless it is null.
  void append_body(const PlannedBatch& batch, Bytes& out, LoadTally* tally) const;
  LoadTally empty_tally() const { return LoadTally(shape_.services); }
  double bytes_per_event() const { return static_cast<double>(ok_.size); }

  std::vector<ExpectedSlo> expected(const LoadTally& tally) const;
  // [[slo]] tables for nissa.toml.
  std::string slo_configuration() const;

 private:
  // The bytes of an event up to its identity.
  struct Head {
    std::array<Byte, 32> bytes{};
    std::uint32_t head_size = 0;
    std::uint32_t size = 0;  // of the whole event
    std::uint32_t time_at = 0, duration_at = 0;
  };
  Head make_head(bool failure) const;
  std::uint64_t failures_in(std::uint64_t first_event, std::uint64_t count) const;

  LoadShape shape_;
  Bytes identities_;  // all of one size: series i at i · identity_size_
  std::uint32_t identity_size_ = 0;
  Head ok_, failed_;
  std::array<std::uint32_t, 64> steps_{};
};

}  // namespace nissa::tools
