#include "selfmetrics/own_metrics.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "base/violation.hpp"

namespace nissa::selfmetrics {
namespace {

// Rooms that report broken expectations.
constexpr std::array rooms{"admin",  "async", "client",   "fold",        "ingest", "journal",
                           "ledger", "net",   "overload", "selfmetrics", "slo",    "wire"};

// What a batch is refused for; the numbers beyond say why bytes are malformed and why connections are closed.
constexpr bool refuses_batches(Reason reason) { return reason != Reason::none && reason < Reason::below_low; }
// What every server sooner or later closes a connection for.
constexpr bool closes_connections(Reason reason) { return reason == Reason::shutting_down || reason >= Reason::idle; }

double number(const Counter& counter) { return static_cast<double>(counter.value()); }
double number(const SharedCounter& counter) { return static_cast<double>(counter.value()); }

Family single(std::string_view name, double value) {
  Family family(name);
  family.add({}, value);
  return family;
}

// A family with a sample for each class.
template <class ValueOf>
Family per_class(std::string_view name, ValueOf value_of) {
  Family family(name);
  for (const Priority priority : all_priorities)
    family.add({{"class", std::string(name_of(priority))}}, value_of(priority));
  return family;
}

// The books of one class and identity from both who keep them.
struct BothBooks {
  const ingest::ClassBooks& door;
  const ledger::ClassBooks& ledger;

