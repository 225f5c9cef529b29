#include "app/verify.hpp"

#include <algorithm>
#include <cstdio>

#include "app/exit_code.hpp"
#include "app/look_at_copies.hpp"
#include "app/state_facts.hpp"
#include "base/hex_text.hpp"
#include "ledger/reassembled.hpp"
#include "ledger/recovery.hpp"

namespace nissa::app {
namespace {

using journal::Damage;
using journal::JournalError;
using Verdict = Finding::Verdict;
using Findings = std::vector<Finding>;

Finding ok(std::string text) { return {Verdict::ok, std::move(text)}; }
Finding damaged(const JournalError& error) {
  return {Verdict::damaged, std::string(name_of(error.damage)) + ": " + error.message};
}
std::string amount(std::uint64_t number, const char* things, std::uint64_t bytes) {
  return std::to_string(number) + ' ' + things + " of " + std::to_string(bytes) + " bytes";
}

// A start does with one sound slot, and writes both.
void check_anchor(const StateFacts& facts, Findings& findings) {
  if (!facts.anchor_there) return;  // the start says so
  const auto sound = std::ranges::count_if(facts.slots, [](const auto& slot) { return slot.has_value(); });
  if (sound == 0) return;
  for (std::size_t slot = 0; slot < facts.slots.size(); ++slot) {
    const std::string name = "ANCHOR, slot " + std::to_string(slot) + ": ";
    if (facts.slots[slot])
      findings.push_back(ok(name + "start " + std::to_string(facts.slots[slot]->generation) + ", record " +
                            std::to_string(facts.slots[slot]->last_lsn)));
    else
      findings.push_back(
          {Verdict::warning, name + "is not sound; the other one counts, and the next start writes both"});
  }
}

void check_database(const StateFacts& facts, Findings& findings) {
  if (facts.rows.damage)
    findings.push_back(damaged(*facts.rows.damage));
  else
    findings.push_back(ok(amount(facts.rows.sound, "rows", facts.rows.bytes) +
                          ", each as written, and those that the last record vouches for"));
  if (facts.records.damage)
    findings.push_back(damaged(*facts.records.damage));
  else
    findings.push_back(ok(amount(facts.records.sound, "records", facts.records.bytes) + ", " +
                          std::to_string(facts.first_lsn) + " to " + std::to_string(facts.last_lsn) +
                          " without a gap, each as written"));
}

std::string name_of(ledger::Generation snapshot) {
  return snapshot == 0 ? "the records alone" : "snapshot " + std::to_string(snapshot) + " and the records since";
}

struct Sources {
  journal::Journal& journal;
  journal::Lsn last_lsn;
  ledger::LedgerOptions options;
};

// From an older snapshot, or from nothing, it has to come to the same.
void compare(const Sources& sources, ledger::Generation latest, std::uint64_t hash, Findings& findings) {
  const auto older = ledger::recover(sources.journal, sources.last_lsn, sources.options, latest);
  if (!older) return findings.push_back(damaged(older.error()));
  const std::uint64_t other = older->ledger->state_hash();
  if (other == hash)
    findings.push_back(ok(name_of(latest) + " come to the same state"));
  else
    findings.push_back({Verdict::damaged, "unlike: " + name_of(latest) + " come to another state, " + hex_text(other)});
}

bool keeps_all_records(journal::Journal& journal) {
  bool first = false;
  const auto read = journal.read_records(1, [&](journal::Lsn, ByteView) {
    first = true;
    return false;
  });
  return read && first;
}

void check_state(const Sources& sources, Findings& findings) {
  const auto newest = ledger::recover(sources.journal, sources.last_lsn, sources.options);
  if (!newest) return findings.push_back(damaged(newest.error()));
  const std::uint64_t hash = newest->ledger->state_hash();
  findings.push_back(ok(name_of(newest->snapshot) + " come to state " + hex_text(hash) + " at record " +
                        std::to_string(newest->ledger->applied())));
  const auto again = ledger::reassembled(*newest->ledger, sources.options);
  if (!again)
    findings.push_back(damaged({Damage::bad_crc, "written and read again: " + again.error().message}));
  else if ((*again)->state_hash() != hash)
    findings.push_back({Verdict::damaged, "unlike: written and read again it is another state"});
  else
    findings.push_back(ok("written and read again it is the same state"));
  for (const ledger::KeptSnapshot& kept : newest->catalog.kept())
    if (kept.generation != newest->snapshot) compare(sources, kept.generation, hash, findings);
  if (newest->snapshot != 0 && keeps_all_records(sources.journal)) compare(sources, 0, hash, findings);
}

// As a start does it, and more. Error: the database cannot be looked at; damage is among the findings.
journal::JournalStatus check_start(const std::string& directory, Findings& opening, Findings& state) {
  const auto opened = open_copy(directory);
  if (!opened && opened.error().damage == Damage::none) return std::unexpected(opened.error());
  if (!opened) {
    opening.push_back(damaged(opened.error()));
    return {};
  }
  opening.push_back(ok("ANCHOR and the database belong to state " + hex_text(as_it_lies_there(*opened)) +
                       ", which goes as far as ANCHOR knows, to record " + std::to_string(opened->last_lsn) +
                       "; SQLite finds no fault in the database"));
  if (opened->copy_of != 0)
    opening.push_back(ok("it is a backup that was never started: a start on it begins a state of its own"));
  check_state({*opened->journal, opened->last_lsn, {.state_id = as_it_lies_there(*opened)}}, state);
  return {};
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::damaged:
      return "damaged";
  }
  return "unknown";
}

}  // namespace

journal::JournalResult<Findings> findings_of(const std::string& directory) {
  Findings opening, state, findings;
  if (const auto started = check_start(directory, opening, state); !started) return std::unexpected(started.error());
  const StateFacts facts = read_facts(directory);
  check_anchor(facts, findings);
  findings.insert(findings.end(), opening.begin(), opening.end());
  if (!facts.unopened || facts.unopened->damage == Damage::bad_crc) check_database(facts, findings);
  findings.insert(findings.end(), state.begin(), state.end());
  return findings;
}

int verify(const std::string& directory) {
  Findings findings;
  const auto is_damage = [](const Finding& finding) { return finding.verdict == Verdict::damaged; };
  const auto seen = look_at_copies(directory, [&](const std::string& copy) -> journal::JournalStatus {
    auto found = findings_of(copy);
    if (!found) return std::unexpected(found.error());
    findings = std::move(*found);
    for (Finding& finding : findings) finding.text = in_words_of(directory, copy, std::move(finding.text));
    const auto damage = std::ranges::find_if(findings, is_damage);
    if (damage == findings.end()) return {};
    return std::unexpected(JournalError{Damage::bad_crc, damage->text});  // by which name does not matter here
  });
  if (!seen && seen.error().damage == Damage::none) {
    std::fprintf(stderr, "nissad verify: %s\n", seen.error().message.c_str());
    return exit_failed;
  }
  for (const Finding& finding : findings) std::printf("%s: %s\n", name_of(finding.verdict), finding.text.c_str());
  return seen ? exit_ok : exit_damaged_state;
}

}  // namespace nissa::app
