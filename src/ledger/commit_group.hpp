// From batches to records to answers: one group is open and takes what comes, at most one is in flight.
//
// A key is absent, pending (in the open group or the one in flight, with all who wait for it) or counted. A batch is
// merged only if its key is absent; a twin of a pending key waits with the first, and neither is answered before the
// group's fate is known. A batch without a key is merged each time it comes. This is the core that exactly-once
// counting hangs on: pure, driven by its caller (ledger_component, the simulator), no clock and no thread of its own.
//
//   submit ... submit → close → (commit) → apply the record, then durable     all who wait are answered
//                                        → failed                            all are refused, keys are absent again
//                                        → the disk is full: nothing; the caller commits the same record again
//
// Cost: 60 – 180 ns a batch from submit to its answer, its apply included; 5 ns a cell beside it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "ledger/epochs.hpp"
#include "ledger/group.hpp"
#include "ledger/group_counts.hpp"
#include "ledger/ledger_counters.hpp"
#include "ledger/options.hpp"
#include "ledger/record.hpp"
#include "ledger/submission.hpp"
#include "slo/match_set.hpp"

namespace nissa::ledger {

// When the open group is committed: at once if the last commit ended long enough ago, else at that spacing, so that
// what comes meanwhile shares one fsync. The same in every mode: smaller groups would cost more, not less.
constexpr BootNs commit_at(BootNs now_ns, BootNs last_ended_ns, std::int64_t spacing_ns) {
  return std::max(now_ns, last_ended_ns + spacing_ns);
}

class CommitGroup {
 public:
  // All outlive it. `epochs` is moved by its owner's apply alone; here it is asked. `now`: of the state as it stands.
  CommitGroup(Epochs& epochs, const slo::MatchSets& sets, LedgerCounters& counters, CommitOptions options, StateNow now,
              std::uint64_t hash_seed = 0);

  // --- What comes in.
  // False: the open group is full, or there is no memory for what submit() answers; the submission has to wait until
  // the group closes or the one in flight is answered.
  bool has_room(const Submission& submission);
  // The answers that need no record: duplicates, conflicts, refusals; for submission.reply_to. The others wait. A batch
  // without memory for it is refused (no_room), and the group is as before. Without has_room() before it, and memory
  // for the answers: nothing is merged, and nothing is answered.
  std::vector<Answer> submit(const Submission& submission, BootNs now_ns);

  enum class Goodbye : std::uint8_t {
    done,     // nothing of this epoch can be counted any more
    pending,  // until goodbye_pending() is false
    no_room,  // the open group is full, or there is no memory: not taken. The epoch is forgotten in the end, as any
  };
  Goodbye goodbye(Epoch epoch, const EpochSeen& seen);
  bool goodbye_pending(Epoch epoch) const;

  // Goes into the next record. One change at a time: it was planned on the definitions as they stand.
  void propose(std::vector<Define> defines, std::vector<slo::SloId> retired);
  bool definitions_pending() const;

  // From now on what would be merged is refused by this name (shutting_down, disk_full, journal); none: taken again.
  // For that there is always room.
  void refuse_new(Reason reason) { refusing_ = reason; }
  Reason refusing() const { return refusing_; }

  // --- The life of a group.
  bool anything_open() const { return !open_.empty(); }
  bool is_in_flight() const { return in_flight_now_; }
  // Also to commit it once more, after the disk was full.
  const Record& record_in_flight() const { return in_flight_.record; }
  // Nothing is in flight. The open group, empty or not (then the record is a TICK), is in flight from here on. Decides
  // which epochs are forgotten. The record stands until durable() or failed(). nullptr: there is no memory for it, or
  // `ready` said so, who has what applying and writing it will need; the group is open as before. What becomes of the
  // group afterwards needs no memory here.
  using Ready = std::function<bool(const Record&)>;
  const Record* close(Lsn lsn, UnixMs ledger_ms, RunningMs running_ms, const Ready& ready = nullptr);
  // The record is durable and has been applied.
  std::vector<Delivery> durable();
  // The fate of the record is unknown, and the file is never trusted again. Batches are refused, for their agents still
  // have them; what nobody would repeat (Goodbyes, definitions) goes into the open group.
  std::vector<Delivery> failed();
  // Those who have waited too long are told journal_slow, once. Their keys stay pending: the group may get through.
  // Without memory for that they are told nothing but what becomes of the group.
  std::vector<Delivery> tell_slow(BootNs now_ns);
  // The same for all who wait: the end of a drain.
  std::vector<Delivery> tell_all_slow();
  // When tell_slow next has something to say; the greatest time if nobody waits.
  BootNs next_slow_at() const;

  std::size_t open_bytes() const { return open_.bytes; }

 private:
  // What an epoch's batches meet, as far as it is the same for all of them.
  struct Door {
    Epoch epoch = 0;
    Reason closed = Reason::none;
    const EpochState* known = nullptr;
  };
  Door door_of(Epoch epoch, const EpochSeen& seen) const;
  // Where this key is pending; nullptr: it is not.
  Group* group_of(const BatchKey& key);
  // False: there is no memory for one more who waits.
  bool join_twin(Group& group, const BatchLine& line, const Submission& submission, BootNs now_ns);
  void join(Group& group, const BatchLine& line, const Submission& submission, Role role, BootNs now_ns);
  // none: it is merged. Else why not.
  Reason merge(const BatchLine& line, const Submission& submission, const Door& door, BootNs now_ns);
  Reason merge_unkeyed(const BatchLine& line, const Submission& submission, BootNs now_ns);
  // Why nothing is merged now, whatever it is.
  Reason closed_to(const BatchLine& line, const Submission& submission) const;
  // What its stream and its epoch will take once applied, beyond what the group has reserved; nullopt: too much.
  std::optional<std::size_t> growth_of(const BatchLine& line, const Submission& submission, const Door& door) const;
  // Its counts, and its waiter: the memory for both, then they themselves.
  void make_room(const BatchLine& line, const Submission& submission);
  void add(const BatchLine& line, const Submission& submission, Role role, BootNs now_ns);
  bool answers_ready(const Submission& submission);
  void end_flight();
  Record make_record(RunningMs running_ms);
  void fill_epochs(const Group& group, Record& record) const;
  void fill_ended(const Group& group, Record& record) const;

  Answer answer(const BatchLine& line, AckStatus status, Reason reason = Reason::none);
  Answer refuse(const BatchLine& line, Reason reason);
  Answer final_answer(const Waiter& waiter);
  std::uint32_t retry_after_ms(Reason reason) const;
  template <class F>
  std::vector<Delivery> tell_all(Group& group, F answer_of);
  template <class F>
  void tell(Waiter& waiter, Delivery& delivery, F answer_of);
  ClassBooks& books(const BatchLine& line) { return counters_.of(line.key); }

  Epochs& epochs_;
  const slo::MatchSets& sets_;
  LedgerCounters& counters_;
  const CommitOptions options_;
  StateNow now_;
  Group open_;
  Group in_flight_;
  bool in_flight_now_ = false;
  std::size_t joined_late_bytes_ = 0;  // of open_.bytes: of those who joined the group in flight
  GroupCounts counts_;                 // of the open group
  Reason refusing_ = Reason::none;
  std::vector<Answer> answers_;  // empty but for its memory
};

}  // namespace nissa::ledger
