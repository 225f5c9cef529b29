#include "support/power_cut_vfs.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <set>

#include "support/disk_faults.hpp"
#include "support/power_cut_files.hpp"

namespace nissa::test {
namespace {

// True: it has come to its end.
bool count_down(std::uint64_t& countdown) { return countdown > 0 && --countdown == 0; }

}  // namespace

struct PowerCutDisk::Inside {
  std::mutex mutex;
  std::string name;
  sqlite3_vfs vfs{};
  ForgetfulFolder folder;
  std::set<std::string> names;  // that there ever were
  bool off = false;
  bool lies = false;
  std::uint64_t life = 0;  // of the process: handles of an earlier one are dead
  std::uint64_t syncs = 0;
  std::uint64_t operations = 0;
  std::uint64_t operations_at_failure = 0;  // of the first sync that failed
  std::uint64_t cuts = 0;
  std::uint64_t to_sync_cut = 0;
  std::uint64_t to_operation_cut = 0;
  SyncFault sync_fault;
  Fault write_fault;

  void begin_aftermath() {
    operations_at_failure = operations;
    if (sync_fault.aftermath.cut_at_operation > 0) to_operation_cut = sync_fault.aftermath.cut_at_operation;
  }
  void cut() {
    cuts += !off;
    off = true;
    to_sync_cut = to_operation_cut = 0;
  }
  // Name and length of what is there, in the real directory.
  void show(const std::string& file_name) const {
    const auto found = folder.find(file_name);
    if (found == nullptr) {
      unlink(file_name.c_str());
      return;
    }
    const int shown = open(file_name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (shown < 0 || ftruncate(shown, static_cast<off_t>(found->shown().size())) != 0) std::abort();
    ::close(shown);
  }
  // Counts an operation. True: the power goes in its midst.
  bool ends_in(bool is_sync) {
    ++operations;
    syncs += is_sync;
    const bool at_sync = is_sync && count_down(to_sync_cut);
    const bool at_operation = count_down(to_operation_cut);
    if (at_sync || at_operation) cut();
    return off;
  }
};

namespace {

using Inside = PowerCutDisk::Inside;
using Lock = std::lock_guard<std::mutex>;

struct OpenFile {
  sqlite3_file base;
  Inside* disk;
  std::uint64_t life;
  bool syncs_folder;
  std::string* name;
  ForgetfulFolder::File* file;
};
OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
Inside& of(sqlite3_vfs* vfs) { return *static_cast<Inside*>(vfs->pAppData); }
bool is_dead(const OpenFile& file) { return file.disk->off || file.life != file.disk->life; }

int close(sqlite3_file* file) {
  delete of(file).name;
  delete of(file).file;
  file->pMethods = nullptr;
  return SQLITE_OK;
}
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  const Lock lock(of(file).disk->mutex);
  if (is_dead(of(file))) return SQLITE_IOERR_READ;
  const Bytes& content = (*of(file).file)->shown();
  const auto from = std::min(content.size(), static_cast<std::size_t>(at));
  const auto there = std::min(content.size() - from, static_cast<std::size_t>(size));
  std::memset(to, 0, static_cast<std::size_t>(size));
  if (there > 0) std::memcpy(to, content.data() + from, there);
  return there == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  OpenFile& own = of(file);
  const Lock lock(own.disk->mutex);
  if (is_dead(own)) return SQLITE_IOERR_WRITE;
  if (const int code = own.disk->write_fault.check(*own.name); code != SQLITE_OK) return code;
  const bool ends = own.disk->ends_in(false);
  const std::size_t before = (*own.file)->shown().size();
  (*own.file)->write(static_cast<std::uint64_t>(at), {static_cast<const Byte*>(from), static_cast<std::size_t>(size)});
  if ((*own.file)->shown().size() != before) own.disk->show(*own.name);
  return ends ? SQLITE_IOERR_WRITE : SQLITE_OK;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  OpenFile& own = of(file);
  const Lock lock(own.disk->mutex);
  if (is_dead(own)) return SQLITE_IOERR_TRUNCATE;
  const bool ends = own.disk->ends_in(false);
  (*own.file)->truncate(static_cast<std::uint64_t>(size));
  own.disk->show(*own.name);
  return ends ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}
int sync(sqlite3_file* file, int) {
  OpenFile& own = of(file);
  Inside& disk = *own.disk;
  const Lock lock(disk.mutex);
  if (is_dead(own) || disk.ends_in(true)) return SQLITE_IOERR_FSYNC;
  if (const int code = disk.sync_fault.check(*own.name); code != SQLITE_OK) {
    if (disk.sync_fault.note(*own.name)) disk.begin_aftermath();
    (*own.file)->lose_unsynced();
    return code;
  }
  if (disk.lies) return SQLITE_OK;
  (*own.file)->sync();
  if (own.syncs_folder && !disk.folder.is_durable(*own.name)) disk.folder.sync();
  return SQLITE_OK;
}
int size_of(sqlite3_file* file, sqlite3_int64* out) {
  const Lock lock(of(file).disk->mutex);
  if (is_dead(of(file))) return SQLITE_IOERR_FSTAT;
  *out = static_cast<sqlite3_int64>((*of(file).file)->shown().size());
  return SQLITE_OK;
}
// One process, one connection: the journal's own lock sees to that.
int lock_or_unlock(sqlite3_file*, int) { return SQLITE_OK; }
int is_reserved(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

// Version 1: no shared memory, no mmap.
const sqlite3_io_methods methods{1,       close,       read,           write,          truncate,
                                 sync,    size_of,     lock_or_unlock, lock_or_unlock, is_reserved,
                                 control, sector_size, characteristics};

int open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* file, int flags, int* out) {
  Inside& disk = of(vfs);
  const Lock lock(disk.mutex);
  file->pMethods = nullptr;
  if (disk.off) return SQLITE_CANTOPEN;
  const std::string name = path != nullptr ? path : "";
  ForgetfulFolder::File found = path != nullptr ? disk.folder.find(name) : std::make_shared<ForgetfulFile>();
  if (found == nullptr && (flags & SQLITE_OPEN_CREATE) != 0) {
    found = disk.folder.create(name);
    disk.names.insert(name);
    disk.show(name);
  }
  if (found == nullptr) return SQLITE_CANTOPEN;
  constexpr int logs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  new (file) OpenFile{.base = {&methods},
                      .disk = &disk,
                      .life = disk.life,
                      .syncs_folder = (flags & logs) != 0,
                      .name = new std::string(name),
                      .file = new ForgetfulFolder::File(found)};
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}
int remove(sqlite3_vfs* vfs, const char* path, int syncs_folder) {
  Inside& disk = of(vfs);
  const Lock lock(disk.mutex);
  if (disk.off) return SQLITE_IOERR_DELETE;
  if (disk.folder.find(path) == nullptr) return SQLITE_IOERR_DELETE_NOENT;
  const bool ends = disk.ends_in(false);
  disk.folder.remove(path);
  disk.show(path);
  if (ends) return SQLITE_IOERR_DELETE;
  if (syncs_folder != 0 && !disk.lies) disk.folder.sync();
  return SQLITE_OK;
}
int access(sqlite3_vfs* vfs, const char* path, int, int* out) {
  Inside& disk = of(vfs);
  const Lock lock(disk.mutex);
  if (disk.off) return SQLITE_IOERR_ACCESS;
  const auto found = disk.folder.find(path);
  *out = found != nullptr && !found->shown().empty();  // as SQLite's own says it
  return SQLITE_OK;
}
int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  if (std::strlen(path) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, path);
  return SQLITE_OK;
}

}  // namespace

