#include "app/command_line.hpp"

#include <string_view>

namespace nissa::app {

const char* usage() {
  return R"(nissad [--config FILE]                 serve; FILE is nissa.toml in this folder unless another is named
       --accept-loss                   and of a damaged state go on from the last sound record: what is lost
                                       counts as not measured, and the files are kept as they were
nissad --check-config [--config FILE]  say everything that is wrong with the file, or what it means
nissad inspect DIR [--json]            what the state in DIR holds. Looks at a copy: opening would change it
nissad verify DIR                      whether the state in DIR is sound, a line a check; looks at a copy.
                                       Ends with 0 (sound), 3 (damaged) or 1 (could not look)
nissad --version
)";
}

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
  CommandLine chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config") {
      if (++i == argc) return failure("--config: a file is missing");
      chosen.config = argv[i];
    } else if (word == "--check-config") {
      chosen.verb = CommandLine::Verb::check_config;
    } else if (word == "--version") {
      chosen.verb = CommandLine::Verb::version;
    } else if (word == "--help" || word == "-h") {
      chosen.verb = CommandLine::Verb::help;
    } else if (word == "--accept-loss") {
      chosen.accept_loss = true;
    } else if (word == "--json" && chosen.verb == CommandLine::Verb::inspect) {
      chosen.json = true;
    } else if ((word == "inspect" || word == "verify") && i == 1) {
      if (++i == argc) return failure(std::string(word) + ": a state directory is missing");
      chosen.verb = word == "inspect" ? CommandLine::Verb::inspect : CommandLine::Verb::verify;
      chosen.directory = argv[i];
    } else {
      return failure("unknown argument " + std::string(word) + "; expected:\n" + usage());
    }
  }
  if (chosen.accept_loss && chosen.verb != CommandLine::Verb::serve)
    return failure("--accept-loss is for serving: nissad [--config FILE] --accept-loss");
  return chosen;
}

}  // namespace nissa::app
