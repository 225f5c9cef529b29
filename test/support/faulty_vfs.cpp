#include "support/faulty_vfs.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>

namespace nissa::test {
namespace {

struct Fault {
  std::string tail;
  int code = 0;
  std::atomic<int> countdown{0};

  void arm(const std::string& file, int nth, int error) {
    tail = file;
    code = error;
    countdown = nth;
  }
  int check(const std::string& name) {
    if (countdown == 0 || !name.ends_with(tail)) return SQLITE_OK;
    return --countdown == 0 ? code : SQLITE_OK;
  }
};

Fault sync_fault;
Fault write_fault;
sqlite3_vfs* system_vfs = nullptr;

struct File {
  sqlite3_file base;
  std::string* name;
  sqlite3_file* real;  // right behind this struct
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

int close(sqlite3_file* file) {
  delete reinterpret_cast<File*>(file)->name;
  return real(file)->pMethods->xClose(real(file));
}
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  const int code = write_fault.check(*reinterpret_cast<File*>(file)->name);
  return code != SQLITE_OK ? code : real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) { return real(file)->pMethods->xTruncate(real(file), size); }
int sync(sqlite3_file* file, int flags) {
  const int code = sync_fault.check(*reinterpret_cast<File*>(file)->name);
  return code != SQLITE_OK ? code : real(file)->pMethods->xSync(real(file), flags);
}
int size(sqlite3_file* file, sqlite3_int64* out) { return real(file)->pMethods->xFileSize(real(file), out); }
int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int locked(sqlite3_file* file, int* out) { return real(file)->pMethods->xCheckReservedLock(real(file), out); }
int control(sqlite3_file* file, int what, void* with) {
  return real(file)->pMethods->xFileControl(real(file), what, with);
}
int sector(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int device(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

// Version 1: no shared memory, no mmap.
const sqlite3_io_methods methods{1,    close,  read,   write,   truncate, sync,  size,
                                 lock, unlock, locked, control, sector,   device};

int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
  auto* own = reinterpret_cast<File*>(file);
  own->base.pMethods = nullptr;
  own->real = reinterpret_cast<sqlite3_file*>(own + 1);
  const int code = system_vfs->xOpen(system_vfs, name, own->real, flags, out);
  if (code != SQLITE_OK) return code;
  own->name = new std::string(name != nullptr ? name : "");
  own->base.pMethods = &methods;
  return SQLITE_OK;
}

sqlite3_vfs faulty;

}  // namespace

FaultyVfs::FaultyVfs() {
  sqlite3_initialize();
  system_vfs = sqlite3_vfs_find(nullptr);
  faulty = *system_vfs;
  faulty.zName = name();
  faulty.szOsFile = static_cast<int>(sizeof(File)) + system_vfs->szOsFile;
  faulty.xOpen = open;
  faulty.pNext = nullptr;
  sqlite3_vfs_register(&faulty, 0);
}
FaultyVfs::~FaultyVfs() {
  sync_fault.countdown = 0;
  write_fault.countdown = 0;
  sqlite3_vfs_unregister(&faulty);
}
void FaultyVfs::fail_sync(const std::string& tail, int nth, int code) { sync_fault.arm(tail, nth, code); }
void FaultyVfs::fail_write(const std::string& tail, int nth, int code) { write_fault.arm(tail, nth, code); }

}  // namespace nissa::test
