// What an HTTP server has done. Any thread.
#pragma once
#include <array>

#include "base/counter.hpp"

namespace nissa::net {

struct HttpCounters {
  SharedCounter connections;                 // open now
  SharedCounter requests;                    // whose head could be read, or not
  std::array<SharedCounter, 600> responses;  // by status
};

}  // namespace nissa::net
