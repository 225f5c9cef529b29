// A copy of a state's files, which a running server may be writing meanwhile.
//
// In the order that makes lateness harmless: ANCHOR first, for it is never ahead of the journal, but a journal that was
// copied before it would seem to have lost its end; then the database; then its log, which holds what came since. What
// order cannot mend is a checkpoint that moves the log into the database between the two: such a copy seems damaged,
// and original_changed() says that it may be only the copy.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"

namespace nissa::app {

// Files by name, as far as their change can be seen: ANCHOR's content (its size stays, and its time is coarse), the
// others' size and time of last writing.
using StateFiles = std::map<std::string, std::string>;

// Removed at the end. Blocking.
class StateCopy {
 public:
  static Result<StateCopy> of(const std::filesystem::path& original);
  StateCopy(StateCopy&& other) noexcept;
  StateCopy& operator=(StateCopy&&) = delete;
  ~StateCopy();

  std::string path() const { return path_.string(); }
  // Something was written since the copying began.
  bool original_changed() const;

 private:
  StateCopy(std::filesystem::path original, std::filesystem::path path);

  std::filesystem::path original_;
  std::filesystem::path path_;
  StateFiles before_;
};

}  // namespace nissa::app
