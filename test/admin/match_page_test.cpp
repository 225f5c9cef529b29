#include "admin/match_page.hpp"

#include <doctest/doctest.h>

#include "support/slo_pages.hpp"

using namespace nissa;
using namespace nissa::admin;
using test::pages_of;
using test::slo_named;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
std::string message_of(std::string_view query) {
  const auto question = match_question(query);
  if (question) return "";
  CHECK(question.error().status == 400);
  CHECK(has(question.error().body, "\"hint\":\"for example /api/v2/match?service=shop"));
  return question.error().body;
}

// `count` SLOs of service shop, as the pages show them, and the matcher of a file with them in that order.
struct World {
  explicit World(std::size_t count) {
    std::vector<ledger::SloView> views;
    for (std::size_t i = 0; i < count; ++i) views.push_back(slo_named("s" + std::to_string(i)));
    pages = pages_of(views);
    for (const auto& page : pages->pages)
      for (const ledger::SloView& slo : page->slos) rules.push_back({slo.id, slo.definition->sli});
    for (slo::Rule& rule : rules) rule.sli.selector.service = "shop";
  }
  std::string page(std::string_view query, const Unmatched& unmatched = {}) const {
    const auto question = match_question(query);
    REQUIRE(question.has_value());
    slo::MatchSets sets;
    return match_page(*question, slo::Matcher(rules, sets), *pages, {}, unmatched);
  }
  std::shared_ptr<const ledger::SloPages> pages;
  std::vector<slo::Rule> rules;
};

}  // namespace

TEST_CASE("a question is read decoded, with labels that may repeat") {
  const auto question = match_question("operation=GET+%2Fcart&service=sh%C3%B6p&label.a=1&label.a=2&label.b.c=");
  REQUIRE(question.has_value());
  REQUIRE(question->has_value());
  CHECK((*question)->service == "shöp");
  CHECK((*question)->operation == "GET /cart");
  CHECK((*question)->labels == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"a", "2"}, {"b.c", ""}});
  CHECK_FALSE(match_question("")->has_value());
}

TEST_CASE("a wrong question is refused with what is wrong and an example") {
  CHECK(has(message_of("operation=x"), "service is missing"));
  CHECK(has(message_of("service="), "service is missing"));
  CHECK(has(message_of("label.a=b"), "service is missing"));
  CHECK(has(message_of("service=a&service=b"), "service stands there twice"));
  CHECK(has(message_of("service=a&operation=b&operation=c"), "operation stands there twice"));
  CHECK(has(message_of("service=a&region=eu"), "there is no parameter region"));
  CHECK(has(message_of("service=a&label.=eu"), "there is no parameter label."));
  CHECK(has(message_of("service=%zz"), "hexadecimal"));
}

TEST_CASE("an event's SLOs are told with their rule, in the order of the file") {
  World world(3);
  std::swap(world.rules[0], world.rules[2]);
  const std::string page = world.page("service=shop&operation=GET");
  CHECK(
      page.starts_with("{\"event\":{\"service\":\"shop\",\"operation\":\"GET\",\"labels\":{}},\"rejected\":null,"
                       "\"slos\":[\n{\"name\":\"s2\","));
  CHECK(page.find("\"s2\"") < page.find("\"s1\""));
  CHECK(page.find("\"s1\"") < page.find("\"s0\""));
  CHECK(has(page, "\"sli\":{\"kind\":\"availability\",\"good\":[\"OK\",\"CLIENT_ERROR\"],\"ignore\":[\"CANCELLED\"],"));
  CHECK(has(world.page("service=bank"), "\"slos\":[],\"not_counted\":[],\n\"unmatched\""));
}

TEST_CASE("beyond 64 SLOs the names of those that do not count it are told") {
  const std::string page = World(66).page("service=shop");
  CHECK(has(page, "{\"name\":\"s63\","));
  CHECK_FALSE(has(page, "{\"name\":\"s64\","));
  CHECK(has(page, "],\"not_counted\":[\"s64\",\"s65\"],"));
}

TEST_CASE("an event that would be rejected belongs to no SLO, with the fault") {
  const std::string page = World(2).page("service=shop&operation=" + std::string(257, 'o'));
  CHECK(has(page, "\"rejected\":\"name_too_long\",\"slos\":[],\"not_counted\":[],"));
}

TEST_CASE("what came and matched nothing is listed, also without a question") {
  const Unmatched unmatched{7, {{"bank", "GET /", {{"region", "eu"}}, 1'749'995'200'000}, {"x\"y", "", {}, 5}}};
  CHECK(World(1).page("", unmatched) ==
        "{\"unmatched\":{\"events\":7,\"latest\":[\n"
        "{\"service\":\"bank\",\"operation\":\"GET /\",\"labels\":{\"region\":\"eu\"},\"learned_ms\":1749995200000},\n"
        "{\"service\":\"x\\\"y\",\"operation\":\"\",\"labels\":{},\"learned_ms\":5}]}}\n");
}

TEST_CASE("a retired SLO whose name another bears is not taken for it") {
  World world(2);
  auto retired = slo_named("old");
  retired.retired = true;
  const auto pages = pages_of({retired});
  slo::MatchSets sets;
  const std::string page = match_page(MatchQuestion{"shop", "", {}}, slo::Matcher(world.rules, sets), *pages, {}, {});
  CHECK_FALSE(has(page, "\"old\""));
}
