#include "ledger/accept_loss.hpp"

#include <optional>
#include <utility>

#include "journal/damaged_state.hpp"
#include "ledger/sound_state.hpp"
#include "ledger/state_rewriter.hpp"

namespace nissa::ledger {
namespace {

using journal::Damage;
using journal::JournalError;

constexpr const char* last_ways =
    "put the missing or damaged file back, restore a backup into this directory, or begin anew with an empty one (all "
    "counts begin at zero)";

struct Sound {
  std::string database;
  Recovered recovered;
};

// Of several databases (a move to a new file that a crash cut short) the one that goes furthest.
journal::JournalResult<Sound> sound_state(journal::DamagedState& damaged, const LedgerOptions& options) {
  const auto databases = damaged.read();
  if (!databases) return std::unexpected(databases.error());
  std::optional<Sound> best;
  std::string faults;
  for (const auto& found : *databases) {
    if (!found.part) {
      faults += "; " + found.fault.message;
      continue;
    }
    auto state = recover_sound_part(*found.part, options);
    if (!state && state.error().damage == Damage::newer_version) return std::unexpected(state.error());
    if (!state)
      faults += "; " + found.name + ": " + state.error().message;
    else if (!best || state->ledger->applied() > best->recovered.ledger->applied())
      best = Sound{found.name, std::move(*state)};
  }
  if (best) return std::move(*best);
  if (faults.empty()) faults = "; no database is there";
  return std::unexpected(with_ways_on(
      JournalError{Damage::database_missing, "--accept-loss finds nothing sound to go on from" + faults}, last_ways));
}

}  // namespace

journal::JournalResult<AcceptedLoss> accept_loss(const journal::Options& journal, const LedgerOptions& options,
                                                 const Clock& clock) {
  auto damaged = journal::DamagedState::open(journal, clock);
  if (!damaged) return std::unexpected(damaged.error());
  auto sound = sound_state(**damaged, options);
  if (!sound) return std::unexpected(sound.error());
  Ledger& ledger = *sound->recovered.ledger;
  AcceptedLoss accepted{.database = sound->database,
                        .last_sound = ledger.applied(),
                        .last_known = (*damaged)->last_known(),
                        .from_ms = ledger.ledger_ms()};
  ledger.lose_until(clock.wall_ns() / ns_per_ms);
  accepted.to_ms = ledger.ledger_ms();
  StateRewriter rewriter(ledger, 1);
  const auto replaced = (*damaged)->replace(accepted.last_sound, [&] { return rewriter.next(ledger); });
  if (!replaced) return std::unexpected(replaced.error());
  accepted.state_id = replaced->state_id;
  accepted.kept_in = replaced->kept_in;
  return accepted;
}

}  // namespace nissa::ledger
