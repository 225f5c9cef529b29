#include "ledger/row_catalog.hpp"

#include <algorithm>
#include <utility>

#include "base/violation.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {

void RowCatalog::note(RowVersion version, bool absent) {
  highest_ = std::max(highest_, version.generation);
  Versions& versions = versions_[version.object];
  const auto place = std::ranges::lower_bound(versions, version.generation);
  if (place != versions.end() && *place == version.generation) return;
  versions.insert(place, version.generation);
  written_[version.generation].push_back(version.object);
  if (absent) absences_.push_back(version);
}

void RowCatalog::make_room(RowVersion version, std::size_t others) {
  ledger::make_room(versions_, others + 1);
  if (const auto found = versions_.find(version.object); found != versions_.end())
    found->second.reserve(found->second.size() + 1);
  ledger::make_room(written_[version.generation], others + 1);
  ledger::make_room(absences_, others + 1);
}

void RowCatalog::forget(RowVersion version) {
  const auto found = versions_.find(version.object);
  if (found == versions_.end()) return;
  Versions& versions = found->second;
  versions.erase(std::remove(versions.begin(), versions.end(), version.generation), versions.end());
  if (versions.empty()) versions_.erase(found);
}

std::vector<RowVersion> RowCatalog::keep(KeptSnapshot snapshot) {
  std::vector<RowVersion> unneeded = unneeded_with(snapshot);
  settle(snapshot);
  return unneeded;
}

// A row that the older one did not write had its earlier versions returned when its own snapshot became the older.
std::vector<RowVersion> RowCatalog::unneeded_with(KeptSnapshot snapshot) const {
  const Generation oldest = kept_.empty() ? snapshot.generation : kept_.back().generation;
  std::vector<RowVersion> unneeded;
  if (const auto written = written_.find(oldest); written != written_.end()) {
    for (const ObjectId object : written->second) {
      const auto found = versions_.find(object);
      if (found == versions_.end()) continue;
      for (const Generation generation : found->second)
        if (generation < oldest) unneeded.push_back({object, generation});
    }
  }
  add_dead_absences(oldest, unneeded);
  return unneeded;
}

void RowCatalog::settle(KeptSnapshot snapshot) {
  if (!kept_.empty() && snapshot.generation <= kept_.back().generation)
    violation("ledger", "a later snapshot has a higher generation");
  kept_.push_back(snapshot);
  if (kept_.size() > 2) kept_.erase(kept_.begin());
  const Generation oldest = kept_.front().generation;
  std::erase_if(absences_, [&](const RowVersion& absence) { return absence.generation <= oldest; });
  drop_lists();
}

std::vector<KeptSnapshot> RowCatalog::with_memory_for_three() {
  std::vector<KeptSnapshot> none;
  none.reserve(3);
  return none;
}

std::vector<RowVersion> RowCatalog::keep_at_start(std::vector<KeptSnapshot> complete) {
  std::ranges::sort(complete, {}, &KeptSnapshot::generation);
  if (complete.size() > 2) complete.erase(complete.begin(), complete.end() - 2);
  kept_.assign(complete.begin(), complete.end());
  std::vector<RowVersion> unneeded;
  for (const auto& [object, versions] : versions_) {
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const auto needed_by = [&](const KeptSnapshot& kept) {
        return versions[i] <= kept.generation && (i + 1 == versions.size() || versions[i + 1] > kept.generation);
      };
      if (std::ranges::none_of(kept_, needed_by)) unneeded.push_back({object, versions[i]});
    }
  }
  const Generation newest = kept_.empty() ? 0 : kept_.back().generation;
  const Generation oldest = kept_.empty() ? 0 : kept_.front().generation;
  if (!kept_.empty()) add_dead_absences(oldest, unneeded);
  std::ranges::sort(unneeded);
  unneeded.erase(std::ranges::unique(unneeded).begin(), unneeded.end());
  std::erase_if(absences_,
                [&](const RowVersion& absence) { return absence.generation <= oldest || absence.generation > newest; });
  drop_lists();
  return unneeded;
}

// To be absent needs no row once no earlier version is there to speak instead: those go before it, in this order.
void RowCatalog::add_dead_absences(Generation oldest, std::vector<RowVersion>& unneeded) const {
  for (const RowVersion& absence : absences_) {
    if (absence.generation > oldest) continue;
    const auto found = versions_.find(absence.object);
    if (found != versions_.end() && std::ranges::binary_search(found->second, absence.generation))
      unneeded.push_back(absence);
  }
}

void RowCatalog::drop_lists() {
  const Generation oldest = kept_.empty() ? 0 : kept_.front().generation;
  written_.erase(written_.begin(), written_.upper_bound(oldest));
}

}  // namespace nissa::ledger
