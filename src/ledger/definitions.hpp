// The SLOs and their permanent numbers: (name, hash of the SLI) → id, given by a DEFINE record and never used again for
// anything else. The same hash keeps its id and its history under a new target or text; another hash is a new SLO, and
// the old one is retired: it counts no more, and stays listed. Going back to an earlier SLI finds its old id.
//
// Pure; on the ledger's strand. An SLO that is read elsewhere is shared: definitions are immutable.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "ledger/record.hpp"
#include "slo/definition.hpp"
#include "slo/slo_id.hpp"

namespace nissa::ledger {

struct DefinedSlo {
  std::shared_ptr<const slo::Definition> definition;  // null: no such SLO
  std::uint64_t sli_hash = 0;
  bool retired = false;
  Lsn changed_lsn = 0;  // the last record that changed it; not part of the state
};

// What has to stand in a record before the configured SLOs count.
struct DefinitionPlan {
  std::vector<Define> defines;
  std::vector<slo::SloId> retired;
  std::vector<slo::SloId> ids;  // of the configured SLOs, in their order
  bool empty() const { return defines.empty() && retired.empty(); }
};

class Definitions {
 public:
  // --- The one thing that moves: DEFINEs, then RETIREs. Both are absolute: replayed over a row that contains them, and
  // all that came after, they come to the same.
  void apply(const Record& record);
  // Memory for that. Fails by std::bad_alloc; the definitions are as before.
  void reserve(const Record& record);

  // --- Questions.
  std::size_t size() const { return slos_.size(); }  // ids are below
  // nullptr: never defined.
  const DefinedSlo* find(slo::SloId id) const;
  Lsn changed_lsn() const { return changed_lsn_; }  // of the last change to any
  // At a start and at a reload: names are unique in `configured`. Fails when the ids are used up.
  Result<DefinitionPlan> plan(std::span<const slo::Definition> configured) const;

  // --- Snapshots and recovery.
  std::vector<slo::SloId> changed_after(Lsn lsn) const;
  bool encode(slo::SloId id, Bytes& out) const;
  Status load(slo::SloId id, ByteView value, Lsn lsn);

 private:
  struct Made {
    std::shared_ptr<const slo::Definition> definition;
    std::uint64_t sli_hash = 0;
  };
  static Made make(const slo::Definition& definition);
  DefinedSlo* slot(slo::SloId id);
  std::vector<DefinedSlo> slos_;  // by id
  std::vector<Made> reserved_;    // of the DEFINEs of the record that is applied next, in their order
  Lsn changed_lsn_ = 0;
};

}  // namespace nissa::ledger
