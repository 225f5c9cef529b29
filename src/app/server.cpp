#include "app/server.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

#include "app/descriptors.hpp"
#include "async/coroutine.hpp"
#include "base/hex_text.hpp"
#include "base/log.hpp"
#include "base/utc_text.hpp"
#include "config/config_page.hpp"
#include "ledger/accept_loss.hpp"

namespace nissa::app {
namespace {

constexpr std::int64_t drain_ns = 10 * ns_per_s;
constexpr std::int64_t last_commit_ns = ns_per_s;  // beyond all drains, of one that is under way

std::uint64_t random_bits() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

std::function<double()> random_fraction() {
  return [engine = std::mt19937_64(random_bits())]() mutable { return std::uniform_real_distribution<>(0, 1)(engine); };
}

StartFailure failure_of(const journal::JournalError& error) {
  const ExitCode code = error.damage == journal::Damage::none ? exit_failed : exit_damaged_state;
  return {code, error.message};
}

// The first that a state defines begin all, and nobody is surprised.
std::vector<ledger::HistoryChange> changes_of(const ledger::Definitions& definitions, const config::Config& config) {
  if (definitions.size() == 0) return {};
  const auto plan = definitions.plan(config.slos);
  return plan ? ledger::history_changes(definitions, *plan) : std::vector<ledger::HistoryChange>();
}

void log_change(const ledger::HistoryChange& change) {
  using What = ledger::HistoryChange::What;
  if (change.what == What::ends)
    return log(LogLevel::info, "app", "an SLO stands in the file no more: it is retired", {{"slo", change.slo}});
  const bool begins = change.what == What::begins;
  if (change.instead_of.empty())
    return log(LogLevel::info, "app",
               begins ? "a new SLO begins its history" : "an SLO goes on with its earlier history",
               {{"slo", change.slo}});
  log(LogLevel::warning, "app",
      begins
          ? "an SLO was changed and begins a new history; the old one is retired, and goes on if the change is undone"
          : "an SLO was changed and goes on with an earlier history; the one since then is retired",
      {{"slo", change.slo}, {"changed", change.changed}, {"retired", change.instead_of}});
}

// Of each kind of line only five come at once, so the sums are told too.
void log_changes(const std::vector<ledger::HistoryChange>& changes) {
  using What = ledger::HistoryChange::What;
  if (changes.empty()) return;
  for (const ledger::HistoryChange& change : changes) log_change(change);
  const auto count = [&](auto is) { return std::ranges::count_if(changes, is); };
  log(LogLevel::info, "app", "the histories follow the file",
      {{"begun", count([](const auto& one) { return one.what == What::begins; })},
       {"resumed", count([](const auto& one) { return one.what == What::resumes; })},
       {"retired", count([](const auto& one) { return one.what == What::ends || !one.instead_of.empty(); })}});
}

void log_loss(const ledger::AcceptedLoss& accepted, const journal::JournalError& refused) {
  log(LogLevel::warning, "app",
      "the loss is accepted: a new state goes on from the last sound record, and the time since is not measured; all "
      "files are kept as they were",
      {{"was", journal::what_is_wrong(refused)},
       {"database", accepted.database},
       {"last_sound_lsn", accepted.last_sound},
       {"last_known_lsn", accepted.last_known},
       {"not_measured_from", utc_text(accepted.from_ms) + 'Z'},
       {"not_measured_to", utc_text(accepted.to_ms) + 'Z'},
       {"state_id", hex_text(accepted.state_id)},
       {"kept_in", accepted.kept_in}});
}

journal::JournalResult<State> find_state(const config::Config& config, const Clock& clock) {
  State state;
  auto opened = journal::open_journal(config.journal, clock);
  if (!opened) return std::unexpected(std::move(opened.error()));
  state.journal = std::move(*opened);
  ledger::LedgerOptions options;
  options.state_id = state.journal.state_id;
  options.epochs = config.ledger.epochs;
  options.hash_seed = random_bits();
  auto recovered = ledger::recover(*state.journal.journal, state.journal.last_lsn, options);
  if (!recovered) return std::unexpected(std::move(recovered.error()));
  state.recovered = std::move(*recovered);
  return state;
}

}  // namespace

std::expected<State, StartFailure> open_state(const config::Config& config, const Clock& clock, bool accept_loss) {
  auto found = find_state(config, clock);
  if (accept_loss && found && !found->journal.new_state)
    log(LogLevel::info, "app", "--accept-loss has nothing to do: the state is sound");
  if (accept_loss && !found && found.error().damage != journal::Damage::none) {
    const auto accepted = ledger::accept_loss(config.journal, {.epochs = config.ledger.epochs}, clock);
    if (!accepted) return std::unexpected(failure_of(accepted.error()));
    log_loss(*accepted, found.error());
    found = find_state(config, clock);
  }
  if (!found) return std::unexpected(failure_of(found.error()));
  State state = std::move(*found);
  state.history_changes = changes_of(state.recovered.ledger->definitions(), config);
  if (const auto started = state.journal.journal->start(); !started)
    return std::unexpected(failure_of(started.error()));
  if (state.journal.copy_of != 0)
    log(LogLevel::warning, "app",
        "a backup is restored: from here on it is a state of its own, without what was acknowledged since it was made",
        {{"state_id", hex_text(state.journal.state_id)}, {"copy_of", hex_text(state.journal.copy_of)}});
  // The right thing once; at any later start somebody wants to know.
  log(state.journal.new_state ? LogLevel::warning : LogLevel::info, "app",
      state.journal.new_state ? "a new state is begun: there was none in state_dir, so all counts begin at zero"
                              : "the state is recovered",
      {{"state_dir", config.state_dir},
       {"lsn", state.journal.last_lsn},
       {"rows_loaded", state.recovered.rows},
       {"records_replayed", state.recovered.records}});
  return state;
}

Server::Server(const config::Config& config, const Clock& clock, State state)
    : config_(config),
      clock_(clock),
      timers_(loop_, clock),
      journal_(std::move(state.journal.journal)),
      overload_(loop_, timers_, clock, config.overload, random_fraction()),
      fold_(std::make_shared<slo::Matcher>(std::span<const slo::Rule>{}, match_sets_), match_sets_, config.fold,
            fold::LatePolicy{}, fold::HashSeed{random_bits(), random_bits()}),
      ledger_(loop_, timers_, clock, *journal_, match_sets_, config.ledger, state.journal.state_id,
              std::move(state.recovered), random_bits()),
      ingest_options_(within_descriptor_limit(config.ingest)),
      lobby_(ingest::Door{ingest_options_, config.fold, ledger_, overload_, fold_, books_, clock, timers_}),
      ingest_(loop_, lobby_),
      http_ingest_(loop_, lobby_),
      history_changes_(std::move(state.history_changes)),
      admin_(loop_, timers_, clock, config.admin,
             admin::Sources{ledger_,
                            *journal_,
                            {books_, fold_.counters(), overload_.counters(), ledger_.counters(), journal_->counters(),
                             NISSA_VERSION, match_sets_},
                            fold_.unmatched(),
                            config_.fold,
                            config::config_page(config_, clock.wall_ns() / ns_per_ms)}),
      signals_(loop_, [this](int) { on_signal(); }) {}

Server::~Server() = default;

std::expected<void, StartFailure> Server::open_doors() {
  if (const auto opened = ingest_.open(); !opened)
    return std::unexpected(StartFailure{exit_failed, opened.error().message});
  if (const auto opened = http_ingest_.open(); !opened)
    return std::unexpected(StartFailure{exit_failed, opened.error().message});
  if (const auto opened = admin_.open(); !opened)
    return std::unexpected(StartFailure{exit_failed, opened.error().message});
  return {};
}

ExitCode Server::run() {
  ledger_.start();
  admin_.start();
  loop_.spawn(start());
  loop_.run();
  if (!journal_->end_backups(last_commit_ns)) {
    log(LogLevel::warning, "app", "the disk of backup_directory does not answer: leaving without the backup");
    std::_Exit(exit_code_);
  }
  journal_->stop();
  return exit_code_;
}

// The agents' door opens when the SLOs are defined: an event that came before would belong to none.
Task<void> Server::start() {
  const auto ids = co_await ledger_.async_define(config_.slos);
  if (stopping_) co_return;
  if (!ids) {
    log(LogLevel::error, "app", "the SLOs could not be defined: " + ids.error().message);
    exit_code_ = exit_failed;
    co_return co_await stop();
  }
  log_changes(history_changes_);
  std::vector<slo::Rule> rules;
  for (std::size_t i = 0; i < ids->size(); ++i) rules.push_back({(*ids)[i], config_.slos[i].sli});
  const auto matcher = std::make_shared<const slo::Matcher>(rules, match_sets_);
  fold_.set_matcher(matcher);
  admin_.set_matcher(matcher);
  ingest_.start();
  http_ingest_.start();
  admin_.set_ready(true, "");
  const auto at = [](const std::string& address, std::uint16_t port) {
    return (address.find(':') == address.npos ? address : '[' + address + ']') + ':' + std::to_string(port);
  };
  log(LogLevel::info, "app", "ready",
      {{"slos", rules.size()},
       {"tcp", at(config_.ingest.address, ingest_.port())},
       {"http", at(config_.ingest.http_address, http_ingest_.port())},
       {"admin", at(config_.admin.address, admin_.port())}});
}

// From the doors inwards; what is in hand is committed and answered, at most drain_ns long.
Task<void> Server::stop() {
  if (stopping_) co_return;
  stopping_ = true;
  log(LogLevel::info, "app", "stopping: what is in hand is committed and answered first");
  admin_.set_ready(false, "stopping");
  journal_->end_backups(0);
  loop_.spawn(stop_http());
  co_await ingest_.async_stop(drain_ns);
  co_await http_stopped_.wait();
  co_await ledger_.async_drain(clock_.boot_ns() + ns_per_s);
  co_await admin_.async_stop(ns_per_s);
  loop_.spawn(leave_anyway());
  co_await ledger_.async_stop();
  signals_.stop();
  timers_.stop();
  loop_.release();
}

Task<void> Server::stop_http() {
  co_await http_ingest_.async_stop(drain_ns);
  http_stopped_.open();
}

// A commit that hangs in the disk ends when the disk wants it to. All that was promised is on it, and who waits for the
// rest has been told.
Task<void> Server::leave_anyway() {
  if (co_await timers_.sleep_for(last_commit_ns) == Slept::cancelled) co_return;
  log(LogLevel::warning, "app", "a commit does not end: leaving without it; its batches were told journal_slow");
  std::_Exit(exit_ok);
}

void Server::on_signal() {
  if (stopping_) {
    log(LogLevel::warning, "app", "a second signal: leaving at once, without what is in hand");
    std::_Exit(exit_failed);
  }
  loop_.spawn(stop());
}

}  // namespace nissa::app
