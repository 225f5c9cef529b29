// What stands in the way of commits, in words; and the look at the room on the disk.
#include <string>

#include "base/log.hpp"
#include "journal/sqlite_journal.hpp"
#include "journal/state_files.hpp"

namespace nissa::journal {
namespace {

constexpr BootNs slow_after_ns = 2 * ns_per_s;

}  // namespace

Trouble SqliteJournal::trouble() const {
  const Lock lock(trouble_mutex_);
  if (!failure_.empty()) return {Trouble::Kind::failed, failure_};
  if (!full_text_.empty()) return {Trouble::Kind::full, full_text_};
  if (!room_text_.empty()) return {Trouble::Kind::full, room_text_};
  const BootNs since = busy_since_.load(std::memory_order_relaxed);
  const BootNs lasted = since == 0 ? 0 : clock_.boot_ns() - since;
  if (lasted < slow_after_ns) return {};
  return {Trouble::Kind::slow,
          "the disk is slow: a commit has been under way for " + std::to_string(lasted / ns_per_s) + " s"};
}

void SqliteJournal::note_failure(const std::string& failure, const std::string& attempt) {
  const Lock lock(trouble_mutex_);
  failure_ = failure;
  if (!attempt.empty()) failure_ += "; the last attempt at a new file failed too: " + attempt;
}

// Deleted or replaced by somebody, they would take all commits, and a start would find none of them.
void SqliteJournal::look_at_files() {
  if (broken_ || attempt_ || !options_.vfs.empty()) return;
  for (const std::string& name : {starting_.database, starting_.database + "-wal", std::string(anchor_name)}) {
    if (was_taken_away(name))
      return break_down(in_directory(name) + " was deleted or replaced by another program while nissad used it");
    if (files_.contains(name)) continue;
    if (const auto found = identity_of(in_directory(name))) files_.emplace(name, *found);
  }
}

bool SqliteJournal::was_taken_away(const std::string& name) const {
  const auto known = files_.find(name);
  return known != files_.end() && identity_of(in_directory(name)) != known->second;
}

void SqliteJournal::note_full(const std::string& text) {
  met_full_disk_ = !text.empty();
  const Lock lock(trouble_mutex_);
  full_text_ = text;
}

void SqliteJournal::look_at_room() {
  looked_at_ = clock_.boot_ns();
  const std::optional<std::uint64_t> free = free_bytes_of(options_.directory);
  const std::uint64_t needed =
      DiskRoom::needed(options_.min_free_bytes, counters_.database_bytes.value() + counters_.wal_bytes.value());
  if (!free) return;
  const bool is_short = room_.look(*free, needed);
  counters_.free_bytes.set(*free);
  counters_.min_free_bytes.set(needed);
  counters_.short_of_room.set(is_short ? 1 : 0);
  const Lock lock(trouble_mutex_);
  room_text_.clear();
  if (is_short)
    room_text_ = "only " + mebibytes(*free) + " are free on the disk of " + options_.directory +
                 ": no batch is taken until " + mebibytes(needed + needed / 2) + " are (min_free is " +
                 mebibytes(needed) + ")";
}

}  // namespace nissa::journal
