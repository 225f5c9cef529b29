#include "support/power_cut_files.hpp"

#include <algorithm>

namespace nissa::test {
namespace {

bool by_chance(std::mt19937_64& random) { return random() % 2 == 0; }

// Which of so many unsynced changes, the oldest first, got to the disk.
std::vector<bool> survivors(std::mt19937_64& random, Survival survival, std::size_t count) {
  std::vector<bool> kept(count, survival == Survival::everything);
  const std::size_t from = random() % (count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (survival == Survival::earlier) kept[i] = i < from;
    if (survival == Survival::later) kept[i] = i >= from;
    if (survival == Survival::some) kept[i] = by_chance(random);
  }
  return kept;
}

}  // namespace

void ForgetfulFile::apply(Bytes& content, const Change& change) {
  if (change.is_truncation) {
    content.resize(change.at);
    return;
  }
  content.resize(std::max<std::size_t>(content.size(), change.at + change.bytes.size()));
  std::ranges::copy(change.bytes, content.begin() + static_cast<std::ptrdiff_t>(change.at));
}

void ForgetfulFile::write(std::uint64_t at, ByteView bytes) {
  unsynced_.push_back({.at = at, .bytes = Bytes(bytes.begin(), bytes.end())});
  apply(shown_, unsynced_.back());
}

void ForgetfulFile::truncate(std::uint64_t size) {
  unsynced_.push_back({.is_truncation = true, .at = size, .bytes = {}});
  apply(shown_, unsynced_.back());
}

void ForgetfulFile::sync() {
  for (const Change& change : unsynced_) apply(durable_, change);
  unsynced_.clear();
}

void ForgetfulFile::reboot(std::mt19937_64& random, Survival survival) {
  if (survival == Survival::drawn) survival = static_cast<Survival>(random() % static_cast<int>(Survival::drawn));
  if (survival == Survival::torn_512 || survival == Survival::torn_4096) {
    tear(random, survival == Survival::torn_512 ? 512 : 4096);
  } else {
    const auto kept = survivors(random, survival, unsynced_.size());
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (kept[i]) apply(durable_, unsynced_[i]);
  }
  unsynced_.clear();
  shown_ = durable_;
}

void ForgetfulFile::tear(std::mt19937_64& random, std::uint64_t piece) {
  for (const Change& change : unsynced_) {
    if (change.is_truncation) {
      if (by_chance(random)) apply(durable_, change);
      continue;
    }
    // Pieces as the disk has them: aligned in the file, not in what was written at once.
    const std::uint64_t end = change.at + change.bytes.size();
    for (std::uint64_t at = change.at; at < end;) {
      const std::uint64_t next = std::min(end, (at / piece + 1) * piece);
      const auto begin = change.bytes.begin();
      const auto offset = [&](std::uint64_t place) { return static_cast<std::ptrdiff_t>(place - change.at); };
      if (by_chance(random)) apply(durable_, {.at = at, .bytes = Bytes(begin + offset(at), begin + offset(next))});
      at = next;
    }
  }
  if (by_chance(random)) durable_.resize(std::max(durable_.size(), shown_.size()));
}

ForgetfulFolder::File ForgetfulFolder::find(const std::string& name) const {
  const auto found = shown_.find(name);
  return found == shown_.end() ? nullptr : found->second;
}

void ForgetfulFolder::apply(Entries& entries, const Change& change) {
  if (change.file == nullptr) {
    entries.erase(change.name);
  } else {
    entries[change.name] = change.file;
  }
}

ForgetfulFolder::File ForgetfulFolder::create(const std::string& name) {
  unsynced_.push_back({name, std::make_shared<ForgetfulFile>()});
  apply(shown_, unsynced_.back());
  return unsynced_.back().file;
}

void ForgetfulFolder::remove(const std::string& name) {
  unsynced_.push_back({name, nullptr});
  apply(shown_, unsynced_.back());
}

void ForgetfulFolder::sync() {
  durable_ = shown_;
  unsynced_.clear();
}

bool ForgetfulFolder::is_durable(const std::string& name) const {
  const auto shown = shown_.find(name);
  const auto durable = durable_.find(name);
  return shown != shown_.end() && durable != durable_.end() && shown->second == durable->second;
}

void ForgetfulFolder::reboot(std::mt19937_64& random, Survival survival) {
  const Survival of_entries = survival == Survival::drawn ? static_cast<Survival>(random() % 5)
                              : survival > Survival::some ? Survival::some
                                                          : survival;
  const auto kept = survivors(random, of_entries, unsynced_.size());
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) apply(durable_, unsynced_[i]);
  unsynced_.clear();
  shown_ = durable_;
  for (const auto& [_, file] : shown_) file->reboot(random, survival);
}

}  // namespace nissa::test
