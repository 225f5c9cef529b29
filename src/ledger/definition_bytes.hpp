// An SLO's definition in the journal: in DEFINE records and in the snapshot's rows (docs/journal-format.md).
#pragma once
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "slo/definition.hpp"

namespace nissa::ledger {

void append_definition(const slo::Definition& definition, ByteWriter& out);

// Reads what append_definition wrote, no more. Fails on numbers that no definition has, and on a reader that failed.
Result<slo::Definition> read_definition(ByteReader& in);

}  // namespace nissa::ledger
