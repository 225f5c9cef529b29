#include "ledger/stream_list.hpp"

namespace nissa::ledger {

StreamList list_streams(const Epochs& epochs, RunningMs running_ms, std::size_t most) {
  StreamList list{.epochs = epochs.size(),
                  .bytes = epochs.budget().used(),
                  .tombstones = epochs.tombstones(),
                  .running_ms = running_ms,
                  .floor = epochs.floor(),
                  .latest = {}};
  for (const Epoch epoch : epochs.latest(most)) {
    const EpochState& state = *epochs.find(epoch);
    EpochView view{.epoch = epoch,
                   .seen = state.seen,
                   .last_running_ms = state.last_running_ms,
                   .agent = state.agent,
                   .principal = state.principal,
                   .streams = {}};
    for (std::size_t i = 0; i < priority_count; ++i)
      view.streams[i] = {state.streams[i].low(), state.streams[i].top(), !state.streams[i].untouched()};
    list.latest.push_back(std::move(view));
  }
  return list;
}

}  // namespace nissa::ledger
