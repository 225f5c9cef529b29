// What is left of a state that a start refuses, and how a new one takes its place (--accept-loss).
//
// The order, each step for one crash: the new database, whole and synced; all files as they are, once more in a folder
// of their own; a new ANCHOR, synced, and by one rename in the place of the old one. Until then a start finds the
// damaged state and refuses it, from then on it finds the new one.
// Thread: one at a time; blocking. Not through Options::vfs.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "journal/sqlite_sound_part.hpp"
#include "journal/state_dir.hpp"

namespace nissa::journal {

class DamagedState {
 public:
  // Locks the directory until destroyed. Error: it is in use, cannot be read, or ANCHOR was written by a newer Nissa.
  // `options` and `clock` outlive it.
  static JournalResult<std::unique_ptr<DamagedState>> open(const Options& options, const Clock& clock);

  // Each database that is there, that first which ANCHOR names.
  struct Found {
    std::string name;
    std::unique_ptr<SoundPart> part;  // nullptr: nothing of it can be read, and `fault` says why
    JournalError fault;
  };
  // Error: one was written by a newer Nissa, or may not be read.
  JournalResult<std::vector<Found>> read();

  // The last record that ANCHOR knows to have been durable; 0: it says nothing.
  Lsn last_known() const { return last_known_; }

  struct Replaced {
    StateId state_id = 0;  // drawn
    std::string kept_in;   // the folder with the files as they were
  };
  // `next` yields the pieces of the new state, to the last one. After read(); what that gave is not used any more.
  JournalResult<Replaced> replace(Lsn last_lsn, const std::function<Rewrite()>& next);

 private:
  DamagedState(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}
  std::string in_directory(const std::string& name) const { return options_.directory + "/" + name; }
  JournalStatus read_anchor();
  JournalStatus write_database(const std::string& name, StateId id, Lsn last_lsn, const std::function<Rewrite()>& next);
  JournalResult<std::string> keep_files(const std::vector<std::string>& names) const;
  JournalStatus write_anchor(const std::string& database, StateId id, Lsn last_lsn) const;

  const Options& options_;
  const Clock& clock_;
  DirectoryLock lock_;
  std::uint64_t generation_ = 0;  // the highest that anything says
  std::string database_;          // that ANCHOR names; empty: none
  Lsn last_known_ = 0;
};

}  // namespace nissa::journal
