// What simulated agents send, and what each event means to the three SLOs of a simulated node, worked out plainly here
// and by matcher, match sets and cells there.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "simulation/world.hpp"
#include "slo/definition.hpp"

namespace nissa::simulation {

struct MadeEvent {
  std::int64_t at_ms = 0;
  bool is_shop = true;     // else "search"
  bool failed = false;     // outcome ERROR
  bool slow = false;       // 200 ms, else 50 ms
  bool in_europe = false;  // label region = eu-1, else us-1
};
struct MadeBatch {
  std::uint64_t tag = 0;
  std::vector<MadeEvent> events;
  Bytes body;  // unlike any other batch's: its first event bears the tag as request_id
};

// shop-availability, shop-latency (100 ms), europe (any service, region eu-*).
std::vector<slo::Definition> simulated_slos();
inline constexpr std::size_t simulated_slo_count = 3;

MadeBatch make_batch(World& world, std::uint64_t tag);

// -1: does not count; 0: bad; 1: good.
int verdict(const MadeEvent& event, std::size_t slo);

}  // namespace nissa::simulation
