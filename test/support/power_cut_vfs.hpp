// A disk in memory that forgets, as a SQLite VFS for tests: all files of a journal (database, log, ANCHOR) lie on it.
// It knows of each file what is synced and what was only written, and of the folder which entries are.
//
// In a test:
//
//   PowerCutDisk disk;
//   options.vfs = disk.vfs();               // options.directory is still a real one: see below
//   ... open, start, commit ...
//   disk.cut_at_sync(3);                    // or cut_at_operation(k), cut_now()
//   ... go on until disk.is_off(), then destroy the journal: what belongs to the dead process fails for ever ...
//   disk.reboot(seed);                      // or reboot(seed, Survival::nothing)
//   ... open again: what was told durable has to be there ...
//
// By hand: `build/test/simulation/power_cuts --seed N --seeds 1` repeats random run N of a whole node over such a disk,
// and a cut at each sync of that seed's workload; `test/scenario T1` has all of it.
//
// What counts as durable:
// - A file's bytes and length: what was there at its last sync; of what was done since, reboot() chooses.
// - A file's entry in the folder, made or deleted: by a deletion that asks for it, and by the sync of a log, a rollback
//   journal or ANCHOR (opened as a super-journal) whose own entry is not durable yet. SQLite's own VFS then syncs the
//   folder, so all entries become durable. The sync of a database does not do that. (The journal syncs the real folder
//   besides, which this disk does not see: it is harsher.)
// - A write is whole within each 512 bytes, and touches nothing beside it (as SQLite takes the disks of today to do).
// - After a failed sync the file's pages count as clean, as on Linux: what was not on the disk yet is read until the
//   reboot and never gets there, unless it is written again and synced.
// Whoever looks into the real directory finds the names and lengths of all files that are there, and none of the bytes;
// and the journal's lock.
// Thread: any; one lock. Bounded by memory only.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace nissa::test {

// What the disk holds, file by file, of the changes that were not synced when the power went.
enum class Survival : std::uint8_t {
  nothing,
  everything,
  earlier,    // the first ones, up to any
  later,      // the last ones, from any
  some,       // each by chance
  torn_512,   // each piece of 512 bytes by chance; the file may have got its length without its bytes
  torn_4096,  // the same by pages
  drawn,      // one of these for each file, by the seed
};

// Each of them that is not drawn.
inline constexpr std::array each_survival{Survival::nothing, Survival::everything, Survival::earlier,  Survival::later,
                                          Survival::some,    Survival::torn_512,   Survival::torn_4096};

// What a disk that misbehaves may answer: SQLite's codes, without its header.
inline constexpr int disk_full = 13;
inline constexpr int io_write = 10 | 3 << 8;
inline constexpr int io_fsync = 10 | 4 << 8;

class PowerCutDisk {
 public:
  // Registers the VFS while it lives. All that was opened on it is closed before.
  PowerCutDisk();
  ~PowerCutDisk();
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;
  const char* vfs() const;

  // --- The power goes in the midst of the nth from now on (1: the next): a sync that does nothing any more, or any
  // write, truncation, sync or deletion, whose own effect is among what is not synced. 0: never.
  void cut_at_sync(std::uint64_t nth);
  void cut_at_operation(std::uint64_t nth);
  void cut_now();
  // From the cut until the reboot every operation fails.
  bool is_off() const;
  // The machine is on again.
  void reboot(std::uint64_t seed, Survival survival = Survival::drawn);
  // Only the process died: all that was written is read again, and is as little durable as before.
  void restart();

  // --- A disk that misbehaves, for files whose names end with `tail`. `code` is one of those above.
  // The nth sync from now on fails, and as many as `times` from there.
  void fail_sync(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times = 1);
  void fail_write(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times = 1);
  // What follows a failed sync.
  struct Aftermath {
    bool of_that_file = false;           // each later sync of the same file fails, too
    std::uint64_t again_at_sync = 0;     // the nth from there, of any file, fails, too
    std::uint64_t cut_at_operation = 0;  // the power goes in the midst of the nth from there
  };
  void fail_sync(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times, const Aftermath& aftermath);
  std::string failed_to_sync() const;  // the first file that did, by its name, since the disk was last well; or empty
  void heal();                         // none of these, nor a cut, is to come
  // Syncs say they are done and do nothing: what a power cut leaves then is what synchronous=OFF would.
  void lie_about_syncs(bool lies);

  std::uint64_t syncs() const;                     // so far
  std::uint64_t operations() const;                // of which a cut may take any
  std::uint64_t operations_since_failure() const;  // of the first sync that failed since the disk was last well; or 0
  std::uint64_t cuts() const;

  struct Inside;

 private:
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::test
