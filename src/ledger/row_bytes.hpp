// The bytes of a snapshot's rows around the objects themselves (docs/journal-format.md, "Rows").
#pragma once
#include <optional>

#include "base/bytes.hpp"
#include "ledger/objects.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

inline constexpr ObjectId snapshot_begin{ObjectKind::snapshot, 0};
inline constexpr ObjectId snapshot_complete{ObjectKind::snapshot, 1};

// Of the begin and the complete row: the first record that is not in every row, and (complete) the last that is in any.
Bytes snapshot_value(const KeptSnapshot& snapshot);
std::optional<KeptSnapshot> read_snapshot_value(Generation generation, ByteView value);

// Before an object's own bytes: the last record that they contain, and whether the object is no more.
void append_row_head(Lsn lsn, bool absent, Bytes& out);
struct RowHead {
  Lsn lsn = 0;
  bool absent = false;
  ByteView object;  // its own bytes
};
std::optional<RowHead> read_row_head(ByteView value);

}  // namespace nissa::ledger
