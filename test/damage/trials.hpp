// Damages a sound state in one place at a time, and says what a start makes of it.
#pragma once
#include <filesystem>
#include <string>

#include "ledger/record.hpp"
#include "made_state.hpp"
#include "support/files_in.hpp"
#include "support/manual_clock.hpp"

namespace nissa::test {

// One place that is damaged: a bit, or with `cut` the end of the file.
struct Place {
  static constexpr int cut = -1;
  std::string file;
  std::size_t at = 0;
  int bit = cut;
};

class Trials {
 public:
  // `sound` holds the made state; its copy is worked on in `work`.
  Trials(const std::filesystem::path& sound, std::filesystem::path work, const MadeState& made);

  // "exact": the sound state, also after one more start and one more record. A name of docs/journal-format.md: damage,
  // with a message that says of what, and no file was changed. What begins with '!' must not be.
  std::string outcome(const Place& place);
  // The same damage, and --accept-loss: "a part" of the history, from its begin to some record and nothing else, on
  // which the next start goes on, with the files kept as they were; "all" of it; or "refused", with nothing changed.
  std::string outcome_with_loss(const Place& place);
  // Of the history, by the last outcome_with_loss: as far as this record.
  journal::Lsn went_on_from() const { return went_on_from_; }
  const Files& sound() const { return sound_; }

 private:
  Files damage(const Place& place) const;
  std::string look() const;
  std::string go_on() const;
  std::string accept(const Files& damaged);
  void restore() const;

  std::filesystem::path work_;
  Files sound_;
  MadeState made_;
  ManualClock clock_;
  std::vector<std::uint64_t> after_loss_;  // hashes, by the last record
  journal::Lsn went_on_from_ = 0;
  ledger::Record next_;  // a record that could follow
  std::uint64_t next_hash_ = 0;
};

}  // namespace nissa::test
