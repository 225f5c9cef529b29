// A simulated agent: the real client stream over a network that loses, delays, reorders and doubles messages, and that
// keeps copies to deliver them much later.
#pragma once
#include <cstdint>
#include <memory>

#include "client/stream.hpp"
#include "simulation/node.hpp"
#include "simulation/oracle.hpp"
#include "simulation/world.hpp"

namespace nissa::simulation {

struct NetworkChances {
  double lost = 0;       // a message never arrives
  double doubled = 0;    // a batch arrives twice
  double late_copy = 0;  // and once more, up to ten days later
  double cut = 0;        // the connection breaks instead
};

class Agent {
 public:
  Agent(World& world, Oracle& oracle, Node& node, Priority priority, NetworkChances chances);

  void make_batches(std::uint32_t count);
  // Its process dies: what it held is nobody's any more.
  void die();
  void set_chances(const NetworkChances& chances) { chances_ = chances; }
  // One look at what there is to do; plans the next one itself.
  void run();
  bool settled() const { return to_make_ == 0 && stream_->idle(); }

 private:
  void enqueue();
  void connect(const client::Action& action);
  void send_batch(const client::Action& action);
  void answered(std::uint64_t connection, const wire::Ack& ack);
  void cut();
  void take_settlements();
  std::int64_t delay() { return world_.between(50'000, 40'000'000); }

  World& world_;
  Oracle& oracle_;
  Node& node_;
  Priority priority_;
  NetworkChances chances_;
  std::unique_ptr<client::Stream> stream_;
  std::uint64_t life_ = 0;
  std::uint64_t look_ = 0;  // the look that is planned; an earlier plan is void
  std::uint64_t connection_ = 0;  // the one that stands; a message of another one is not heard
  bool connected_ = false;
  std::uint32_t to_make_ = 0;
  std::map<std::uint64_t, bool> held_;  // tags enqueued and not settled
};

}  // namespace nissa::simulation
