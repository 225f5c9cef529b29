// What a plan means for the histories of the SLOs, for people: a history that begins anew or ends is easily missed.
//
// Pure; on the ledger's strand, or before it runs.
#pragma once
#include <string>
#include <vector>

#include "ledger/definitions.hpp"

namespace nissa::ledger {

struct HistoryChange {
  enum class What { begins, resumes, ends };
  What what = What::begins;
  std::string slo;  // its name; of `ends`: that of the retired SLO
  // begins, resumes: the SLO that is retired in its place, because it bore the name or counted the same. Else empty.
  std::string instead_of;
  std::string changed;  // against that one, as keys of the file: "threshold, failures"; "name" for another name alone
};

// In the order of the plan, `ends` last. `plan` is that of `definitions`, and not yet applied.
std::vector<HistoryChange> history_changes(const Definitions& definitions, const DefinitionPlan& plan);

}  // namespace nissa::ledger
