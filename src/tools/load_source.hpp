// One connection's share of the load: which batch is due when, what is outstanding, what became of it.
// On the load's one strand. The bodies are made at each sending and never kept: 24 bytes an outstanding batch.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "client/connection.hpp"
#include "tools/latency_log.hpp"
#include "tools/load_plan.hpp"

namespace nissa::tools {

// What all connections share.
struct LoadBooks {
  std::uint64_t next_number = 0;  // of a batch
  std::uint64_t batches_made = 0, batches_settled = 0;
  std::uint64_t events_counted = 0;  // COUNTED and DUPLICATE
  std::uint64_t events_duplicate = 0;
  std::uint64_t events_refused = 0, events_uncertain = 0, events_abandoned = 0;
  std::uint64_t events_late = 0, events_rejected = 0;
  std::uint64_t links_up = 0;
  std::string last_trouble;  // of a connection
  LoadTally tally;
  LatencyLog latency;  // from the moment a batch was due to its answer, of those due in the measured time
  BootNs measure_from = 0, measure_to = 0;
};

struct LoadPace {
  BootNs first_due = 0;
  std::int64_t every_ns = 0;           // 0: as many as `depth` allows, always
  std::uint32_t depth = 64;            // batches outstanding a connection, at most
  std::uint64_t most_batches = ~0ULL;  // of all connections
};

class LoadSource final : public client::BatchSource {
 public:
  LoadSource(const LoadPlan& plan, const Clock& clock, LoadPace pace, LoadBooks& books)
      : plan_(plan), clock_(clock), pace_(pace), books_(books), next_due_(pace.first_due) {}

  // Nothing new from now on.
  void end() { ended_ = true; }
  bool idle() const { return outstanding_.empty(); }

  std::optional<BootNs> fill(client::Stream& stream, BootNs now) override;
  void settled(const client::Settlement& settlement, BootNs now) override;
  void append_body(const client::Body& body, Bytes& out) override;
  void link_changed(bool up, std::string_view why) override;

 private:
  struct Outstanding {
    PlannedBatch batch;
    BootNs due = 0;
    bool made = false;  // its events stand in the tally
    bool settled = false;
  };
  bool enqueue(client::Stream& stream, BootNs due);

  const LoadPlan& plan_;
  const Clock& clock_;
  const LoadPace pace_;
  LoadBooks& books_;
  BootNs next_due_;
  UnixNs wall_ns_ = 0;
  std::deque<Outstanding> outstanding_;  // index: tag − first_tag_
  std::uint64_t first_tag_ = 0;
  bool ended_ = false;
};

}  // namespace nissa::tools
