#include "ledger/group.hpp"

namespace nissa::ledger {

std::uint32_t Group::place_of(const std::shared_ptr<ReplyTo>& reply) {
  const auto [place, fresh] = reply_places.try_emplace(reply.get(), static_cast<std::uint32_t>(replies.size()));
  if (fresh) replies.push_back(reply);
  return place->second;
}

GroupEpoch& Group::epoch_of(Epoch epoch, const EpochSeen& seen, const std::shared_ptr<const Sender>& sender) {
  const auto [place, fresh] = epoch_places.try_emplace(epoch, static_cast<std::uint32_t>(epochs.size()));
  if (fresh) epochs.push_back({.epoch = epoch, .seen = seen, .sender = sender});
  return epochs[place->second];
}

void Group::clear() {
  waiters.clear();
  heard = 0;
  replies.clear();
  epochs.clear();
  ended.clear();
  defines.clear();
  retired.clear();
  batches = 0;
  bytes = 0;
  reserved.clear();
  firsts.clear();
  epoch_places.clear();
  closing.clear();
  reply_places.clear();
  record = Record{};
}

}  // namespace nissa::ledger
