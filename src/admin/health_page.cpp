#include "admin/health_page.hpp"

namespace nissa::admin {
namespace {

constexpr const char* journal_trouble =
    "the journal failed and its last commit is of unknown fate: no batch is acknowledged";

}  // namespace

net::HttpResponse health_page(const Health& health) {
  return net::http_text(health.journal_broken ? std::string("alive, but ") + journal_trouble + '\n' : "ok\n");
}

net::HttpResponse ready_page(const Health& health) {
  if (!health.ready) return net::http_error(503, "not_ready", "not ready: " + health.reason, "ask again in a second");
  if (health.journal_broken)
    return net::http_error(503, "journal_failing", journal_trouble,
                           "the log names the failure; mend the disk, then restart nissad");
  return net::http_text("ready\n");
}

}  // namespace nissa::admin
