#include "journal/damaged_state.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "journal/anchor.hpp"
#include "journal/state_files.hpp"

namespace nissa::journal {
namespace {

namespace fs = std::filesystem;

constexpr const char* new_anchor_name = "ANCHOR.new";

std::unexpected<JournalError> failed(std::string message) {
  return std::unexpected(JournalError{Damage::none, std::move(message)});
}
std::unexpected<JournalError> failed(const std::string& doing, const std::error_code& error) {
  return failed(doing + ": " + error.message());
}

// All that may be a part of the state; not the folders that earlier ones are kept in.
std::vector<std::string> files_in(const std::string& directory, std::error_code& error) {
  std::vector<std::string> names;
  for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code gone;
    const std::string name = entry->path().filename().string();
    if (entry->is_regular_file(gone) && name != "lock" && name != new_anchor_name) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// Something is gone. Else it is there, and cannot be read by this process or this program.
bool is_loss(Damage damage) { return damage != Damage::none && damage != Damage::newer_version; }

// The same bytes under another name; where the file system has no such thing, a copy.
std::error_code keep(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return {};
  fs::copy_file(from, to, error);
  if (error) return error;
  const int file = ::open(to.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || fsync(file) != 0) error = std::error_code(errno, std::generic_category());
  if (file >= 0) ::close(file);
  return error;
}

}  // namespace

JournalResult<std::unique_ptr<DamagedState>> DamagedState::open(const Options& options, const Clock& clock) {
  std::unique_ptr<DamagedState> state(new DamagedState(options, clock));
  if (auto locked = state->lock_.acquire(options.directory); !locked) return std::unexpected(locked.error());
  if (auto read = state->read_anchor(); !read) return std::unexpected(read.error());
  return state;
}

JournalStatus DamagedState::read_anchor() {
  std::error_code error;
  if (!fs::exists(in_directory(anchor_name), error)) {
    return error ? failed(in_directory(anchor_name) + " cannot be read", error) : JournalStatus{};
  }
  auto file = open_anchor_file("", in_directory(anchor_name), false);
  if (!file) return failed(file.error().message);
  Anchor anchor(std::move(*file));
  const auto found = anchor.read();
  if (!found && found.error().damage != Damage::anchor_damaged)
    return std::unexpected(with_ways_on(JournalError(found.error())));
  if (!found || !*found) return {};
  generation_ = (*found)->generation;
  database_ = (*found)->database;
  last_known_ = (*found)->last_lsn;
  return {};
}

JournalResult<std::vector<DamagedState::Found>> DamagedState::read() {
  std::error_code error;
  std::vector<std::string> names = files_in(options_.directory, error);
  if (error) return failed(options_.directory + " cannot be read", error);
  std::erase_if(names, std::not_fn(is_database));
  if (const auto named = std::ranges::find(names, database_); named != names.end())
    std::rotate(names.begin(), named, named + 1);
  std::vector<Found> all;
  for (const std::string& name : names) {
    auto part = SoundPart::of(options_, in_directory(name));
    if (!part && !is_loss(part.error().damage)) return std::unexpected(with_ways_on(part.error()));
    if (part) generation_ = std::max(generation_, (*part)->start_generation());
    Found& found = all.emplace_back(Found{.name = name, .part = nullptr, .fault = {}});
    if (part)
      found.part = std::move(*part);
    else
      found.fault = std::move(part.error());
  }
  return all;
}

JournalResult<DamagedState::Replaced> DamagedState::replace(Lsn last_lsn, const std::function<Rewrite()>& next) {
  std::error_code error;
  const std::vector<std::string> names = files_in(options_.directory, error);
  if (error) return failed(options_.directory + " cannot be read", error);
  std::string database;
  const auto is_taken = [&](const std::string& name) { return name.starts_with(database); };
  do {
    database = database_name(++generation_);
  } while (std::ranges::any_of(names, is_taken));
  const auto id = draw_state_id();
  if (!id) return std::unexpected(id.error());
  // Each attempt takes another name: what a failed one left would fill the disk.
  const auto give_up = [&](JournalError fault) {
    for (const char* tail : database_tails) fs::remove(in_directory(database + tail), error);
    return std::unexpected(std::move(fault));
  };
  if (auto written = write_database(database, *id, last_lsn, next); !written) return give_up(written.error());
  auto kept = keep_files(names);
  if (!kept) return give_up(kept.error());
  if (auto written = write_anchor(database, *id, last_lsn + 1); !written) {
    fs::remove_all(*kept, error);
    return give_up(written.error());
  }
  // From here on a start may find the new state.
  if (auto synced = sync_directory(options_.directory); !synced) return std::unexpected(synced.error());
  return Replaced{.state_id = *id, .kept_in = std::move(*kept)};
}

JournalStatus DamagedState::write_database(const std::string& name, StateId id, Lsn last_lsn,
                                           const std::function<Rewrite()>& next) {
  Store store(options_, in_directory(name));
  if (auto created = store.create(id, last_lsn); !created) return created;
  for (bool last = false; !last;) {
    const Rewrite piece = next();
    last = piece.last;
    std::string why;
    Store::Timing timing;
    CommitResult result =
        last ? store.commit(piece.commit, clock_, timing, why) : store.put_rows(piece.commit.put, why);
    if (result == CommitResult::durable && store.wal_bytes() >= options_.checkpoint_bytes)
      result = store.checkpoint(why);
    if (result != CommitResult::durable) return failed(in_directory(name) + " cannot be written: " + why);
  }
  if (auto begun = store.begin_generation(generation_, id); !begun) return begun;
  return sync_directory(options_.directory);
}

JournalResult<std::string> DamagedState::keep_files(const std::vector<std::string>& names) const {
  const std::string stem = in_directory("damaged-" + time_name(clock_.wall_ns()));
  std::string folder;
  std::error_code error;
  bool made = false;
  for (int nth = 1; nth <= most_of_a_name && !made && !error; ++nth) {
    folder = stem + numbered(nth);
    made = fs::create_directory(folder, error);
  }
  if (error) return failed(folder + " cannot be made", error);
  if (!made) return failed("there are too many folders " + stem + "*");
  JournalStatus kept;
  for (const std::string& name : names)
    if (const auto fault = keep(in_directory(name), folder + "/" + name); fault && kept)
      kept = failed(in_directory(name) + " cannot be kept in " + folder, fault);
  for (const std::string& directory : {folder, options_.directory})
    if (kept) kept = sync_directory(directory);
  if (kept) return folder;
  fs::remove_all(folder, error);
  return std::unexpected(kept.error());
}

JournalStatus DamagedState::write_anchor(const std::string& database, StateId id, Lsn last_lsn) const {
  const std::string path = in_directory(new_anchor_name);
  std::error_code ignored;
  fs::remove(path, ignored);
  auto file = open_anchor_file("", path, true);
  if (!file) return failed(file.error().message);
  Anchor anchor(std::move(*file));
  const auto written =
      anchor.begin({.generation = generation_, .state_id = id, .last_lsn = last_lsn, .database = database});
  if (!written) return failed(path + " cannot be written: " + written.error().message);
  if (std::rename(path.c_str(), in_directory(anchor_name).c_str()) != 0)
    return failed(path + " cannot take the place of the old one", std::error_code(errno, std::generic_category()));
  return {};
}

}  // namespace nissa::journal
