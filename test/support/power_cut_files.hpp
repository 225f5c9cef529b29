// The files of a PowerCutDisk: what is read, what is durable, and what a power cut may take.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/power_cut_vfs.hpp"

namespace nissa::test {

// One file, whatever its name.
class ForgetfulFile {
 public:
  const Bytes& shown() const { return shown_; }
  void write(std::uint64_t at, ByteView bytes);
  void truncate(std::uint64_t size);
  void sync();
  // Its pages count as clean from here on: what is not durable yet never will be.
  void lose_unsynced() { unsynced_.clear(); }
  void reboot(std::mt19937_64& random, Survival survival);

 private:
  struct Change {
    bool is_truncation = false;
    std::uint64_t at = 0;  // of a truncation: the new size
    Bytes bytes;
  };
  static void apply(Bytes& content, const Change& change);
  void tear(std::mt19937_64& random, std::uint64_t piece);

  Bytes shown_;
  Bytes durable_;
  std::vector<Change> unsynced_;
};

// Names and their files.
class ForgetfulFolder {
 public:
  using File = std::shared_ptr<ForgetfulFile>;
  File find(const std::string& name) const;
  File create(const std::string& name);
  void remove(const std::string& name);
  void sync();
  bool is_durable(const std::string& name) const;
  void reboot(std::mt19937_64& random, Survival survival);

 private:
  struct Change {
    std::string name;
    File file;  // nullptr: deleted
  };
  using Entries = std::map<std::string, File>;
  static void apply(Entries& entries, const Change& change);

  Entries shown_;
  Entries durable_;
  std::vector<Change> unsynced_;
};

}  // namespace nissa::test
