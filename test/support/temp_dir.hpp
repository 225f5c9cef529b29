// A directory of its own for one test, gone at its end. Under $TMPDIR, else in memory (/dev/shm), else /tmp: on a busy
// disk the fsyncs of a thousand restarts take a minute, and prove nothing without a power cut.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace nissa::test {

class TempDir {
 public:
  TempDir() {
    const char* chosen = std::getenv("TMPDIR");
    const char* base = chosen != nullptr ? chosen : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    path_ = std::string(base) + "/nissa-test-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace nissa::test
