// Whether to restart the process (/healthz), and whether to send it agents (/readyz). Pure.
#pragma once
#include <string>

#include "journal/journal.hpp"
#include "net/http_types.hpp"

namespace nissa::admin {

struct Health {
  bool ready = false;
  std::string reason = "starting";  // while it is not ready
  journal::Trouble journal;
};

// 200 while the process answers at all; what is wrong with the journal is said, but a restart mends no disk, and nissad
// goes on by itself.
net::HttpResponse health_page(const Health& health);
// 200, or 503 with the reason in words: no batch is acknowledged. Overload is no reason, nor is a slow disk: it would
// move the flood to a neighbour.
net::HttpResponse ready_page(const Health& health);

}  // namespace nissa::admin
