// An agent's side of one class: keeps each batch until it is settled, so that it is counted exactly once, or its owner
// is told that this is uncertain. The rules and their reasons: docs/protocol.md, "What an agent does on each answer".
//
// A pure state machine: no socket, no thread, no clock, no source of randomness of its own. Whoever owns the connection
// turns inputs into calls and asks next() until it says wait:
//
//     resume(stored)       before all else: a batch that an earlier process may have sent
//     enqueue(body)        a batch that shall be counted
//     connected(ack)       HelloAck came on the connection that Action::connect asked for
//     acked(ack)           an Ack came on it; never one from a connection that was said to be lost
//     told(now)            a HeartbeatAck came on it
//     go_away()            a GoAway came on it
//     connection_lost()    it ended, or could not be opened: all that is unanswered stays in doubt for ever
//     next(now)      →     what to do: connect, send these bytes, say Goodbye, disconnect, or wait
//     take_settlements() → what became of the batches
//     take_notices(now)  → what else its owner should know
//
// So a simulator runs it with its own network and time. Each class has an epoch of its own, drawn when a batch is first
// sent: what one class goes through never touches another. A process that forked must make new streams: what these hold
// is its parent's (client.cpp does).
//
// Bounds: max_held_bytes of bodies and max_held_batches (enqueue says must_wait); 256 batches in flight, and the bytes
// of HelloAck. Not synchronised. Copyable, for simulated clones. A call costs about 100 ns, connection_lost and
// first resendings up to 256 steps. No call fails: impossible inputs are counted as stray_acks or ignored.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "client/keyed_epoch.hpp"
#include "client/refusal_episode.hpp"
#include "client/stream_types.hpp"
#include "resilience/backoff.hpp"

namespace nissa::client {

class Stream {
 public:
  Stream(StreamOptions options, RandomBits random);

  // Under its old key, and in doubt from the start. Its epoch takes no new batches. Below low it counts as settled, for
  // what was stored may be older than the last ack; CONFLICT is final, for the body may have been made differently.
  // Those of an epoch come one after the other, in the order of their numbers, at most 4 096 numbers wide; false: not
  // so.
  [[nodiscard]] bool resume(Stored batch);
  Taken enqueue(Body body);
  void connected(const wire::HelloAck& ack);
  void acked(const wire::Ack& ack, BootNs now);
  void told(EpochSeen now);
  void go_away(BootNs now);
  void connection_lost(BootNs now);
  Action next(BootNs now);

  // After HelloAck, if it lowered the limits below anything that is queued: all that is queued, as if it had never been
  // enqueued, so that it can be cut smaller. Else nothing.
  std::vector<Body> take_back_too_large();
  // Of a batch, as HelloAck says.
  std::uint32_t max_events() const { return max_events_; }
  std::uint32_t max_body_bytes() const;

  // Appends to `out` what was settled since the last call, and forgets it.
  void take_settlements(std::vector<Settlement>& out);

  // The same of notices; to be asked again at notice_at(), if not before.
  void take_notices(BootNs now, std::vector<Notice>& out);
  std::optional<BootNs> notice_at() const { return refusals_.over_at(); }

  // Nothing more will be enqueued: once all is settled, Goodbye is said if the connection still stands.
  void finish();
  // Stops caring for all that is held: what was never sent is abandoned, what is unanswered is uncertain.
  void give_up();
  // The owner threw events away before they became a batch: told to the server as dropped_events.
  void note_dropped(std::uint64_t events) { counts_.dropped_events += events; }

  bool idle() const { return held_batches_ == 0; }  // all is settled
  // After finish(): nothing is left to be done with the connection.
  bool finished() const { return idle() && (link_ != Link::up || goodbyes_.empty()); }
  bool queued() const { return !queue_.empty(); }  // some bear no key yet: there is no room for them, or no connection
  std::uint64_t held_bytes() const { return held_bytes_; }
  std::uint32_t held_batches() const { return held_batches_; }
  std::uint32_t in_flight() const { return in_flight_; }
  BootNs closed_until() const { return closed_until_; }  // the server asked not to be sent anything before
  const StreamCounts& counts() const { return counts_; }

 private:
  enum class Link : std::uint8_t {
    down,
    connecting,  // Action::connect was given out
    up,          // HelloAck came
    leaving,     // GoAway came: only answers are awaited
    closing,     // Action::disconnect was given out
  };
  struct Flight {  // in the order of sending; stale ones are dropped when they come to the front
    Epoch epoch;
    Sequence sequence;
    BootNs sent_at;
  };

  // stream.cpp: what to send
  bool is_other_state(EpochSeen now) const;
  bool fits(const Body& body) const;
  bool within_limits(const Body& body) const;
  std::optional<Action> resend(BootNs now);
  std::optional<Action> send_new(BootNs now);
  KeyedEpoch& fresh_epoch();
  Action sending(KeyedEpoch& epoch, Sequence sequence, const Keyed& batch);
  std::optional<BootNs> answer_due();
  Action wait_until(std::optional<BootNs> until) const;

  // stream_answers.cpp: what answers mean
  void refused(KeyedEpoch& epoch, Sequence sequence, Keyed& batch, const wire::Ack& ack, BootNs now);
  void unknown_epoch(KeyedEpoch& epoch, Sequence sequence, const Keyed& batch, BootNs now);
  void rekey(KeyedEpoch& epoch, Sequence sequence, BootNs now);
  void conflict(KeyedEpoch& epoch, Sequence sequence);
  void settle(KeyedEpoch& epoch, Sequence sequence, Fate fate, Reason reason, const wire::Ack* ack);
  void report(const Body& body, Fate fate, Reason reason, const wire::Ack* ack);
  void landed(const Keyed& batch);
  void close_for_a_while(BootNs now);
  void bury_ended_epochs();
  KeyedEpoch* find_epoch(Epoch id);

  StreamOptions options_;
  RandomBits random_;
  resilience::Backoff backoff_;

  std::deque<Body> queue_;          // bear no key yet
  std::vector<KeyedEpoch> epochs_;  // oldest first; the last one takes new batches unless it is retired
  std::deque<wire::Goodbye> goodbyes_;
  std::deque<Flight> flights_;
  std::vector<Settlement> settlements_;
  std::vector<Notice> notices_;
  RefusalEpisode refusals_;

  Link link_ = Link::down;
  EpochSeen now_known_;  // what the server last told of its state
  std::optional<Epoch> hello_epoch_;
  std::uint32_t window_batches_ = 0, window_bytes_ = 0;
  std::uint32_t max_frame_bytes_, max_events_;
  std::uint32_t in_flight_ = 0;
  std::uint64_t in_flight_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint32_t held_batches_ = 0;
  BootNs connect_at_ = 0;
  BootNs closed_until_ = 0;
  BootNs leave_by_ = 0;
  bool finishing_ = false;
  StreamCounts counts_;
};

}  // namespace nissa::client
