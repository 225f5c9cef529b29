// The SLOs as others see them: immutable pages of 256, readable by any thread without a lock across components. A page
// is built again only when asked, and only if something on it changed: a count, a window's edge, a definition.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "ledger/ledger.hpp"
#include "slo/coverage.hpp"
#include "slo/slo_state.hpp"
#include "slo/window.hpp"
#include "slo/window_sums.hpp"

namespace nissa::ledger {

struct SloView {
  slo::SloId id = 0;
  std::shared_ptr<const slo::Definition> definition;  // never null
  bool retired = false;      // counts no more; never on /metrics: another SLO may bear its name
  bool quarantined = false;  // an expectation broke while counting it: its numbers are not to be trusted
  slo::SloState state = slo::SloState::no_data;
  slo::Counts lifetime;
  slo::WindowCounts windows{};  // by index in slo::windows
  slo::Counts period;           // of the definition's own period
  std::array<slo::Coverage, slo::window_count> coverage{};
  slo::Coverage period_coverage;  // from the period's start or from born, the later
  UnixMs born_ms = slo::not_born;
};

struct SloPage {
  UnixMs ledger_ms = 0;       // as of
  std::vector<SloView> slos;  // by id; retired ones until no window holds any of their events
};

struct SloPages {
  Lsn lsn = 0;  // of the last record when the last page was looked at
  UnixMs ledger_ms = 0;
  RunningMs running_ms = 0;
  std::vector<std::shared_ptr<const SloPage>> pages;  // never null
};

class LedgerPages {
 public:
  // Any thread. Never null; empty before the first pass.
  std::shared_ptr<const SloPages> current() const;

  // The ledger's strand: looks at the next page and builds it if it is stale: 30 µs. True: that was the last one, and
  // the pass is published. A pass looks at each page once, so it ends however fast they change; give way between calls.
  bool refresh_one(const Ledger& ledger);

 private:
  // What a page was built from; equal: it is fresh.
  struct Source {
    Lsn touched_lsn = 0;
    Lsn definitions_lsn = 0;
    Bucket edge = -1;
    std::size_t quarantined = 0;
    bool operator==(const Source&) const = default;
  };
  struct Slot {
    Source source;
    std::shared_ptr<const SloPage> page;
  };
  std::vector<Slot> slots_;
  std::size_t next_ = 0;

  mutable Mutex mutex_;  // held for the copy of one pointer
  std::shared_ptr<const SloPages> current_ NISSA_GUARDED_BY(mutex_) = std::make_shared<const SloPages>();
};

}  // namespace nissa::ledger
