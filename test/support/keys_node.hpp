// The keys half of a ledger in one hand: epochs, groups, and a journal that is a list of records.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ledger/commit_group.hpp"

namespace nissa::test {

class Inbox final : public ledger::ReplyTo {
 public:
  void deliver(std::vector<ledger::Answer> answers) override {
    ++deliveries;
    all.insert(all.end(), answers.begin(), answers.end());
  }
  std::vector<ledger::Answer> take() { return std::exchange(all, {}); }
  std::vector<ledger::Answer> all;
  int deliveries = 0;
};

struct KeysNode {
  static constexpr std::uint64_t state_id = 77;

  explicit KeysNode(ledger::CommitOptions commit = {}, ledger::EpochLimits limits = {}, std::uint64_t seed = 5)
      : options(commit), epochs(limits, seed) {
    set = sets.intern({{.slo = 3, .criterion = {}}});
    start();
  }
  void start() {
    counters = std::make_unique<ledger::LedgerCounters>();
    group = std::make_unique<ledger::CommitGroup>(epochs, sets, *counters, options,
                                                  ledger::StateNow{state_id, running_ms}, 9);
  }
  ledger::StateNow now() const { return {state_id, running_ms}; }

  ledger::BatchLine line(Epoch epoch, Sequence sequence, Sequence below = 1, std::uint32_t body = 1,
                         Priority priority = Priority::normal) const {
    ledger::BatchLine made;
    made.key = {epoch, priority, sequence};
    made.settled_below = below;
    made.print = {100, body};
    made.cell_count = 1;
    made.event_count = 1;
    made.accepted = 1;
    made.token = body;
    return made;
  }
  // Each line counts one event, in the bucket numbered as its body.
  void submit(std::vector<ledger::BatchLine> lines, EpochSeen seen, std::shared_ptr<Inbox> to = nullptr) {
    ledger::Submission submission;
    for (ledger::BatchLine& one : lines) {
      one.first_cell = static_cast<std::uint32_t>(submission.cells.size());
      submission.cells.push_back({slo::cell_key(set, 0, static_cast<Bucket>(one.print.crc32c)), 1});
    }
    submission.lines = std::move(lines);
    submission.epoch_seen = seen;
    submission.sender = sender;
    submission.reply_to = to ? to : inbox;
    auto answers = group->submit(submission, now_ns);
    if (!answers.empty()) submission.reply_to->deliver(std::move(answers));
  }
  void submit(ledger::BatchLine one) { submit({one}, seen()); }
  EpochSeen seen() const { return {state_id, running_ms}; }

  const ledger::Record& close(RunningMs later_ms = 10) {
    ledger_ms += static_cast<UnixMs>(later_ms);
    return *group->close(lsn + 1, ledger_ms, running_ms + later_ms);
  }
  void durable() {
    const ledger::Record record = group->record_in_flight();
    epochs.apply(record);
    journal.push_back(record);
    lsn = record.lsn;
    running_ms = record.running_ms;
    tell(group->durable());
  }
  void failed() { tell(group->failed()); }
  void slow() { tell(group->tell_slow(now_ns)); }
  void commit(RunningMs later_ms = 10) {
    close(later_ms);
    durable();
  }
  static void tell(std::vector<ledger::Delivery> deliveries) {
    for (ledger::Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
  }
  // kill -9 and a start: memory is gone, the records are not.
  void crash(ledger::EpochLimits limits = {}, std::uint64_t seed = 6) {
    epochs = ledger::Epochs(limits, seed);
    lsn = 0;
    running_ms = 0;
    for (const ledger::Record& record : journal) {
      epochs.apply(record);
      lsn = record.lsn;
      running_ms = record.running_ms;
      ledger_ms = record.ledger_ms;
    }
    start();
  }
  // How often the body was counted, by the durable records.
  std::map<std::uint32_t, std::uint64_t> counted() const {
    std::map<std::uint32_t, std::uint64_t> sums;
    for (const ledger::Record& record : journal)
      for (const ledger::BucketCount& count : record.counts)
        sums[static_cast<std::uint32_t>(count.bucket)] += count.total;
    return sums;
  }
  bool balanced() const {
    for (const auto& books : counters->classes)
      if (!books.balanced()) return false;
    return true;
  }

  ledger::CommitOptions options;
  slo::MatchSets sets;
  slo::MatchSetId set = 0;
  ledger::Epochs epochs;
  std::unique_ptr<ledger::LedgerCounters> counters;
  std::unique_ptr<ledger::CommitGroup> group;
  std::shared_ptr<const ledger::Sender> sender =
      std::make_shared<ledger::Sender>(ledger::Sender{.agent = "agent-1", .principal = "127.0.0.1"});
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  std::vector<ledger::Record> journal;
  ledger::Lsn lsn = 0;
  UnixMs ledger_ms = 1'750'000'000'000;
  RunningMs running_ms = 0;
  BootNs now_ns = 1'000'000'000;
};

inline constexpr RunningMs hour_ms = 3'600'000;
inline constexpr RunningMs day_ms = 24 * hour_ms;

}  // namespace nissa::test
