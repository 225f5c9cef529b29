// Random records as a ledger of one's own would propose them: valid for the state they are applied to, and nothing
// else. With late and future counts, gaps and jumps in time, epochs that come, end and are forgotten, definitions.
#pragma once
#include <random>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger/record.hpp"

namespace nissa::test {

class History {
 public:
  explicit History(std::mt19937_64& random) : random_(random) {}

  // The next record for this state.
  ledger::Record next(ledger::Ledger& ledger);

  // With room for few tombstones, so that the floor rises.
  static ledger::LedgerOptions options();

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  UnixMs step_ms();
  void add_counts(ledger::Record& record);
  void add_batches(const ledger::Ledger& ledger, ledger::Record& record);
  void end_some(ledger::Ledger& ledger, ledger::Record& record);
  void define_some(const ledger::Ledger& ledger, ledger::Record& record);

  std::mt19937_64& random_;
  std::vector<Epoch> epochs_;  // that may be alive
};

}  // namespace nissa::test
