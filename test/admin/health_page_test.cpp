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

TEST_CASE("a journal that failed makes it unready, and alive with words") {
  const Health failing{.ready = true, .reason = "", .journal_broken = true};
  CHECK(ready_page(failing).status == 503);
  CHECK(ready_page(failing).body.find("\"code\":\"journal_failing\"") != std::string::npos);
  CHECK(health_page(failing).status == 200);
  CHECK(health_page(failing).body.find("the journal failed") != std::string::npos);
}
