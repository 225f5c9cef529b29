#include "admin/health_page.hpp"

namespace nissa::admin {

using Kind = journal::Trouble::Kind;

net::HttpResponse health_page(const Health& health) {
  if (health.journal.kind == Kind::none) return net::http_text("ok\n");
  return net::http_text("alive, but " + health.journal.text + '\n');
}

net::HttpResponse ready_page(const Health& health) {
  if (!health.ready) {
    const std::string trouble = health.journal.kind == Kind::none ? "" : "; " + health.journal.text;
    return net::http_error(503, "not_ready", "not ready: " + health.reason + trouble, "ask again in a second");
  }
  switch (health.journal.kind) {
    case Kind::failed:
      return net::http_error(503, "journal_failing", "no batch is acknowledged: " + health.journal.text,
                             "look at the disk; nissad tries a new file each second and goes on by itself");
    case Kind::full:
      return net::http_error(503, "disk_full", "no batch is taken: " + health.journal.text,
                             "make room on the disk of state_dir; nissad goes on by itself");
    case Kind::slow:
      return net::http_text("ready, but " + health.journal.text + '\n');
    case Kind::none:
      break;
  }
  return net::http_text("ready\n");
}

}  // namespace nissa::admin