  double refused_for(Reason reason) const {
    const auto slot = static_cast<std::size_t>(reason);
    return number(door.refused.at(slot)) + number(ledger.refused.at(slot));
  }
  double refused() const {
    double sum = static_cast<double>(ledger.refused_in_all());
    for (const auto& one : door.refused) sum += number(one);
    return sum;
  }
  double rejected() const {
    double sum = 0;
    for (const Counter& one : ledger.events_rejected) sum += number(one);
    return sum;
  }
  double in_flight() const { return number(door.in_hand) + number(ledger.held) + number(ledger.in_flight); }
};

// Batches that bear a key, and those that bear none.
struct Identified {
  const char* identity;
  BothBooks books;
};
std::array<Identified, 2> identities_of(const Sources& sources, Priority priority) {
  const std::size_t i = index_of(priority);
  return {{{"key", {sources.books.keyed[i], sources.ledger.classes[i]}},
           {"none", {sources.books.unkeyed[i], sources.ledger.unkeyed[i]}}}};
}

template <class ValueOf>
double sum_of(const Sources& sources, Priority priority, ValueOf value_of) {
  const auto [keyed, unkeyed] = identities_of(sources, priority);
  return value_of(keyed.books) + value_of(unkeyed.books);
}

Family answered_batches(const Sources& sources) {
  Family family("nissa_ingest_batches_total");
  for (const Priority priority : all_priorities)
    for (const auto& [identity, books] : identities_of(sources, priority)) {
      const auto add = [&](const char* status, double value) {
        family.add({{"class", std::string(name_of(priority))}, {"status", status}, {"identity", identity}}, value);
      };
      add("counted", number(books.ledger.counted));
      add("refused", books.refused());
      add("malformed", number(books.door.malformed));
      if (&books.ledger == &sources.ledger.unkeyed[index_of(priority)]) continue;  // nobody can tell that it came twice
      add("duplicate", number(books.ledger.duplicate));
      add("conflict", number(books.ledger.conflict));
    }
  return family;
}

Family events(const Sources& sources) {
  Family family("nissa_ingest_events_total");
  for (const Priority priority : all_priorities) {
    const auto add = [&](const char* result, auto value_of) {
      family.add({{"class", std::string(name_of(priority))}, {"result", result}}, sum_of(sources, priority, value_of));
    };
    add("accepted", [](const BothBooks& books) { return number(books.ledger.events_accepted); });
    add("late", [](const BothBooks& books) { return number(books.ledger.events_late); });
    add("rejected", [](const BothBooks& books) { return books.rejected(); });
  }
  return family;
}

Family rejected_events(const Sources& sources) {
  Family family("nissa_ingest_rejected_events_total");
  for (const Priority priority : all_priorities)
    for (std::size_t i = 0; i < event_fault_count; ++i)
      family.add(
          {{"class", std::string(name_of(priority))}, {"fault", std::string(name_of(static_cast<EventFault>(i + 1)))}},
          sum_of(sources, priority, [i](const BothBooks& books) { return number(books.ledger.events_rejected[i]); }));
  return family;
}

Family refusals(const Sources& sources) {
  Family family("nissa_refusals_total");
  for (const Priority priority : all_priorities)
    for (const Reason reason : all_reasons()) {
      const double value =
          sum_of(sources, priority, [reason](const BothBooks& books) { return books.refused_for(reason); });
      if (value != 0 || refuses_batches(reason))
        family.add({{"class", std::string(name_of(priority))}, {"reason", std::string(name_of(reason))}}, value);
    }
  return family;
}

Family closed_connections(const Sources& sources) {
  Family family("nissa_ingest_closed_connections_total");
  for (const Reason reason : all_reasons()) {
    const double value = number(sources.books.closed.at(static_cast<std::size_t>(reason)));
    if (value != 0 || closes_connections(reason)) family.add({{"reason", std::string(name_of(reason))}}, value);
  }
  return family;
}

// What every door over HTTP sooner or later says.
constexpr bool is_usual(std::size_t status) { return status == 200 || status == 400 || status == 413 || status == 503; }

Family http_responses(const net::HttpCounters& http) {
  Family family("nissa_http_responses_total");
  for (std::size_t status = 0; status < http.responses.size(); ++status)
    if (const double value = number(http.responses[status]); value != 0 || is_usual(status))
      family.add({{"status", std::to_string(status)}}, value);
  return family;
}

Family violations() {
  std::map<std::string_view, std::uint64_t> counts;
  for (const std::string_view room : rooms) counts[room] = 0;
  for (std::size_t i = 0; i < violation_components(); ++i)
    counts[violation_count(i).component] += violation_count(i).count;
  Family family("nissa_violations_total");
  for (const auto& [component, count] : counts)
    family.add({{"component", std::string(component)}}, static_cast<double>(count));
  return family;
}

void add_door(const Sources& sources, std::vector<Family>& families) {
  families.push_back(per_class("nissa_ingest_received_batches_total", [&](Priority p) {
    return sum_of(sources, p, [](const BothBooks& books) { return number(books.door.received); });
  }));
  families.push_back(answered_batches(sources));
  families.push_back(per_class("nissa_ingest_in_flight_batches", [&](Priority p) {
    return sum_of(sources, p, [](const BothBooks& books) { return books.in_flight(); });
  }));
  families.push_back(per_class("nissa_ingest_counted_batch_events_total", [&](Priority p) {
    return sum_of(sources, p, [](const BothBooks& books) { return number(books.ledger.batch_events); });
  }));
  families.push_back(events(sources));
  families.push_back(rejected_events(sources));
  families.push_back(refusals(sources));
  families.push_back(closed_connections(sources));
  families.push_back(single("nissa_ingest_unmatched_events_total", number(sources.ledger.unmatched_events)));
  families.push_back(single("nissa_slo_fanout_dropped_total", number(sources.ledger.fanout_dropped)));
  families.push_back(single("nissa_ingest_unreadable_total", number(sources.books.unreadable)));
  families.push_back(single("nissa_ingest_connections", number(sources.books.open_connections)));
  families.push_back(single("nissa_ingest_connections_total", number(sources.books.connections)));
  families.push_back(single("nissa_http_connections", number(sources.books.http.connections)));
  families.push_back(http_responses(sources.books.http));
  Family latency("nissa_ack_latency_seconds");
  for (const Priority priority : all_priorities)
    latency.add({{"class", std::string(name_of(priority))}}, sources.books.ack_latency[index_of(priority)]);
  families.push_back(std::move(latency));
}

void add_gate_and_fold(const Sources& sources, std::vector<Family>& families) {
  Family wait("nissa_gate_wait_seconds");
  for (const Priority priority : all_priorities)
    wait.add({{"class", std::string(name_of(priority))}}, sources.overload.turn_wait[index_of(priority)]);
  families.push_back(std::move(wait));
  families.push_back(
      per_class("nissa_gate_held", [&](Priority p) { return number(sources.overload.held_now[index_of(p)]); }));
  families.push_back(per_class("nissa_gate_bytes", [&](Priority p) {
    const double reserve = p == Priority::critical ? number(sources.overload.reserve_in_use) : 0;
    return number(sources.overload.bytes_in_use[index_of(p)]) + reserve;
  }));
  families.push_back(single("nissa_fold_identities", number(sources.fold.remembered)));
  families.push_back(single("nissa_fold_identity_bytes", number(sources.fold.memo_bytes)));
  families.push_back(single("nissa_fold_lookups_total", number(sources.fold.looked_up)));
  families.push_back(single("nissa_fold_misses_total", number(sources.fold.missed)));
  families.push_back(single("nissa_fold_brought_into_form_batches_total", number(sources.fold.brought_into_form)));
  families.push_back(single("nissa_match_sets", static_cast<double>(sources.sets.size())));
  families.push_back(single("nissa_match_set_bytes", static_cast<double>(sources.sets.memory_bytes())));
}

void add_journal(const journal::Counters& journal, std::vector<Family>& families) {
  families.push_back(std::move(Family("nissa_journal_commit_seconds").add({}, journal.commit)));
  families.push_back(std::move(Family("nissa_journal_sync_seconds").add({}, journal.sync)));
  families.push_back(single("nissa_journal_commits_total", number(journal.commits)));
  families.push_back(std::move(Family("nissa_journal_failures_total")
                                   .add({{"kind", "disk_full"}}, number(journal.full))
                                   .add({{"kind", "other"}}, number(journal.failures))));
  families.push_back(single("nissa_journal_record_bytes_total", number(journal.record_bytes)));
  families.push_back(single("nissa_journal_row_bytes_total", number(journal.row_bytes)));
  families.push_back(std::move(Family("nissa_journal_bytes")
                                   .add({{"file", "database"}}, number(journal.database_bytes))
                                   .add({{"file", "wal"}}, number(journal.wal_bytes))));
  families.push_back(single("nissa_journal_broken", number(journal.broken)));
  families.push_back(std::move(Family("nissa_journal_rewrites_total")
                                   .add({{"result", "done"}}, number(journal.rewrites))
                                   .add({{"result", "failed"}}, number(journal.rewrites_failed))));
  families.push_back(single("nissa_journal_disk_free_bytes", number(journal.free_bytes)));
  families.push_back(single("nissa_journal_min_free_bytes", number(journal.min_free_bytes)));
  families.push_back(single("nissa_journal_short_of_room", number(journal.short_of_room)));
  families.push_back(std::move(Family("nissa_journal_backups_total")
                                   .add({{"result", "done"}}, number(journal.backups))
                                   .add({{"result", "failed"}}, number(journal.backups_failed))));
  families.push_back(single("nissa_journal_backup_lsn", number(journal.backup_lsn)));
  families.push_back(single("nissa_journal_backup_time_seconds", number(journal.backup_unix_ms) / 1e3));
}

void add_ledger(const ledger::LedgerCounters& ledger, std::vector<Family>& families) {
  families.push_back(per_class("nissa_ledger_counted_unheard_batches_total", [&](Priority p) {
    const std::size_t i = index_of(p);
    return number(ledger.classes[i].counted_unheard) + number(ledger.unkeyed[i].counted_unheard);
  }));
  families.push_back(single("nissa_ledger_lsn", number(ledger.lsn)));
  families.push_back(single("nissa_ledger_time_seconds", number(ledger.ledger_ms) / 1e3));
  families.push_back(single("nissa_ledger_running_seconds", number(ledger.running_ms) / 1e3));
  families.push_back(single("nissa_ledger_clock_held", number(ledger.clock_held)));
  families.push_back(single("nissa_ledger_group_batches_total", number(ledger.group_batches)));
  families.push_back(single("nissa_ledger_open_bytes", number(ledger.open_bytes)));
  families.push_back(single("nissa_ledger_epochs", number(ledger.epochs)));
  families.push_back(single("nissa_ledger_epoch_bytes", number(ledger.epoch_bytes)));
  families.push_back(single("nissa_ledger_tombstones", number(ledger.tombstones)));
  families.push_back(single("nissa_ledger_snapshots_total", number(ledger.snapshots)));
  families.push_back(single("nissa_ledger_quarantined_slos", number(ledger.quarantined_slos)));
}

void add_process(const ProcessFigures& process, std::vector<Family>& families) {
  families.push_back(single("process_cpu_seconds_total", process.cpu_seconds));
  families.push_back(single("process_resident_memory_bytes", static_cast<double>(process.resident_bytes)));
  families.push_back(single("process_open_fds", static_cast<double>(process.open_fds)));
  families.push_back(single("process_start_time_seconds", process.start_time_seconds));
}

}  // namespace

std::vector<Family> own_families(const Sources& sources, const ProcessFigures& process) {
  std::vector<Family> families;
  families.reserve(own_metrics().size());
  families.push_back(std::move(Family("nissa_build_info").add({{"version", std::string(sources.version)}}, 1)));
  add_door(sources, families);
  add_gate_and_fold(sources, families);
  add_journal(sources.journal, families);
  add_ledger(sources.ledger, families);
  families.push_back(violations());
  add_process(process, families);
  return families;
}

}  // namespace nissa::selfmetrics
