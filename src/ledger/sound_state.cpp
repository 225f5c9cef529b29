#include "ledger/sound_state.hpp"

#include <ranges>
#include <vector>

#include "ledger/row_bytes.hpp"

namespace nissa::ledger {
namespace {

using journal::Damage;
using journal::JournalError;

// Ascending; 0 is none: all comes from records.
std::vector<Generation> snapshots_in(journal::SoundPart& part) {
  std::vector<Generation> complete{0};
  (void)part.read_rows([&](ByteView key, std::uint64_t generation, ByteView) {
    const auto object = object_of_key(key);
    if (object && *object == snapshot_complete) complete.push_back(generation);
    return object && object->kind == ObjectKind::snapshot;
  });
  return complete;
}

}  // namespace

journal::JournalResult<Recovered> recover_sound_part(journal::SoundPart& part, const LedgerOptions& options) {
  for (const Generation latest : std::views::reverse(snapshots_in(part))) {
    if (part.lacks_rows(latest)) continue;
    auto found = recover(part, as_far_as_it_goes, options, latest);
    if (found && found->ledger->applied() > 0) return found;
    if (!found && found.error().damage == Damage::newer_version) return found;
  }
  return std::unexpected(JournalError{Damage::gap, "no complete snapshot is sound, and record 1 is not there"});
}

}  // namespace nissa::ledger
