#include "support/model_server.hpp"

#include <algorithm>

namespace nissa::test {

using wire::AckStatus;

void ModelServer::sent(const wire::BatchHeader& header, std::uint64_t tag) {
  const auto offence = [this](const char* what) { offences.emplace_back(what); };
  if (header.epoch == 0 || header.sequence == 0) offence("an epoch or a number is 0");
  if (header.settled_below > header.sequence) offence("settled_below above the number");
  if (header.sequence - header.settled_below >= 256) offence("a number beyond the window");
  if (body_of_.emplace(header.key(), tag).first->second != tag) offence("another body under one key");
  if (seen_of_.emplace(header.epoch, header.epoch_seen).first->second != header.epoch_seen)
    offence("two epoch_seen in one epoch");
  if (said_goodbye_.contains(header.epoch)) offence("an epoch used after its Goodbye");
}

bool ModelServer::acceptable(const EpochSeen& seen) const {
  return seen.state_id == now.state_id && seen.running_ms <= now.running_ms &&
         now.running_ms - seen.running_ms < memory_ms;
}

void ModelServer::receive(int connection, const wire::BatchHeader& header, std::uint64_t tag) {
  const BatchKey key = header.key();
  if (const auto twin = group_.find(key); twin != group_.end()) {
    twin->second.waiters.emplace_back(connection, tag);
    return;
  }
  const auto epoch = epochs_.find(header.epoch);
  if (epoch == epochs_.end()) {
    if (tombstones_.contains(header.epoch) || !acceptable(header.epoch_seen))
      return answer(connection, key, AckStatus::refused, Reason::unknown_epoch);
  } else {
    const StreamState& stream = epoch->second.streams[header.priority];
    if (header.sequence < stream.low) return answer(connection, key, AckStatus::duplicate, Reason::below_low);
    if (const auto old = stream.settled.find(header.sequence); old != stream.settled.end())
      return answer(connection, key, old->second == tag ? AckStatus::duplicate : AckStatus::conflict);
    if (header.sequence - std::max(stream.low, header.settled_below) >= 256 && header.sequence > stream.low)
      return answer(connection, key, AckStatus::refused, Reason::window_full);
  }
  if (refuse_with != Reason::none) return answer(connection, key, AckStatus::refused, refuse_with);
  group_.emplace(key, Pending{header, tag, {{connection, tag}}});
}

void ModelServer::goodbye(const wire::Goodbye& goodbye) {
  said_goodbye_.insert(goodbye.epoch);
  if (waits_in_group(goodbye.epoch) || !epochs_.contains(goodbye.epoch)) return;
  epochs_.erase(goodbye.epoch);
  tombstones_.insert(goodbye.epoch);
}

bool ModelServer::waits_in_group(Epoch epoch) const {
  return std::any_of(group_.begin(), group_.end(), [epoch](const auto& line) { return line.first.epoch == epoch; });
}

void ModelServer::apply(const Pending& line) {
  EpochState& epoch = epochs_[line.header.epoch];
  epoch.last_record = now.running_ms;
  StreamState& stream = epoch.streams[line.header.priority];
  stream.low = std::max(stream.low, line.header.settled_below);
  stream.settled.erase(stream.settled.begin(), stream.settled.lower_bound(stream.low));
  stream.settled.emplace(line.header.sequence, line.tag);
  ++counted[line.tag];
}

void ModelServer::commit() {
  for (const auto& [key, line] : group_) {
    apply(line);
    bool first = true;
    for (const auto& [connection, tag] : line.waiters) {
      answer(connection, key,
             tag != line.tag ? AckStatus::conflict
             : first         ? AckStatus::counted
                             : AckStatus::duplicate);
      first = false;
    }
  }
  group_.clear();
}

void ModelServer::fail(bool counted_yet) {
  for (const auto& [key, line] : group_) {
    if (counted_yet) apply(line);
    for (const auto& [connection, tag] : line.waiters) answer(connection, key, AckStatus::refused, Reason::journal);
  }
  group_.clear();
}

void ModelServer::slow() {
  for (auto& [key, line] : group_) {
    for (const auto& [connection, tag] : line.waiters)
      answer(connection, key, AckStatus::refused, Reason::journal_slow);
    line.waiters.clear();
  }
}

void ModelServer::forget_old() {
  std::erase_if(epochs_, [this](const auto& entry) {
    return now.running_ms - entry.second.last_record >= memory_ms && !waits_in_group(entry.first);
  });
}

void ModelServer::begin_anew() {
  now = {now.state_id + 1, 0};
  epochs_.clear();
  tombstones_.clear();
  group_.clear();
}

void ModelServer::answer(int connection, const BatchKey& key, AckStatus status, Reason reason) {
  wire::Ack ack;
  ack.key = key;
  ack.status = status;
  ack.reason = reason;
  ack.final = status == AckStatus::refused && is_final(reason);
  if (status == AckStatus::refused && !ack.final) ack.retry_after_ms = retry_after_ms;
  ack.now = now;
  answers.push_back({connection, ack});
}

}  // namespace nissa::test
