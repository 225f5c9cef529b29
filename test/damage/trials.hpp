// Damages a sound state in one place at a time, and says what a start makes of it.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "ledger/record.hpp"

namespace nissa::test {

using Files = std::map<std::string, std::string>;

// All but the lock.
Files read_files(const std::filesystem::path& directory);

// One place that is damaged: a bit, or with `cut` the end of the file.
struct Place {
  static constexpr int cut = -1;
  std::string file;
  std::size_t at = 0;
  int bit = cut;
};

class Trials {
 public:
  // `sound` holds a sound state with this hash; its copy is worked on in `work`.
  Trials(const std::filesystem::path& sound, std::filesystem::path work, std::uint64_t hash);

  // "exact": the sound state, also after one more start and one more record. A name of docs/journal-format.md: damage,
  // with a message that says of what, and no file was changed. What begins with '!' must not be.
  std::string outcome(const Place& place);
  const Files& sound() const { return sound_; }

 private:
  std::string look() const;
  std::string go_on() const;
  void restore() const;

  std::filesystem::path work_;
  Files sound_;
  std::uint64_t hash_;
  ledger::Record next_;  // a record that could follow
  std::uint64_t next_hash_ = 0;
};

}  // namespace nissa::test
