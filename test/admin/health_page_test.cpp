#include "admin/health_page.hpp"

#include <doctest/doctest.h>

using namespace nissa;
using namespace nissa::admin;

TEST_CASE("before it is ready the reason is told, and the process is alive all the same") {
  const Health starting;
  CHECK(ready_page(starting).status == 503);
  CHECK(ready_page(starting).body.find("not ready: starting") != std::string::npos);
  CHECK(health_page(starting).status == 200);
  CHECK(health_page(starting).body == "ok\n");
}

TEST_CASE("once it is ready it says so") {
  CHECK(ready_page({.ready = true, .reason = ""}).status == 200);
  CHECK(ready_page({.ready = true, .reason = ""}).body == "ready\n");
}

TEST_CASE("a journal that failed and a full disk make it unready, and alive, with the words of the journal") {
  using Kind = journal::Trouble::Kind;
  for (const auto& [kind, code] : {std::pair{Kind::failed, "journal_failing"}, std::pair{Kind::full, "disk_full"}}) {
    const Health troubled{.ready = true, .reason = "", .journal = {kind, "the dog ate it"}};
    CHECK(ready_page(troubled).status == 503);
    CHECK(ready_page(troubled).body.contains(std::string("\"code\":\"") + code + '"'));
    CHECK(ready_page(troubled).body.contains(": the dog ate it"));
    CHECK(health_page(troubled).status == 200);
    CHECK(health_page(troubled).body == "alive, but the dog ate it\n");
  }
}

TEST_CASE("a slow disk is said, and it is ready all the same") {
  const Health slow{.ready = true, .reason = "", .journal = {journal::Trouble::Kind::slow, "the disk is slow"}};
  CHECK(ready_page(slow).status == 200);
  CHECK(ready_page(slow).body == "ready, but the disk is slow\n");
  CHECK(health_page(slow).body == "alive, but the disk is slow\n");
}
