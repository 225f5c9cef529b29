#include "simulation/workload.hpp"

#include <string>

#include "wire/event_writer.hpp"

namespace nissa::simulation {

std::vector<slo::Definition> simulated_slos() {
  std::vector<slo::Definition> all(simulated_slo_count);
  for (slo::Definition& one : all) one.objective = *slo::Objective::parse("99 %");
  all[0].name = "shop-availability";
  all[0].sli.selector.service = "shop";
  all[1].name = "shop-latency";
  all[1].sli.selector.service = "shop";
  all[1].sli.criterion.kind = slo::SliKind::latency;
  all[1].sli.criterion.threshold_ns = 100'000'000;
  all[2].name = "europe";
  all[2].sli.selector.labels = {{"region", "eu-*"}};
  return all;
}

MadeBatch make_batch(World& world, std::uint64_t tag) {
  MadeBatch batch;
  batch.tag = tag;
  const std::int64_t now_ms = world.clock.wall_ns() / 1'000'000;
  const std::int64_t count = world.between(1, 8);
  for (std::int64_t i = 0; i < count; ++i) {
    MadeEvent event;
    // Mostly now, sometimes hours, sometimes weeks or too long ago, sometimes a little ahead.
    const double kind = std::uniform_real_distribution<>(0, 1)(world.random);
    const std::int64_t ago = kind < 0.7    ? world.between(0, 20'000)
                             : kind < 0.85 ? world.between(0, 6 * 3'600'000)
                             : kind < 0.95 ? world.between(0, 35LL * 86'400'000)
                                           : -world.between(0, 14'000);
    event.at_ms = now_ms - ago;
    event.is_shop = world.chance(0.7);
    event.failed = world.chance(0.2);
    event.slow = world.chance(0.3);
    event.in_europe = world.chance(0.5);
    Bytes identity;
    const wire::LabelView region{"region", event.in_europe ? "eu-1" : "us-1"};
    wire::append_identity(identity, event.is_shop ? "shop" : "search", "GET /", {&region, 1});
    const std::string id = i == 0 ? "batch-" + std::to_string(tag) : "";
    wire::append_event(batch.body,
                       {.time_unix_ns = static_cast<std::uint64_t>(event.at_ms) * 1'000'000,
                        .duration_ns = event.slow ? 200'000'000 : 50'000'000,
                        .outcome = event.failed ? wire::EventOutcome::error : wire::EventOutcome::ok,
                        .request_id = id},
                       identity);
    batch.events.push_back(event);
  }
  return batch;
}

int verdict(const MadeEvent& event, std::size_t slo) {
  switch (slo) {
    case 0:
      return event.is_shop ? !event.failed : -1;
    case 1:
      return event.is_shop && !event.failed ? !event.slow : -1;
    default:
      return event.in_europe ? !event.failed : -1;
  }
}

}  // namespace nissa::simulation
