#include "ledger/group.hpp"

#include "ledger/table_room.hpp"

namespace nissa::ledger {

void Group::make_room_for_waiter(const std::shared_ptr<ReplyTo>& reply) {
  make_room(waiters, 1);
  if (!answers_ready) {
    make_room(replies, 1);
    make_room(reply_places, 1);
    return;
  }
  Delivery& late = replies[place_of(reply)];  // whoever joins now is told with the others
  if (late.answers.capacity() <= late.waiters) late.answers.reserve(2 * std::size_t{late.waiters} + 1);
}

void Group::make_room_for_key(Epoch epoch) {
  make_room(firsts, 1);
  if (epoch_places.contains(epoch)) return;
  make_room(epochs, 1);
  make_room(epoch_places, 1);
}

void Group::make_room_for_answers() {
  for (Delivery& one : replies) one.answers.reserve(one.waiters);
}

std::uint32_t Group::place_of(const std::shared_ptr<ReplyTo>& reply) {
  const auto known = reply_places.find(reply.get());
  if (known != reply_places.end()) return known->second;
  make_room(replies, 1);
  const auto place = static_cast<std::uint32_t>(replies.size());
  reply_places.emplace(reply.get(), place);
  replies.push_back({.to = reply});
  return place;
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
  answers_ready = false;
  record = Record{};
}

}  // namespace nissa::ledger
