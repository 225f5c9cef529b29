// The operators' door: health, metrics, the SLOs and the configuration over HTTP. GET changes nothing; what does is a
// POST with JSON of at most 4 KiB, and answers what it did.
//
// Place in the flow: beside it. Answers are asked of the ledger, so they are never stale; if it does not answer within
// 2 s, what it last published is shown. Long answers are written a page of 256 SLOs at a time with a turn given away
// between (at most 1 ms a slice), so that no batch waits for a scrape.
//
// Thread statement: open() and start() once, before the loop runs; serve() on the connection's strand; everything else
// from any thread. State of its own: whether the server is ready. Bounds: Options::max_connections, one answer in hand
// each.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "admin/options.hpp"
#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "fold/options.hpp"
#include "fold/unmatched_identities.hpp"
#include "journal/journal.hpp"
#include "ledger/ledger_component.hpp"
#include "selfmetrics/own_metrics.hpp"
#include "slo/matcher.hpp"

namespace nissa::net {
struct Connection;  // net/connection.hpp
}

namespace nissa::admin {

// All outlive the component.
struct Sources {
  ledger::LedgerComponent& ledger;
  journal::Journal& journal;
  selfmetrics::Sources metrics;
  const fold::UnmatchedIdentities& unmatched;
  const fold::Options& fold_options;
  std::string config_page = "{}\n";  // what /api/v2/config shows, as a finished document
};

class AdminComponent {
 public:
  AdminComponent(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options, const Sources& sources);
  ~AdminComponent();

  // Takes the address. Fails with address, port and the system's words.
  Status open();
  std::uint16_t port() const;
  void start();
  // One connection to its end: what the listener runs for each.
  Task<void> serve(net::Connection connection);
  // Requests under way are answered, at most grace_ns long. /healthz says ok until here: stop it last of the doors.
  Task<void> async_stop(std::int64_t grace_ns);

  // What /readyz says: 200, or 503 with the reason in words ("starting", "stopping: ..."). Not ready, "starting", at
  // first. A journal that takes no more is looked at beside it.
  void set_ready(bool ready, std::string reason = {});
  // The fold's matcher, for /api/v2/match; before that the page says that it is starting.
  void set_matcher(std::shared_ptr<const slo::Matcher> matcher);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::admin
