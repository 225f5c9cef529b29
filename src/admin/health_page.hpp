// Whether to restart the process (/healthz), and whether to send it agents (/readyz). Pure.
#pragma once
#include <string>

#include "net/http_types.hpp"

namespace nissa::admin {

struct Health {
  bool ready = false;
  std::string reason = "starting";  // while it is not ready
  bool journal_broken = false;      // a commit of unknown fate: nothing is acknowledged any more
};

// 200 while the process answers at all; a failing journal is said, but a restart by a supervisor is the operator's to
// decide: the state may need him.
net::HttpResponse health_page(const Health& health);
// 200, or 503 with the reason in words. Overload is no reason: it would move the flood to a neighbour.
net::HttpResponse ready_page(const Health& health);

}  // namespace nissa::admin
