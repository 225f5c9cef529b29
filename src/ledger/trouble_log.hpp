// What the ledger tells the log: when a trouble begins and when it has ended, with its length. Holds no state that
// anything else depends on. The ledger's strand.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/episode.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/ledger_counters.hpp"
#include "ledger/record.hpp"
#include "ledger/submission.hpp"

namespace nissa::ledger {

class TroubleLog {
 public:
  // --- A group's fate.
  // `batches` were told that their commit is slow.
  void slow(std::size_t batches, BootNs now);
  void durable(Lsn lsn, BootNs now);
  void disk_full(Lsn lsn, BootNs now);
  static void no_memory();
  void unknown(Lsn lsn, BootNs now);
  void rewrite_failed(bool broken);
  void rewritten(Lsn lsn, BootNs now);
  void room(bool is_short, const journal::Counters& journal, BootNs now);
  void snapshot(std::uint64_t completed, Lsn lsn);

  // --- The rest.
  void clock(const ClockReading& reading, BootNs now);
  // What a submission was told at once: whether the memory of keys is full.
  void told(const Submission& submission, std::span<const Answer> answers, const LedgerCounters& counters);

 private:
  Episode slow_;
  bool slow_in_this_group_ = false;
  Episode full_;
  Episode short_;
  Episode broken_;
  Episode held_;
  ClockHold hold_ = ClockHold::none;
  std::uint64_t snapshots_ = 0;
};

}  // namespace nissa::ledger
