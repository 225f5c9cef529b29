// A server that answers by the rules of docs/protocol.md, as simply as they can be written, and remembers for ever what
// it counted. Groups, failures and forgetting happen when the test says so. Expectations on the agent are checked here.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/stream_types.hpp"

namespace nissa::test {

struct Answered {
  int connection = 0;
  wire::Ack ack;
};

class ModelServer {
 public:
  EpochSeen now{1, 1'000'000'000};

  // The agent lets go of a frame, which may come in at any time, or never.
  void sent(const wire::BatchHeader& header, std::uint64_t tag);
  // A frame of `connection` came; an answer at once (duplicate, refused), or none yet: it is pending.
  void receive(int connection, const wire::BatchHeader& header, std::uint64_t tag);
  void goodbye(const wire::Goodbye& goodbye);
  bool knows(Epoch epoch) const { return epochs_.contains(epoch); }

  void commit();                // the open group is durable
  void fail(bool counted_yet);  // its fate is unknown: REFUSED(journal); `counted_yet`: it was durable after all
  void slow();                  // its waiters are told journal_slow, it stays
  void forget_old();            // epochs without a record for 8 days
  void begin_anew();            // another state: empty, with another id
  // While set, what is not pending is refused with it before it gets to the ledger.
  Reason refuse_with = Reason::none;
  std::uint32_t retry_after_ms = 0;  // told with every refusal for retry

  std::vector<Answered> answers;
  std::map<std::uint64_t, int> counted;  // by tag, over all states
  // What an agent must never do, seen; empty if it behaves.
  std::vector<std::string> offences;

 private:
  static constexpr RunningMs memory_ms = 8ULL * 86'400'000;
  struct StreamState {
    Sequence low = 1;
    std::map<Sequence, std::uint64_t> settled;  // number → body
  };
  struct EpochState {
    RunningMs last_record = 0;
    std::map<Priority, StreamState> streams;
  };
  struct Pending {
    wire::BatchHeader header;
    std::uint64_t tag;
    std::vector<std::pair<int, std::uint64_t>> waiters;
  };
  bool acceptable(const EpochSeen& seen) const;
  void answer(int connection, const BatchKey& key, wire::AckStatus status, Reason reason = Reason::none);
  void apply(const Pending& line);
  bool waits_in_group(Epoch epoch) const;

  std::map<Epoch, EpochState> epochs_;
  std::set<Epoch> tombstones_;
  std::map<BatchKey, Pending> group_;
  // For the checks: over all time.
  std::map<BatchKey, std::uint64_t> body_of_;
  std::map<Epoch, EpochSeen> seen_of_;
  std::set<Epoch> said_goodbye_;
};

}  // namespace nissa::test
