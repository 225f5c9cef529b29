#include "journal/state_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace nissa::journal {
namespace {

std::unexpected<JournalError> refused(std::string message, int error) {
  return std::unexpected(
      JournalError{Damage::none, std::move(message) + ": " + std::generic_category().message(error)});
}

std::string pid_in(int file) {
  std::array<char, 24> text{};
  const ssize_t size = pread(file, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < size && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9';
       ++i)
    pid += text[static_cast<std::size_t>(i)];
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) close(file_);
}

JournalStatus DirectoryLock::acquire(const std::string& directory) {
  if (mkdir(directory.c_str(), 0750) == 0) {
    // Else a power cut might take the directory with all that was acknowledged in it. A parent that may not be read
    // cannot be synced, and is no reason to refuse.
    (void)sync_directory(directory + "/..");
  } else if (errno != EEXIST) {
    return refused("the state directory " + directory + " cannot be made", errno);
  }
  const std::string path = directory + "/lock";
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file_ < 0) return refused("the state directory " + directory + " is not writable: " + path, errno);
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return refused(path + " cannot be locked", errno);
    return std::unexpected(JournalError{Damage::none, "the state directory " + directory + " is in use by process " +
                                                          pid_in(file_) +
                                                          ": stop it first, or give this one another directory"});
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(file_, 0) != 0 || pwrite(file_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return refused(path + " cannot be written", errno);
  }
  const auto identity = identity_of(directory);
  if (!identity) return refused("the state directory " + directory + " cannot be looked at", errno);
  directory_ = directory;
  device_ = identity->device;
  return {};
}

bool DirectoryLock::is_elsewhere() const {
  const auto found = identity_of(directory_);
  return found && found->device != device_;
}

JournalStatus sync_directory(const std::string& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return refused("the directory " + directory + " cannot be opened", errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  if (error != 0) return refused("the directory " + directory + " cannot be synced", error);
  return {};
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

JournalResult<StateId> draw_state_id() {
  StateId id = 0;
  while (id == 0)
    if (getrandom(&id, sizeof id, 0) != sizeof id) return refused("the system has no random numbers", errno);
  return id;
}

}  // namespace nissa::journal
