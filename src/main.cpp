// nissad: arguments, configuration, server, exit code.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "app/command_line.hpp"
#include "app/descriptors.hpp"
#include "app/inspect.hpp"
#include "app/process.hpp"
#include "app/server.hpp"
#include "app/verify.hpp"
#include "base/descriptor_limit.hpp"
#include "base/log.hpp"
#include "base/violation.hpp"
#include "config/explain.hpp"
#include "config/memory_budget.hpp"

namespace {

using namespace nissa;

void log_violation(std::string_view component, std::string_view expected, const std::source_location& where) {
  log(LogLevel::error, component, "a broken expectation: " + std::string(expected), {}, where);
}

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "nissad: %s\n", message.c_str());
  return code;
}

// From where on the log has its format.
int fail_to_start(const app::StartFailure& failure) {
  log(LogLevel::error, "app", "nissad cannot start: " + failure.message,
      {{"exit_code", static_cast<int>(failure.code)}});
  return failure.code;
}

// What is cut off by a full disk is no answer.
int when_written(int code) {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return written || code != app::exit_ok ? code : fail(app::exit_failed, "standard output cannot be written");
}

int explain(const config::Config& config, std::uint64_t memory_limit) {
  const ingest::Options borne = app::within(raise_descriptor_limit(), config.ingest);
  const std::string text = config::explain(config, {.memory_limit_bytes = memory_limit,
                                                    .connections = borne.max_connections,
                                                    .http_connections = borne.max_http_connections});
  std::fputs(text.c_str(), stdout);
  return when_written(app::exit_ok);
}

int serve(const config::Config& config, bool accept_loss) {
  set_log_level(config.log_level);
  set_log_format(config.log_format);
  set_violation_hook(log_violation);
  const SystemClock clock;
  const BootNs begun = clock.boot_ns();
  log(LogLevel::info, "app", "nissad starts",
      {{"version", NISSA_VERSION},
       {"config", config.file},
       {"config_sha256", config.sha256},
       {"slos", config.slos.size()},
       {"state_dir", config.state_dir},
       {"pid", ::getpid()}});
  auto state = app::open_state(config, clock, accept_loss);
  if (!state) return fail_to_start(state.error());
  app::Server server(config, clock, std::move(*state));
  if (const auto opened = server.open_doors(); !opened) return fail_to_start(opened.error());
  const app::ExitCode code = server.run();
  log(code == app::exit_ok ? LogLevel::info : LogLevel::error, "app", "nissad has ended",
      {{"exit_code", static_cast<int>(code)}, {"after_ms", (clock.boot_ns() - begun) / ns_per_ms}});
  return code;
}

int run(const app::CommandLine& chosen) {
  using Verb = app::CommandLine::Verb;
  if (chosen.verb == Verb::version) return std::puts("nissad " NISSA_VERSION) < 0;
  if (chosen.verb == Verb::help) return std::fputs(app::usage(), stdout) < 0;
  if (chosen.verb == Verb::inspect) return when_written(app::inspect(chosen.directory, chosen.json));
  if (chosen.verb == Verb::verify) return when_written(app::verify(chosen.directory));
  const std::uint64_t memory_limit = config::memory_limit_bytes();
  const auto config = config::load_config(chosen.config, memory_limit);
  if (!config) {
    for (const std::string& problem : config.error()) std::fprintf(stderr, "%s\n", problem.c_str());
    return app::exit_configuration;
  }
  if (chosen.verb == Verb::check_config) return explain(*config, memory_limit);
  return serve(*config, chosen.accept_loss);
}

}  // namespace

int main(int argc, char** argv) {
  nissa::app::prepare_process();
  const auto chosen = nissa::app::parse_command_line(argc, argv);
  if (!chosen) return fail(nissa::app::exit_configuration, chosen.error().message);
  try {
    return run(*chosen);
  } catch (const std::exception& thrown) {  // a system without memory or descriptors, before anything is served
    return fail(nissa::app::exit_failed, std::string("cannot start: ") + thrown.what());
  }
}
