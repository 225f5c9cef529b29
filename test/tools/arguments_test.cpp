#include "tools/arguments.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "support/temp_dir.hpp"
#include "tools/load_options.hpp"
#include "tools/send_options.hpp"

namespace nissa::tools::test {
namespace {

Arguments given(std::vector<const char*> words) { return Arguments(words); }

TEST_CASE("values are typed, in both forms, and the last one counts") {
  Arguments arguments = given({"--rate", "5", "--rate=7", "--verbose", "--server", "[::1]:99"});
  std::string host = "x";
  std::uint16_t port = 1;
  CHECK(arguments.number("--rate", 1, 0, 10) == 7);
  CHECK(arguments.flag("--verbose"));
  CHECK_FALSE(arguments.flag("--quiet"));
  arguments.host_port("--server", host, port);
  CHECK(host == "::1");
  CHECK(port == 99);
  CHECK(arguments.text("--name", "otherwise") == "otherwise");
  CHECK(arguments.problems().empty());
}

TEST_CASE("a dash alone is standard input, which nissa-send reads anyway; after a name it is a value") {
  Arguments arguments = given({"--service", "shop", "-"});
  CHECK(send_options(arguments).service == "shop");
  CHECK(arguments.problems().empty());
  Arguments value = given({"--service", "-"});
  CHECK(send_options(value).service == "-");
  Arguments load = given({"-"});
  (void)load_options(load);
  CHECK(load.problems().size() == 1);
}

TEST_CASE("each mistake is said, all in one go") {
  Arguments arguments =
      given({"--rate", "many", "--nonsense", "--server", "nowhere", "--how", "so", "stray", "--token"});
  std::string host;
  std::uint16_t port = 0;
  (void)arguments.number("--rate", 1, 0, 10);
  arguments.host_port("--server", host, port);
  (void)arguments.choice("--how", std::array<std::string_view, 2>{"fast", "slow"}, 0);
  (void)arguments.text("--token", "");
  const auto problems = arguments.problems();
  REQUIRE(problems.size() == 6);
  CHECK(problems[0].find("stray") != std::string::npos);
  CHECK(problems[1] == "--rate: 'many' is no number from 0 to 10");
  CHECK(problems[2].find("host:port") != std::string::npos);
  CHECK(problems[3] == "--how: 'so' is none of fast, slow");
  CHECK(problems[4] == "--token: a value is missing");
  CHECK(problems[5] == "--nonsense is unknown; --help lists what there is");
}

TEST_CASE("what no server takes is the command line's fault, said before any line is read") {
  const std::string long_text(257, 'x'), long_label = "a=" + long_text, long_key = long_text + "=a";
  std::vector<const char*> many;
  for (int i = 0; i < 33; ++i) many.insert(many.end(), {"--label", "a=b"});
  const std::vector<std::vector<const char*>> wrong{{"--service", long_text.c_str()},
                                                    {"--service", "\xff"},
                                                    {"--label", long_label.c_str()},
                                                    {"--label", long_key.c_str()},
                                                    {"--label", "a=\xff"},
                                                    {"--operation", "a=\xff"},
                                                    {"--format", "nginx"},
                                                    {"--follow", "/var/log/nginx/access.log"},
                                                    {"--state", "/s"},
                                                    {"--from", "end"},
                                                    {"-", "--follow", "/f", "--state", "/s"},
                                                    {"--follow", "/f", "--state", "/d/../f"},
                                                    many};
  for (const auto& words : wrong) {
    Arguments arguments = given(words);
    (void)send_options(arguments);
    CHECK(arguments.problems().size() == 1);
  }
  Arguments right = given({"--follow", "/f", "--state", "/s", "--from", "end"});
  const SendOptions options = send_options(right);
  CHECK(right.problems().empty());
  CHECK(options.from_end);
}

TEST_CASE("a log is not its own state file, by whatever name") {
  const nissa::test::TempDir dir;
  const std::string log = dir / "app.log", link = dir / "link", hard = dir / "hard", other = dir / "other";
  std::ofstream(log).flush();
  std::filesystem::create_symlink(log, link);
  std::filesystem::create_hard_link(log, hard);
  for (const std::string& state : {log, link, hard}) {
    Arguments arguments = given({"--follow", log.c_str(), "--state", state.c_str()});
    (void)send_options(arguments);
    const auto problems = arguments.problems();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find(state + " is the log itself") != std::string::npos);
  }
  Arguments right = given({"--follow", log.c_str(), "--state", other.c_str()});
  (void)send_options(right);
  CHECK(right.problems().empty());
}

TEST_CASE("connections are dealt out to the classes by their shares, from the first on") {
  Arguments arguments = given({"--classes", "low:40,normal:40,high:15,critical:5", "--connections", "20"});
  const LoadOptions options = load_options(arguments);
  CHECK(arguments.problems().empty());
  std::array<int, 4> count{};
  for (const Priority one : classes_of(options)) ++count[index_of(one)];
  CHECK(count == std::array{8, 8, 3, 1});
  Arguments wrong = given({"--classes", "low:40,urgent:1"});
  (void)load_options(wrong);
  CHECK(wrong.problems().size() == 1);
}

}  // namespace
}  // namespace nissa::tools::test
