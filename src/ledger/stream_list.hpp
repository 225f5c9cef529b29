// What the memory of keys looks like from outside: for /api/v2/streams.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "ledger/epochs.hpp"

namespace nissa::ledger {

struct StreamView {
  Sequence low = 1;  // all below are settled
  Sequence top = 1;  // one more than the highest settled number
  bool used = false;
};

struct EpochView {
  Epoch epoch = 0;
  EpochSeen seen;
  RunningMs last_running_ms = 0;
  std::string agent;
  std::string principal;
  std::array<StreamView, priority_count> streams;  // by index_of(priority)
};

struct StreamList {
  std::size_t epochs = 0;  // in all
  std::size_t bytes = 0;
  std::size_t tombstones = 0;
  RunningMs running_ms = 0;
  RunningMs floor = 0;
  std::vector<EpochView> latest;  // those begun or looked at last come first
};

// At most `most` epochs: about 0.5 µs each.
StreamList list_streams(const Epochs& epochs, RunningMs running_ms, std::size_t most);

}  // namespace nissa::ledger
