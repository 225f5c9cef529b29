#include "app/inspect.hpp"

#include <cstdio>

#include "app/exit_code.hpp"
#include "app/inspected.hpp"
#include "app/look_at_copies.hpp"

namespace nissa::app {
namespace {

journal::JournalResult<ledger::Recovered> recovered_at(const std::string& directory) {
  const auto opened = open_copy(directory);
  if (!opened) return std::unexpected(opened.error());
  ledger::LedgerOptions ledger_options;
  ledger_options.state_id = as_it_lies_there(*opened);
  return ledger::recover(*opened->journal, opened->last_lsn, ledger_options);
}

journal::JournalStatus look(const std::string& copy, Inspected& found) {
  found = Inspected{};
  auto recovered = recovered_at(copy);  // first: looking for damage may change the copy
  if (!recovered && recovered.error().damage == journal::Damage::none) return std::unexpected(recovered.error());
  found.facts = read_facts(copy);
  if (!recovered) return std::unexpected(recovered.error());
  found.recovered = std::move(*recovered);
  return {};
}

}  // namespace

int inspect(const std::string& directory, bool as_json) {
  Inspected found;
  std::string copied_to;
  const auto seen = look_at_copies(directory, [&](const std::string& copy) {
    copied_to = copy;
    return look(copy, found);
  });
  if (!seen && seen.error().damage == journal::Damage::none) {
    std::fprintf(stderr, "nissad inspect: %s\n", seen.error().message.c_str());
    return exit_failed;
  }
  if (!seen) found.damage = seen.error();
  for (auto* fault : {&found.facts.unopened, &found.facts.rows.damage, &found.facts.records.damage})
    if (*fault) (*fault)->message = in_words_of(directory, copied_to, (*fault)->message);
  if (as_json)
    print_json(stdout, found);
  else
    print_text(seen ? stdout : stderr, found);
  return seen ? exit_ok : exit_damaged_state;
}

}  // namespace nissa::app
