// The state into a new file: after a commit of unknown fate, and once when the disk runs short of room. No group is
// committed meanwhile: what comes in waits in the open group, is told journal_slow after its time, and is held when
// that is full.
#include <algorithm>
#include <utility>

#include "base/memory.hpp"
#include "ledger/ledger_inside.hpp"

namespace nissa::ledger {
namespace {

constexpr std::int64_t again_after_ns = ns_per_s;

}  // namespace

// `now`: of the turn of the loop, for a second look at a clock is later than the first.
BootNs LedgerComponent::Inside::rewrite_due(BootNs now) {
  if (rewriter) return now;
  if (broken) return rewrite_at;
  // A record in flight that met a full disk is tried again as it is.
  return wants_smaller_file && !retry_at ? now : never;
}

// Without the memory for a piece, or to apply the record in the last one, the attempt is given up as a failed one.
void LedgerComponent::Inside::next_piece() {
  journal::Rewrite piece;
  const bool had = had_memory([&, this] {
    strand.entered();
    if (!rewriter) rewriter.emplace(*ledger, writer.catalog().highest() + 1);
    piece = rewriter->next(*ledger);
  });
  if (!had || (piece.last && !ledger->reserve(rewriter->record()))) return give_up_rewrite();
  last_piece = piece.last;
  committing = true;
  journal.rewrite(std::move(piece), [this](journal::CommitResult result) {
    post_to(strand, [this, result] {
      strand.entered();
      rewritten(result);
    });
  });
}

void LedgerComponent::Inside::rewritten(journal::CommitResult result) {
  committing = false;
  last_ended = timers.now();
  if (result != journal::CommitResult::durable) {
    // Not `broken` when only a smaller file was wanted, and found no place: the one in use is as good as before.
    if (result == journal::CommitResult::unknown) broken = true;
    give_up_rewrite();
  } else if (last_piece) {
    take_over();
  }
  heed_room();
  idle.wake_all();
}

void LedgerComponent::Inside::give_up_rewrite() {
  wants_smaller_file = false;
  rewriter.reset();
  rewrite_at = timers.now() + again_after_ns;
  trouble.rewrite_failed(broken);
}

void LedgerComponent::Inside::take_over() {
  ledger->apply(rewriter->record());
  writer.begin_anew(std::move(*rewriter).catalog());
  rewriter.reset();
  broken = false;
  wants_smaller_file = false;
  trouble.rewritten(ledger->applied(), last_ended);
  publish();
}

void LedgerComponent::Inside::heed_room() {
  const bool now_short = journal.counters().short_of_room.value() != 0;
  if (now_short == std::exchange(short_of_room, now_short)) return;
  wants_smaller_file = now_short;
  trouble.room(now_short, journal.counters(), timers.now());
  refuse_if_full();
  if (now_short) idle.wake_all();
}

void LedgerComponent::Inside::refuse_if_full() {
  if (group.refusing() == Reason::shutting_down) return;
  group.refuse_new(short_of_room || retry_at ? Reason::disk_full : Reason::none);
}

}  // namespace nissa::ledger
