// A simulated agent: the real client stream over a network that loses, delays, reorders and doubles messages, and that
// keeps copies to deliver them much later. It looks when something happened or when the stream said it should: a stream
// that waits for nothing without need would be seen as agents that do not settle.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <set>

#include "client/stream.hpp"
#include "simulation/node.hpp"
#include "simulation/oracle.hpp"
#include "simulation/world.hpp"

namespace nissa::simulation {

struct NetworkChances {
  double lost = 0;       // a message never arrives
  double doubled = 0;    // a batch arrives twice
  double late_copy = 0;  // and once more, up to ten simulated days later, by another way
  double cut = 0;        // the connection breaks instead
  double hangs = 0;      // nobody tells the agent that the node has died
};

class Agent {
 public:
  Agent(World& world, Oracle& oracle, Node& node, Priority priority, NetworkChances chances);

  void make_batches(std::uint32_t count);
  // Its process dies: what it held is nobody's any more.
  void die();
  void set_chances(const NetworkChances& chances) { chances_ = chances; }
  bool settled() const { return to_make_ == 0 && stream_->idle(); }

 private:
  void look_at(BootNs at);
  void look_soon() { look_at(world_.clock.boot_ns() + world_.between(0, 500'000)); }
  // All that there is to do.
  void run();
  void enqueue();
  void connect(const client::Action& action);
  void send_batch(const client::Action& action);
  void send_goodbye(const client::Action& action);
  void heartbeat(std::uint64_t connection);
  void cut();
  void take_settlements();
  std::int64_t delay() { return world_.between(50'000, 40'000'000); }

  World& world_;
  Oracle& oracle_;
  Node& node_;
  Priority priority_;
  NetworkChances chances_;
  std::size_t most_held_;
  std::unique_ptr<client::Stream> stream_;
  std::uint64_t life_ = 0;
  std::uint64_t look_ = 0;  // the look that is planned; an earlier plan is void
  BootNs looks_at_ = std::numeric_limits<BootNs>::max();
  std::uint64_t connection_ = 0;  // the one that stands; a message of another one is not heard
  bool connected_ = false;
  std::uint32_t to_make_ = 0;
  std::set<std::uint64_t> held_;  // tags enqueued and not settled
};

}  // namespace nissa::simulation
