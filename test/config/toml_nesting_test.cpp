#include "config/toml_nesting.hpp"

#include <doctest/doctest.h>

#include <string>

#include "config/toml_table.hpp"

using namespace nissa::config;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}
std::string problems_of(const std::string& text) {
  Problems problems;
  Settings settings;
  (void)TomlTable::parse(text, "nissa.toml", problems, settings);
  std::string all;
  for (const std::string& one : problems) all += one + '\n';
  return all;
}

}  // namespace

TEST_CASE("what would make the parser call itself without end is refused with its place, before it is parsed") {
  constexpr std::size_t many = 50'000;
  CHECK(problems_of("a = 1\nx = " + repeated("[", many)) ==
        "nissa.toml:2:21: nested too deeply; expected at most 16 levels of brackets and braces\n");
  CHECK(problems_of("x = " + repeated("[", many) + repeated("]", many)).starts_with("nissa.toml:1:21: nested"));
  CHECK(problems_of("x = " + repeated("{a=", many)).starts_with("nissa.toml:1:53: nested"));
  CHECK(problems_of("x = " + repeated("[\n", many)).starts_with("nissa.toml:17:1: nested"));
  for (const std::string& key :
       {repeated("a.", many) + "a = 1", repeated("\"a\" . ", many) + "a = 1", "[" + repeated("a.", many) + "a]",
        "[[" + repeated("'é'.", many) + "a]]", "x = { " + repeated("a.", many) + "a = 1 }"}) {
    const std::string problem = problems_of(key);
    CHECK_MESSAGE(problem.starts_with("nissa.toml:1:"), problem);
    CHECK_MESSAGE(problem.ends_with("nested too deeply; expected at most 16 parts of a dotted key\n"), problem);
  }
  // A string that ends early or late must not hide what follows it.
  for (const char* before : {"\"\\\\\"", "'\\'", "\"\"\"a\"\"\"\"\"", "'''a''''", "\"\"", "\"\\\"\"", "\"open\n"})
    CHECK_MESSAGE(
        problems_of("x = [ " + std::string(before) + ", " + repeated("[", many)).find(": nested too deeply") !=
            std::string::npos,
        before);
}

TEST_CASE("what is nested as deep as it may be is parsed, and strings and comments are no nesting") {
  const std::string deep = "x = " + repeated("[", 16) + repeated("]", 16) + "\n" + repeated("a.", 15) + "a = 1\n";
  for (const std::string& text :
       {deep, "x = \"" + repeated("[.", 99) + "\" # " + repeated("[.", 99) + "\ny = '" + repeated("{.", 99) + "'\n",
        "x = \"\"\"\n" + repeated("[\n", 99) + "\"\"\"\ny = '''\n" + repeated("[.\"\n", 99) + "'''\n",
        "x = [" + repeated("[1.5, 2.5],\n", 99) + "]\n", repeated("# [\n", 99) + "[a]\n[b]\n",
        "x = \"\\\"" + repeated("[", 99) + "\"\n"})
    CHECK_MESSAGE(problems_of(text).empty(), problems_of(text));
}

TEST_CASE("broken headers do not add up over the lines") {
  CHECK(problems_of(repeated("[gate\n", 40)).find("not TOML") != std::string::npos);
}
