#include "selfmetrics/catalogue.hpp"

#include <array>

#include "base/violation.hpp"

namespace nissa::selfmetrics {
namespace {

constexpr std::array own{
    Metric{"nissa_build_info", Kind::gauge, "1; the version is a label."},
    Metric{"nissa_ingest_received_batches_total", Kind::counter,
           "Batches whose header could be read; over HTTP all, by what the headers say."},
    Metric{"nissa_ingest_batches_total", Kind::counter, "Batches answered, by what the agent was told."},
    Metric{"nissa_ingest_in_flight_batches", Kind::gauge, "Batches read and not yet answered."},
    Metric{"nissa_ingest_counted_batch_events_total", Kind::counter, "Events in counted batches, by their headers."},
    Metric{"nissa_ingest_events_total", Kind::counter, "Events of counted batches, by what became of them."},
    Metric{"nissa_ingest_rejected_events_total", Kind::counter,
           "Events of counted batches that were not taken, by fault."},
    Metric{"nissa_ingest_unmatched_events_total", Kind::counter, "Accepted events that belong to no SLO."},
    Metric{"nissa_slo_fanout_dropped_total", Kind::counter,
           "Times that an event was not counted for an SLO beyond the first 64 that it belongs to."},
    Metric{"nissa_ingest_unreadable_total", Kind::counter,
           "Frames over TCP that were none, or whose header could not be read."},
    Metric{"nissa_ingest_connections", Kind::gauge, "Open connections of agents over TCP."},
    Metric{"nissa_ingest_connections_total", Kind::counter, "Connections of agents over TCP accepted."},
    Metric{"nissa_ingest_closed_connections_total", Kind::counter, "Connections that the server closed, by reason."},
    Metric{"nissa_http_connections", Kind::gauge, "Open connections of agents over HTTP."},
    Metric{"nissa_http_responses_total", Kind::counter, "Answers to agents over HTTP, by status."},
    Metric{"nissa_refusals_total", Kind::counter, "Batches refused, by reason."},
    Metric{"nissa_gate_wait_seconds", Kind::histogram, "Wait for a turn to be folded."},
    Metric{"nissa_gate_held", Kind::gauge, "Connections held back: they wait for bytes or for a turn."},
    Metric{"nissa_gate_bytes", Kind::gauge, "Bytes of read buffers in hand."},
    Metric{"nissa_ack_latency_seconds", Kind::histogram,
           "Last byte of a batch read to its COUNTED handed to the socket."},
    Metric{"nissa_fold_identities", Kind::gauge, "Identities remembered as proven and matched."},
    Metric{"nissa_fold_identity_bytes", Kind::gauge, "Memory of the remembered identities."},
    Metric{"nissa_fold_lookups_total", Kind::counter, "Events whose identity was looked up."},
    Metric{"nissa_fold_misses_total", Kind::counter, "Lookups that had to prove and match the identity."},
    Metric{"nissa_fold_brought_into_form_batches_total", Kind::counter,
           "Batches that were not canonical and were re-encoded, in semantic mode."},
    Metric{"nissa_match_sets", Kind::gauge, "Combinations of SLOs that events belonged to; at most 262144."},
    Metric{"nissa_match_set_bytes", Kind::gauge,
           "Memory of these; at 64 MiB events of a new combination are rejected: match_sets_full."},
    Metric{"nissa_journal_commit_seconds", Kind::histogram, "Begin of a group's transaction to durable."},
    Metric{"nissa_journal_sync_seconds", Kind::histogram, "Each fsync."},
    Metric{"nissa_journal_commits_total", Kind::counter, "Groups made durable."},
    Metric{"nissa_journal_failures_total", Kind::counter,
           "Commits, checkpoints and anchor writes that failed, by kind."},
    Metric{"nissa_journal_record_bytes_total", Kind::counter, "Bytes of durable records."},
    Metric{"nissa_journal_row_bytes_total", Kind::counter, "Bytes of durable snapshot rows."},
    Metric{"nissa_journal_bytes", Kind::gauge, "Size of the journal's files."},
    Metric{"nissa_journal_broken", Kind::gauge,
           "1 from a commit whose fate is unknown until the state is in a new file: nothing is committed."},
    Metric{"nissa_journal_rewrites_total", Kind::counter,
           "Attempts to write the state into a new file, after a failed commit or to have a smaller one, by result."},
    Metric{"nissa_journal_disk_free_bytes", Kind::gauge,
           "Free for this process on the disk of state_dir; looked at each second."},
    Metric{"nissa_journal_min_free_bytes", Kind::gauge, "With less than this free no batch is taken."},
    Metric{"nissa_journal_short_of_room", Kind::gauge,
           "1 from there until half as much again is free: batches are refused (disk_full)."},
    Metric{"nissa_journal_backups_total", Kind::counter, "Backups begun since the start, by result."},
    Metric{"nissa_journal_backup_lsn", Kind::gauge, "Last record in the last backup made since the start; 0: none."},
    Metric{"nissa_journal_backup_time_seconds", Kind::gauge,
           "When the last backup was made, since 1970; 0: none since the start."},
    Metric{"nissa_ledger_lsn", Kind::gauge, "Number of the last record applied."},
    Metric{"nissa_ledger_time_seconds", Kind::gauge, "Ledger time of the last record, since 1970."},
    Metric{"nissa_ledger_running_seconds", Kind::gauge, "Running time of the state."},
    Metric{"nissa_ledger_clock_held", Kind::gauge, "1 while a step of the wall clock is not believed."},
    Metric{"nissa_ledger_group_batches_total", Kind::counter, "Batches in durable groups."},
    Metric{"nissa_ledger_counted_unheard_batches_total", Kind::counter,
           "Batches counted after their sender had been told journal_slow; it hears DUPLICATE when it asks again."},
    Metric{"nissa_ledger_open_bytes", Kind::gauge, "Bytes of the open group."},
    Metric{"nissa_ledger_epochs", Kind::gauge, "Epochs remembered."},
    Metric{"nissa_ledger_epoch_bytes", Kind::gauge, "Memory of the epochs and their windows."},
    Metric{"nissa_ledger_tombstones", Kind::gauge, "Epochs that said Goodbye and are still refused."},
    Metric{"nissa_ledger_snapshots_total", Kind::counter, "Snapshots completed since the start."},
    Metric{"nissa_ledger_quarantined_slos", Kind::gauge, "SLOs whose numbers are not to be trusted."},
    Metric{"nissa_violations_total", Kind::counter, "Broken expectations, by component."},
    Metric{"process_cpu_seconds_total", Kind::counter, "User and system CPU time."},
    Metric{"process_resident_memory_bytes", Kind::gauge, "Resident memory."},
    Metric{"process_open_fds", Kind::gauge, "Open file descriptors."},
    Metric{"process_start_time_seconds", Kind::gauge, "Start of the process, since 1970."},
};

constexpr std::array of_slos{
    Metric{"nissa_slo_events_total", Kind::counter, "Events counted for the SLO in its lifetime."},
    Metric{"nissa_slo_burn_rate", Kind::gauge,
           "Error ratio over the window divided by the error budget; absent without events."},
    Metric{"nissa_slo_error_budget_remaining_ratio", Kind::gauge,
           "Part of the error budget left over the period; negative when overspent, absent without events."},
    Metric{"nissa_slo_objective_ratio", Kind::gauge, "The objective."},
    Metric{"nissa_slo_coverage_ratio", Kind::gauge, "Part of the window in which the SLO was measured."},
    Metric{"nissa_slo_info", Kind::gauge, "1; what the SLO counts, its globs and its period are labels, to join with."},
};

}  // namespace

std::span<const Metric> own_metrics() { return own; }
std::span<const Metric> slo_metrics() { return of_slos; }

const Metric& metric_named(std::string_view name) {
  for (const auto metrics : {own_metrics(), slo_metrics()})
    for (const Metric& metric : metrics)
      if (metric.name == name) return metric;
  violation("selfmetrics", "every metric stands in the catalogue");
  return own.front();
}

}  // namespace nissa::selfmetrics
