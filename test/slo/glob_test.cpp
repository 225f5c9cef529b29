#include "slo/glob.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/seed.hpp"

using nissa::slo::glob_matches;

namespace {

// By definition, on ASCII; exponential, for short texts.
bool by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return by_definition(pattern.substr(1), text) || (!text.empty() && by_definition(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         by_definition(pattern.substr(1), text.substr(1));
}

}  // namespace

TEST_CASE("a star is any run, a question mark one character, all else itself") {
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("", ""));
  CHECK(!glob_matches("", "a"));
  CHECK(!glob_matches("?", ""));
  CHECK(glob_matches("GET /api/*", "GET /api/users/:id"));
  CHECK(!glob_matches("GET /api/*", "POST /api/users"));
  CHECK(glob_matches("*.example.org", "a.b.example.org"));
  CHECK(glob_matches("check?ut", "checkout"));
  CHECK(glob_matches("[a-z]", "[a-z]"));
  CHECK(!glob_matches("checkout", "Checkout"));
}

TEST_CASE("a question mark is a character, not a byte") {
  CHECK(glob_matches("caf?", "café"));
  CHECK(!glob_matches("caf??", "café"));
  CHECK(glob_matches("*?", "日本"));
  CHECK(glob_matches("???", "日本語"));
  CHECK(!glob_matches("*???", "日本"));
}

TEST_CASE("any pattern agrees with the definition") {
  auto random = nissa::test::random_for(12);
  int matches = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string pattern;
    std::string text;
    for (auto n = random() % 8; n > 0; --n) pattern += "ab*?"[random() % 4];
    for (auto n = random() % 10; n > 0; --n) text += "ab"[random() % 2];
    const bool expected = by_definition(pattern, text);
    matches += expected ? 1 : 0;
    CAPTURE(pattern);
    CAPTURE(text);
    REQUIRE(glob_matches(pattern, text) == expected);
  }
  CHECK(matches > 1000);
}

TEST_CASE("a hostile pattern on a hostile name takes no more steps than their product") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  pattern += "*b";
  // Two to the power of hundreds with a naive recursion: this test would not end.
  CHECK(!glob_matches(pattern, std::string(5000, 'a')));
}
