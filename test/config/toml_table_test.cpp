#include "config/toml_table.hpp"

#include <doctest/doctest.h>

using namespace nissa::config;

namespace {

struct Read {
  std::string text = "usual", token = "hidden?";
  bool flag = false;
  std::int64_t number = 7, ns = 5'000'000, ms = 60'000;
  std::uint64_t bytes = 1 << 20;
  std::size_t choice = 1;
  Problems problems;
  Settings settings;

  explicit Read(std::string_view file) {
    TomlTable table = TomlTable::parse(file, "nissa.toml", problems, settings);
    TomlTable part = table.section("part");
    part.text("text", text);
    part.flag("flag", flag);
    part.integer("number", number, 0, 10);
    part.duration_ns("ns", ns, 0, 1'000'000'000);
    part.duration_ms("ms", ms, 0, 3'600'000);
    part.bytes("bytes", bytes, 0, 1 << 30);
    part.choice("choice", choice, {"one", "two"});
    part.text("agent_token", token);
    for (TomlTable& one : table.sections("list")) one.text("name", text);
  }
  std::string list() const {
    std::string all;
    for (const Setting& one : settings)
      all += one.section + '.' + one.key + '=' + one.value + (one.given ? " given\n" : "\n");
    return all;
  }
};

}  // namespace

TEST_CASE("every key that is read is noted with the value that holds and whether it was given") {
  CHECK(Read("").list() ==
        "part.text=\"usual\"\npart.flag=false\npart.number=7\npart.ns=\"5ms\"\npart.ms=\"1min\"\n"
        "part.bytes=\"1 MiB\"\npart.choice=\"two\"\npart.agent_token=\"(not shown)\"\n");
  const Read all(
      "[part]\ntext = \"a\\\"b\\\\c\\n\"\nflag = true\nnumber = 0x9\nns = \"0 s\"\nms = \"120s\"\nbytes = \"2048 B\"\n"
      "choice = \"one\"\nagent_token = \"s3cret\"\n[[list]]\nname = \"x\"\n");
  CHECK(all.problems.empty());
  CHECK(all.token == "s3cret");
  CHECK(all.list() ==
        "part.text=\"a\\\"b\\\\c\\u000a\" given\npart.flag=true given\npart.number=9 given\npart.ns=\"0us\" given\n"
        "part.ms=\"2min\" given\npart.bytes=\"2 KiB\" given\npart.choice=\"one\" given\n"
        "part.agent_token=\"(not shown)\" given\n");
}

TEST_CASE("what is wrong leaves the value that held, and reading goes on") {
  const Read wrong(
      "[part]\ntext = 1\nflag = 1\nnumber = 11\nns = \"2s\"\nms = 5\nbytes = \"x\"\nchoice = \"three\"\n"
      "agent_token = false\n");
  CHECK(wrong.problems.size() == 8);
  CHECK(wrong.settings.size() == 8);
  for (std::size_t i = 0; i < wrong.settings.size(); ++i) CHECK(wrong.settings[i].value == Read("").settings[i].value);
}
