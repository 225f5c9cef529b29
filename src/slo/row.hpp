// One period of one block: good and total of 256 SLOs. 2 KB, allocated when first counted into; 4 KB once a number has
// outgrown 32 bits (an hour above 1.19 million events/s): the row is then promoted as a whole, it never wraps.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "slo/counts.hpp"
#include "slo/slo_id.hpp"

namespace nissa::slo {

class Row {
 public:
  // Which period it counts; of none while empty.
  std::int32_t period() const { return period_; }
  bool empty() const { return period_ == no_period; }
  // The last record that changed it: whoever adds says so.
  std::uint64_t changed_lsn() const { return changed_lsn_; }
  void set_changed_lsn(std::uint64_t lsn) { changed_lsn_ = lsn; }

  // Memory for what a record brings, `most` at most to any lane: then begin(period), release() of an older period
  // before it, and the adds of that record need none. Fails by std::bad_alloc; then nothing has changed.
  void reserve(std::int32_t period, std::uint64_t most);
  // For adds that nothing was reserved for.
  void forget_bound() { bound_ = no_bound; }

  // All lanes zero, for `period`. Memory is reused where there is some.
  void begin(std::int32_t period);
  // Not empty.
  void add(std::uint32_t lane, const Counts& counts) {
    if (narrow_ != nullptr) [[likely]] {
      std::uint32_t* cell = narrow_.get() + 2 * lane;
      const std::uint64_t total = cell[1] + counts.total;
      if (total <= std::numeric_limits<std::uint32_t>::max()) [[likely]] {
        cell[0] += static_cast<std::uint32_t>(counts.good);
        cell[1] = static_cast<std::uint32_t>(total);
        return;
      }
      promote();
    }
    wide_[2 * lane] += counts.good;
    wide_[2 * lane + 1] += counts.total;
  }
  Counts at(std::uint32_t lane) const;
  void release();

  // visitor(const T* cells): {good, total} of lane i at 2i and 2i + 1, T of 32 or 64 bits; not called when empty.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    if (empty()) return;
    if (narrow_ != nullptr) {
      visitor(static_cast<const std::uint32_t*>(narrow_.get()));
    } else {
      visitor(static_cast<const std::uint64_t*>(wide_.get()));
    }
  }
  // Beyond the row itself.
  std::size_t memory_bytes() const;

 private:
  static constexpr std::int32_t no_period = std::numeric_limits<std::int32_t>::min();
  static constexpr std::uint16_t no_bound = std::numeric_limits<std::uint16_t>::max();
  void promote();
  void expect(std::uint64_t most);
  std::unique_ptr<std::uint32_t[]> narrow_;  // while it is there, the counts; else they are in wide_
  std::unique_ptr<std::uint64_t[]> wide_;    // beside narrow_: in reserve, for what is to outgrow it
  std::uint64_t changed_lsn_ = 0;
  std::int32_t period_ = no_period;
  // No lane's total is more than this × 65 536: so that a record is held against a row, not against each lane.
  std::uint16_t bound_ = no_bound;
  bool reserved_ = false;  // what memory there is stays until a period begins
};

}  // namespace nissa::slo
