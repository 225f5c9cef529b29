// nissa-load: offers load to a server and checks that all of it was counted exactly once. --help says how.
#include <csignal>
#include <cstdio>

#include "base/descriptor_limit.hpp"
#include "tools/load_options.hpp"
#include "tools/load_report.hpp"

int main(int argc, char** argv) {
  using namespace nissa::tools;
  Arguments arguments({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  const LoadOptions options = load_options(arguments);
  if (options.help) {
    std::fputs(load_help().c_str(), stdout);
    return 0;
  }
  if (const auto problems = arguments.problems(); !problems.empty()) {
    for (const std::string& one : problems) std::fprintf(stderr, "nissa-load: %s\n", one.c_str());
    return 2;
  }
  const LoadPlan plan(options.shape);
  if (options.print_config) {
    std::fputs(plan.slo_configuration().c_str(), stdout);
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);
  (void)nissa::raise_descriptor_limit();
  const LoadOutcome outcome = run_load(options, plan);
  std::fputs(load_report(options, outcome, plan).c_str(), stdout);
  if (!outcome.troubles.empty()) return 3;
  return disagreements(outcome, plan, options.check_slos).empty() ? 0 : 1;
}
