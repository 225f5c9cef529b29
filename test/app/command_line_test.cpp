#include "app/command_line.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace nissa;
using namespace nissa::app;
using Verb = CommandLine::Verb;

namespace {

Result<CommandLine> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "nissad");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("without arguments it serves with the file beside it") {
  const auto chosen = parse({});
  REQUIRE(chosen.has_value());
  CHECK(chosen->verb == Verb::serve);
  CHECK(chosen->config == "nissa.toml");
}

TEST_CASE("a configuration is served or checked, in either order of words") {
  CHECK(parse({"--config", "a.toml"})->config == "a.toml");
  CHECK(parse({"--config", "a.toml"})->verb == Verb::serve);
  for (const auto& words :
       {std::vector{"--config", "a.toml", "--check-config"}, std::vector{"--check-config", "--config", "a.toml"}}) {
    CHECK(parse(words)->config == "a.toml");
    CHECK(parse(words)->verb == Verb::check_config);
  }
}

TEST_CASE("inspect takes a folder and --json") {
  CHECK(parse({"inspect", "state"})->verb == Verb::inspect);
  CHECK(parse({"inspect", "state"})->directory == "state");
  CHECK_FALSE(parse({"inspect", "state"})->json);
  CHECK(parse({"inspect", "state", "--json"})->json);
}

TEST_CASE("a loss is accepted when serving, and by nothing else") {
  CHECK_FALSE(parse({})->accept_loss);
  CHECK(parse({"--config", "x.toml", "--accept-loss"})->accept_loss);
  CHECK(parse({"--accept-loss"})->verb == Verb::serve);
  for (const char* other : {"--check-config", "--version", "--help"})
    CHECK_FALSE(parse({other, "--accept-loss"}).has_value());
  CHECK_FALSE(parse({"verify", "state", "--accept-loss"}).has_value());
}

TEST_CASE("verify takes a folder") {
  CHECK(parse({"verify", "state"})->verb == Verb::verify);
  CHECK(parse({"verify", "state"})->directory == "state");
  CHECK(parse({"verify"}).error().message == "verify: a state directory is missing");
  CHECK_FALSE(parse({"verify", "state", "--json"}).has_value());
}

TEST_CASE("version and help are asked for by their words") {
  CHECK(parse({"--version"})->verb == Verb::version);
  CHECK(parse({"--help"})->verb == Verb::help);
  CHECK(parse({"-h"})->verb == Verb::help);
}

TEST_CASE("what is missing or unknown is refused by name, with what was expected") {
  CHECK(parse({"--config"}).error().message == "--config: a file is missing");
  CHECK(parse({"inspect"}).error().message == "inspect: a state directory is missing");
  for (const char* wrong : {"--cfg", "serve", "--json", "", "extra"}) {
    CAPTURE(std::string(wrong));
    const auto refused = parse({wrong});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message == "unknown argument " + std::string(wrong) + "; expected:\n" + usage());
  }
  CHECK_FALSE(parse({"inspect", "state", "more"}).has_value());
  CHECK_FALSE(parse({"--config", "a.toml", "inspect", "state"}).has_value());
}
