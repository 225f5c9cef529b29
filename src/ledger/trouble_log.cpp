#include "ledger/trouble_log.hpp"

#include "base/log.hpp"

namespace nissa::ledger {

void TroubleLog::slow(std::size_t batches, BootNs now) {
  if (batches == 0) return;
  slow_in_this_group_ = true;
  if (slow_.begin(now))
    log(LogLevel::warning, "ledger",
        "the journal is slow: batches are told journal_slow, and hear what became of them when they ask again",
        {{"batches", batches}});
}

void TroubleLog::durable(Lsn lsn, BootNs now) {
  // A group that was slow ends no slowness: the next one may be as slow.
  if (!slow_in_this_group_)
    if (const auto lasted = slow_.end(now))
      log(LogLevel::info, "ledger", "the journal is in time again", {{"lsn", lsn}, {"after_ms", *lasted}});
  slow_in_this_group_ = false;
  if (const auto lasted = full_.end(now))
    log(LogLevel::info, "ledger", "the disk has room again: batches are taken", {{"lsn", lsn}, {"after_ms", *lasted}});
}

void TroubleLog::disk_full(Lsn lsn, BootNs now) {
  if (full_.begin(now))
    log(LogLevel::error, "ledger",
        "the disk is full: batches are refused, and the group in hand is tried again each second until there is room",
        {{"lsn", lsn}});
}

void TroubleLog::no_memory() {
  log_rarely(LogLevel::error, "ledger",
             "there is no memory for a commit: its batches wait, and are told journal_slow after their time; it is "
             "tried again ten times a second");
}

void TroubleLog::unknown(Lsn lsn, BootNs now) {
  broken_.begin(now);
  log(LogLevel::error, "ledger",
      "the fate of a commit is unknown: its batches are refused, and nothing is committed until the state is in a new "
      "file",
      {{"lsn", lsn}});
}

void TroubleLog::rewrite_failed(bool broken) {
  log_rarely(LogLevel::error, "ledger",
             broken ? "the state could not be written into a new file: it is tried again each second, and senders wait"
                    : "the disk has no room for a smaller file: the one in use stays");
}

void TroubleLog::rewritten(Lsn lsn, BootNs now) {
  if (const auto lasted = broken_.end(now))
    return log(LogLevel::warning, "ledger", "the state goes on in a new file: batches are counted again",
               {{"lsn", lsn}, {"after_ms", *lasted}});
  log(LogLevel::info, "ledger", "the state goes on in a smaller file", {{"lsn", lsn}});
}

void TroubleLog::room(bool is_short, const journal::Counters& journal, BootNs now) {
  const std::uint64_t free = journal.free_bytes.value();
  const std::uint64_t least = journal.min_free_bytes.value();
  if (is_short && short_.begin(now)) {
    log(LogLevel::error, "ledger",
        "the disk runs short of room: batches are refused until half as much again as min_free is free",
        {{"free_bytes", free}, {"min_free_bytes", least}});
  } else if (const auto lasted = is_short ? std::nullopt : short_.end(now)) {
    log(LogLevel::info, "ledger", "the disk has room again: batches are taken",
        {{"free_bytes", free}, {"min_free_bytes", least}, {"after_ms", *lasted}});
  }
}

void TroubleLog::snapshot(std::uint64_t completed, Lsn lsn) {
  if (completed == snapshots_) return;
  snapshots_ = completed;
  log(LogLevel::debug, "ledger", "a snapshot is complete", {{"snapshots", completed}, {"lsn", lsn}});
}

void TroubleLog::clock(const ClockReading& reading, BootNs now) {
  if (reading.hold == hold_) return;
  hold_ = reading.hold;
  if (reading.held()) {
    held_.begin(now);
    log(LogLevel::warning, "ledger",
        "the wall clock is not followed: it was set, or lies before the state's last record",
        {{"hold", name_of(reading.hold)}, {"apart_ms", reading.apart_ms}});
  } else if (const auto lasted = held_.end(now)) {
    log(LogLevel::info, "ledger", "the wall clock is followed again",
        {{"after_ms", *lasted}, {"apart_ms", reading.apart_ms}});
  }
}

void TroubleLog::told(const Submission& submission, std::span<const Answer> answers, const LedgerCounters& counters) {
  for (const Answer& one : answers) {
    if (one.reason != Reason::streams_full) continue;
    log_rarely(LogLevel::warning, "ledger",
               "the memory of keys is full, or this principal's part of it: a new epoch is refused (epoch_bytes, "
               "principal_percent)",
               {{"principal", submission.sender ? submission.sender->principal : ""},
                {"agent", submission.sender ? submission.sender->agent : ""},
                {"epochs", counters.epochs.value()},
                {"epoch_bytes", counters.epoch_bytes.value()}});
    return;
  }
}

}  // namespace nissa::ledger
