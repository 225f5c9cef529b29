// The counts of the open group: cells as they come from the fold, merged; expanded to good and total of each SLO and
// bucket only when the group closes. So the cost of an event does not grow with the number of SLOs it belongs to.
//
// Pure; on the ledger's strand. add: about 4 ns a cell; expand: about 10 ns a cell and SLO of its set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ledger/cell_table.hpp"
#include "ledger/record.hpp"
#include "slo/cell.hpp"
#include "slo/match_set.hpp"

namespace nissa::ledger {

class GroupCounts {
 public:
  explicit GroupCounts(std::uint64_t hash_seed) : cells_(hash_seed), places_(hash_seed) {}

  void add(std::span<const slo::Cell> cells);
  std::size_t cells() const { return cells_.size(); }  // distinct ones

  // The counts by SLO, ascending, each (slo, bucket) once; and this is empty again. `sets` knows every set that was
  // added. Linear: no sorting, for a full group has tens of thousands of cells.
  std::vector<BucketCount> expand(const slo::MatchSets& sets);

  std::size_t bytes() const;

 private:
  // Counts of one SLO hang on one chain, the latest bucket first.
  struct Link {
    BucketCount count;
    std::uint32_t next = 0;  // 1 + index; 0: the last
  };
  void expand_cell(const slo::MatchSets& sets, std::uint64_t key, std::uint64_t events);
  BucketCount& count_of(slo::SloId slo, Bucket bucket);
  std::vector<BucketCount> by_slo();

  CellTable cells_;
  CellTable places_;  // (slo, bucket) → 1 + index in links_
  std::vector<Link> links_;
  std::vector<std::uint32_t> heads_;    // by SLO: 1 + index of its chain's first link; 0: none
  std::vector<std::uint64_t> touched_;  // a bit an SLO
};

}  // namespace nissa::ledger
