// The counts of the open group: cells as they come from the fold, merged; expanded to good and total of each SLO and
// bucket only when the group closes. So the cost of an event does not grow with the number of SLOs it belongs to.
//
// Pure; on the ledger's strand. add: about 5 ns a cell; expand: 13 – 25 ns a cell and SLO of its set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ledger/cell_table.hpp"
#include "ledger/record.hpp"
#include "slo/cell.hpp"
#include "slo/counts.hpp"
#include "slo/match_set.hpp"

namespace nissa::ledger {

class GroupCounts {
 public:
  explicit GroupCounts(std::uint64_t hash_seed) : cells_(hash_seed) {}

  // Needs no memory after make_room() of as many, which fails by std::bad_alloc and changes nothing.
  void add(std::span<const slo::Cell> cells);
  void make_room(std::size_t cells) { cells_.make_room(cells); }
  std::size_t cells() const { return cells_.size(); }  // distinct ones

  // The counts by SLO, then bucket, ascending, each pair once; and this is empty again. `sets` knows every set that was
  // added. Linear in cells and SLOs of their sets, without a comparison: the cells are brought into the order of
  // buckets, summed bucket by bucket into a dense array of SLOs, and what comes out is dealt to its SLOs in that order.
  // Fails by std::bad_alloc; then the cells are here as before. So they are after put_back(), until the next add().
  std::vector<BucketCount> expand(const slo::MatchSets& sets);

  void put_back();

  std::size_t bytes() const;

 private:
  struct Item {
    std::uint64_t key;
    std::uint64_t events;
  };
  class Undo;
  void take_cells();
  void sort_by_bucket();
  void sum(const slo::MatchSet& set, const Item& item);
  void end_bucket(Bucket bucket);
  std::vector<BucketCount> by_slo();

  CellTable cells_;
  std::vector<Item> items_;  // the cells that were expanded last, by bucket
  std::vector<Item> spare_;
  std::vector<slo::Counts> sums_;       // by SLO, of the bucket under way
  std::vector<slo::SloId> in_bucket_;   // those with a sum
  std::vector<BucketCount> by_bucket_;  // what the buckets so far gave
  std::vector<std::uint32_t> places_;   // by SLO: how many of these are its own, then where the next one goes
  std::vector<std::uint64_t> touched_;  // a bit an SLO
};

}  // namespace nissa::ledger