PowerCutDisk::PowerCutDisk() : inside_(std::make_unique<Inside>()) {
  static std::atomic<int> made{0};
  sqlite3_initialize();
  inside_->name = "nissa-power-cut-" + std::to_string(++made);
  sqlite3_vfs& vfs = inside_->vfs;
  vfs = *sqlite3_vfs_find(nullptr);
  vfs.szOsFile = sizeof(OpenFile);
  vfs.pNext = nullptr;
  vfs.zName = inside_->name.c_str();
  vfs.pAppData = inside_.get();
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_path;
  sqlite3_vfs_register(&vfs, 0);
}
PowerCutDisk::~PowerCutDisk() { sqlite3_vfs_unregister(&inside_->vfs); }
const char* PowerCutDisk::vfs() const { return inside_->name.c_str(); }

void PowerCutDisk::cut_at_sync(std::uint64_t nth) {
  const Lock lock(inside_->mutex);
  inside_->to_sync_cut = nth;
}
void PowerCutDisk::cut_at_operation(std::uint64_t nth) {
  const Lock lock(inside_->mutex);
  inside_->to_operation_cut = nth;
}
void PowerCutDisk::cut_now() {
  const Lock lock(inside_->mutex);
  inside_->cut();
}
bool PowerCutDisk::is_off() const {
  const Lock lock(inside_->mutex);
  return inside_->off;
}
void PowerCutDisk::reboot(std::uint64_t seed, Survival survival) {
  const Lock lock(inside_->mutex);
  std::mt19937_64 random(seed);
  inside_->folder.reboot(random, survival);
  for (const std::string& name : inside_->names) inside_->show(name);
  inside_->off = false;
  ++inside_->life;
}
void PowerCutDisk::restart() {
  const Lock lock(inside_->mutex);
  inside_->off = false;
  ++inside_->life;
}

void PowerCutDisk::fail_sync(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times) {
  fail_sync(tail, nth, code, times, {});
}
void PowerCutDisk::fail_sync(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times,
                             const Aftermath& aftermath) {
  const Lock lock(inside_->mutex);
  inside_->sync_fault = {.fault = {.tail = tail, .code = code, .countdown = nth, .times = times},
                         .aftermath = aftermath};
}
void PowerCutDisk::fail_write(const std::string& tail, std::uint64_t nth, int code, std::uint64_t times) {
  const Lock lock(inside_->mutex);
  inside_->write_fault = {.tail = tail, .code = code, .countdown = nth, .times = times};
}
std::string PowerCutDisk::failed_to_sync() const {
  const Lock lock(inside_->mutex);
  const std::string& path = inside_->sync_fault.failed;
  return path.substr(path.rfind('/') + 1);
}
void PowerCutDisk::heal() {
  const Lock lock(inside_->mutex);
  inside_->sync_fault = {};
  inside_->write_fault = {};
  inside_->to_sync_cut = inside_->to_operation_cut = 0;
}
void PowerCutDisk::lie_about_syncs(bool lies) {
  const Lock lock(inside_->mutex);
  inside_->lies = lies;
}

std::uint64_t PowerCutDisk::syncs() const {
  const Lock lock(inside_->mutex);
  return inside_->syncs;
}
std::uint64_t PowerCutDisk::operations() const {
  const Lock lock(inside_->mutex);
  return inside_->operations;
}
std::uint64_t PowerCutDisk::operations_since_failure() const {
  const Lock lock(inside_->mutex);
  return inside_->sync_fault.failed.empty() ? 0 : inside_->operations - inside_->operations_at_failure;
}
std::uint64_t PowerCutDisk::cuts() const {
  const Lock lock(inside_->mutex);
  return inside_->cuts;
}

}  // namespace nissa::test
