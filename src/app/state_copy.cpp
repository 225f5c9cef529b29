#include "app/state_copy.hpp"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "journal/state_files.hpp"

namespace nissa::app {
namespace {

namespace fs = std::filesystem;

using journal::anchor_name;

// 0 is copied first.
int turn_of(const std::string& name) { return name == anchor_name ? 0 : name.ends_with("-wal") ? 2 : 1; }

// A copy has no lock of another's, and SQLite makes its index of the log anew. What else lies in a folder may be larger
// than TMPDIR, above all in one that is no state.
bool is_copied(const fs::directory_entry& entry) {
  std::error_code gone;
  const std::string name = entry.path().filename().string();
  return (name == anchor_name || journal::database_of(name)) && entry.is_regular_file(gone);
}

std::string seen_of(const fs::path& file) {
  if (file.filename() == anchor_name) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::error_code gone;
  const auto size = fs::file_size(file, gone);
  const auto written = fs::last_write_time(file, gone);
  return std::to_string(size) + ' ' + std::to_string(written.time_since_epoch().count());
}

// The error of a copy that has no room may be any.
std::string room_in(const fs::path& directory) {
  std::error_code unknown;
  const auto space = fs::space(directory, unknown);
  return unknown ? "" : "; " + std::to_string(space.available) + " bytes are free there (TMPDIR chooses another)";
}

StateFiles files_in(const fs::path& directory, std::error_code& error) {
  StateFiles files;
  for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (is_copied(*entry)) files[entry->path().filename().string()] = seen_of(entry->path());
  }
  return files;
}

}  // namespace

Result<StateCopy> StateCopy::of(const fs::path& original) {
  std::error_code error;
  if (!fs::is_directory(original, error)) return failure("no such directory");
  const fs::path temporary = fs::temp_directory_path(error);
  if (error) return failure("TMPDIR names no directory for a copy: " + error.message());
  std::string pattern = (temporary / "nissa-inspect-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return failure("no directory for a copy can be made in " + temporary.string() + " (TMPDIR chooses another)");
  StateCopy copy(original, pattern);
  copy.before_ = files_in(original, error);
  if (error) return failure("cannot be read: " + error.message());
  std::vector<std::string> names;
  for (const auto& [name, seen] : copy.before_) names.push_back(name);
  std::ranges::sort(names, {}, turn_of);
  for (const std::string& name : names) {
    fs::copy_file(original / name, copy.path_ / name, error);
    // A log goes when its server stops.
    if (error && error != std::errc::no_such_file_or_directory)
      return failure(name + " cannot be copied to " + temporary.string() + ": " + error.message() + room_in(temporary));
  }
  return copy;
}

StateCopy::StateCopy(fs::path original, fs::path path) : original_(std::move(original)), path_(std::move(path)) {}

StateCopy::StateCopy(StateCopy&& other) noexcept
    : original_(std::move(other.original_)), path_(std::exchange(other.path_, {})), before_(std::move(other.before_)) {}

StateCopy::~StateCopy() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

bool StateCopy::original_changed() const {
  std::error_code error;
  return files_in(original_, error) != before_ || error;
}

}  // namespace nissa::app
