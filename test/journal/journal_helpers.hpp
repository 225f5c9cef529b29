// A journal on a directory, driven synchronously; and random commits.
#pragma once
#include <future>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "journal/journal.hpp"

namespace nissa::test {

inline journal::CommitResult commit_and_wait(journal::Journal& journal, journal::Commit commit) {
  std::promise<journal::CommitResult> result;
  journal.commit(std::move(commit), [&](journal::CommitResult r) { result.set_value(r); });
  return result.get_future().get();
}

inline journal::Options options_for(const std::string& directory) {
  journal::Options options;
  options.directory = directory;
  return options;
}

inline const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

inline journal::JournalResult<journal::Opened> open_at(const std::string& directory) {
  return journal::open_journal(options_for(directory), system_clock());
}

// Everything a start would read.
struct Contents {
  std::map<std::pair<Bytes, std::uint64_t>, Bytes> rows;
  std::map<journal::Lsn, Bytes> records;
  bool operator==(const Contents&) const = default;
};
inline journal::JournalResult<Contents> contents(journal::Journal& journal, journal::Lsn from) {
  Contents all;
  const auto rows = journal.read_rows([&](ByteView key, std::uint64_t generation, ByteView value) {
    all.rows[{Bytes(key.begin(), key.end()), generation}] = Bytes(value.begin(), value.end());
    return true;
  });
  if (!rows) return std::unexpected(rows.error());
  const auto records = journal.read_records(from, [&](journal::Lsn lsn, ByteView bytes) {
    all.records[lsn] = Bytes(bytes.begin(), bytes.end());
    return true;
  });
  if (!records) return std::unexpected(records.error());
  return all;
}

inline Bytes random_bytes(std::mt19937_64& random, std::size_t at_most) {
  Bytes bytes(random() % (at_most + 1));
  for (auto& byte : bytes) byte = static_cast<Byte>(random());
  return bytes;
}

// Few keys and generations, so that rows are replaced and erased; now and then a long record.
inline journal::Commit random_commit(std::mt19937_64& random, journal::Lsn lsn) {
  journal::Commit commit;
  commit.lsn = lsn;
  commit.record = random_bytes(random, random() % 10 == 0 ? 40'000 : 500);
  const auto key = [&] { return Bytes{static_cast<Byte>(random() % 20), static_cast<Byte>(random() % 2)}; };
  for (auto count = random() % 8; count > 0; --count) commit.erase.push_back({key(), random() % 3});
  for (auto count = random() % 8; count > 0; --count) {
    commit.put.push_back({key(), random() % 3, random_bytes(random, 3000)});
  }
  return commit;
}

}  // namespace nissa::test
