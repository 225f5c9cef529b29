#include "trials.hpp"

#include <fstream>

#include "base/violation.hpp"
#include "journal_helpers.hpp"
#include "ledger/accept_loss.hpp"

namespace nissa::test {
namespace {

namespace fs = std::filesystem;

int violations = 0;

void write_file(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

bool says_of_what(const std::string& message, const fs::path& directory) {
  for (const std::string& named :
       {directory.string() + "/", std::string("ANCHOR"), std::string("record"), std::string(" row ")})
    if (message.contains(named)) return true;
  return false;
}

}  // namespace

Trials::Trials(const fs::path& sound, fs::path work, const MadeState& made)
    : work_(std::move(work)),
      sound_(read_files(sound)),
      made_(made),
      clock_((made.ledger_ms + 7'000) * ns_per_ms),
      after_loss_(hashes_after_loss(made, made.ledger_ms + 7'000)) {
  set_violation_hook([](std::string_view, std::string_view, const std::source_location&) { ++violations; });
  fs::create_directories(work_);
  restore();
  auto found = recovered_at(work_);
  if (!found) return;  // outcome() says so each time
  ledger::Ledger& ledger = *found->ledger;
  const ledger::Stamp stamp = ledger.next_stamp(ledger.ledger_ms() + 10'000);
  next_ = {.lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms};
  next_.floor = ledger.epochs().floor();
  ledger.apply(next_);
  next_hash_ = ledger.state_hash();
}

Files Trials::damage(const Place& place) const {
  Files damaged = sound_;
  std::string& bytes = damaged[place.file];
  if (place.bit == Place::cut)
    bytes.resize(place.at);
  else
    bytes[place.at] = static_cast<char>(bytes[place.at] ^ 1 << place.bit);
  write_file(work_ / place.file, bytes);
  return damaged;
}

std::string Trials::outcome(const Place& place) {
  const Files damaged = damage(place);
  std::string found = look();
  if (read_files(work_) != damaged)
    found = "!changed by looking: " + found;
  else if (found == "exact")
    found = go_on();
  restore();
  return found;
}

std::string Trials::outcome_with_loss(const Place& place) {
  std::string found = accept(damage(place));
  restore();
  return found;
}

std::string Trials::accept(const Files& damaged) {
  went_on_from_ = 0;
  const int before = violations;
  const auto accepted = ledger::accept_loss(options_for(work_), any_state(), clock_);
  if (violations != before) return "!violation";
  if (!accepted) {
    const journal::JournalError& error = accepted.error();
    if (error.damage == journal::Damage::none) return "!no damage: " + error.message;
    if (!error.message.contains("Ways on")) return "!without ways on: " + error.message;
    return read_files(work_) == damaged ? "refused" : "!changed by refusing: " + error.message;
  }
  if (read_files(accepted->kept_in) != damaged) return "!not kept as it was";
  went_on_from_ = accepted->last_sound;
  if (accepted->last_sound > made_.last_lsn) return "!beyond the end";
  {
    auto opened = open_at(work_);
    if (!opened) return "!not sound: " + opened.error().message;
    if (opened->state_id == made_.state_id || opened->state_id != accepted->state_id) return "!not a new id";
    const auto found = ledger::recover(*opened->journal, opened->last_lsn, any_state());
    if (!found) return "!not sound: " + found.error().message;
    if (found->ledger->state_hash() != after_loss_[accepted->last_sound]) return "!a state that never was";
    if (const auto started = opened->journal->start(); !started) return "!no start: " + started.error().message;
  }
  if (!recovered_at(work_)) return "!no second start";
  if (read_files(accepted->kept_in) != damaged) return "!not kept by a start";
  return accepted->last_sound == made_.last_lsn ? "all" : "a part";
}

std::string Trials::look() const {
  const int before = violations;
  const auto found = recovered_at(work_);
  if (violations != before) return "!violation";
  if (found) return found->ledger->state_hash() == made_.hash ? "exact" : "!another state";
  const journal::JournalError& error = found.error();
  if (error.damage == journal::Damage::none) return "!no damage: " + error.message;
  if (!says_of_what(error.message, work_)) return "!says not of what: " + error.message;
  return std::string(name_of(error.damage));
}

// No free page was one in use, and no part of the log that was passed over comes back.
std::string Trials::go_on() const {
  {
    auto opened = open_at(work_);
    if (!opened) return "!not twice: " + opened.error().message;
    if (const auto started = opened->journal->start(); !started) return "!no start: " + started.error().message;
    const auto committed = commit_and_wait(*opened->journal, {.lsn = next_.lsn, .record = encode(next_)});
    if (committed != journal::CommitResult::durable) return "!no commit";
  }
  const auto again = recovered_at(work_);
  if (!again) return "!unsound after a commit: " + again.error().message;
  return again->ledger->state_hash() == next_hash_ ? "exact" : "!another state after a commit";
}

void Trials::restore() const {
  const Files there = read_files(work_);
  for (const auto& entry : fs::directory_iterator(work_))
    if (entry.is_directory()) fs::remove_all(entry.path());
  for (const auto& [name, bytes] : there)
    if (!sound_.contains(name)) fs::remove(work_ / name);
  for (const auto& [name, bytes] : sound_)
    if (const auto found = there.find(name); found == there.end() || found->second != bytes)
      write_file(work_ / name, bytes);
}

}  // namespace nissa::test
