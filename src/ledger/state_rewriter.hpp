// The whole state as the pieces of a journal::Rewrite, for a new file: all its objects as one complete snapshot, and a
// record after it in which nothing changes and which vouches for the rows. No record is applied meanwhile.
// Pure; on the ledger's strand. A piece costs half a millisecond.
#pragma once
#include <cstdint>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

class StateRewriter {
 public:
  // The rows bear this generation. Some 30 ns an epoch for the list of them.
  StateRewriter(const Ledger& ledger, Generation generation);

  // The first, then one after each that is durable, to the last one and no further.
  journal::Rewrite next(const Ledger& ledger);

  // When the last one is durable: to be applied, as every durable record; and what lies in the new file.
  const Record& record() const { return record_; }
  RowCatalog catalog() &&;

 private:
  bool refill(const Ledger& ledger);
  void put_rows(const Ledger& ledger, journal::Commit& commit);
  void put_complete(journal::Commit& commit);

  KeptSnapshot snapshot_;
  Record record_;
  RowCatalog catalog_;
  std::vector<ObjectId> todo_;  // in reverse
  std::vector<EpochObject> epochs_;
  std::uint32_t next_block_ = 0;
  std::size_t next_epoch_ = 0;
  bool begun_ = false;
};

}  // namespace nissa::ledger
