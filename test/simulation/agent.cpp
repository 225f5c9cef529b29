#include "simulation/agent.hpp"

namespace nissa::simulation {
namespace {

constexpr BootNs never = std::numeric_limits<BootNs>::max();
constexpr std::int64_t heartbeat_ns = simulated_day_ms / 4 * ns_per_ms;

}  // namespace

Agent::Agent(World& world, Oracle& oracle, Node& node, Priority priority, NetworkChances chances)
    : world_(world),
      oracle_(oracle),
      node_(node),
      priority_(priority),
      chances_(chances),
      // Some come to the end of the window of 256, most do not.
      most_held_(static_cast<std::size_t>(world.chance(0.3) ? world.between(200, 600) : world.between(5, 60))) {
  node_.when_it_dies([this] {
    if (world_.chance(chances_.hangs)) return;
    world_.after(delay(), [this, connection = connection_] {
      if (connection == connection_ && connected_) cut();
    });
  });
  die();
}

void Agent::die() {
  for (const std::uint64_t tag : held_) oracle_.settled(tag, std::nullopt);
  held_.clear();
  ++life_;
  ++connection_;
  connected_ = false;
  client::StreamOptions options;
  options.priority = priority_;
  options.fresh_for_ms = simulated_day_ms;
  options.answer_timeout_ns = world_.between(2, 60) * ns_per_s;
  stream_ = std::make_unique<client::Stream>(options, [this] { return world_.random(); });
  look_soon();
}

void Agent::make_batches(std::uint32_t count) {
  to_make_ += count;
  look_soon();
}

void Agent::look_at(BootNs at) {
  if (at >= looks_at_) return;
  looks_at_ = at;
  world_.after(std::max<std::int64_t>(at - world_.clock.boot_ns(), 0), [this, look = ++look_] {
    if (look != look_) return;
    looks_at_ = never;
    run();
  });
}

void Agent::enqueue() {
  while (to_make_ > 0 && held_.size() < most_held_) {
    const std::uint64_t tag = oracle_.size() + 1;
    MadeBatch made = make_batch(world_, tag);
    oracle_.made(made);
    const auto events = static_cast<std::uint32_t>(made.events.size());
    const auto size = static_cast<std::uint32_t>(made.body.size());
    if (stream_->enqueue({std::move(made.body), size, events, tag}) != client::Taken::accepted)
      return oracle_.fail("a stream with room takes no batch");
    held_.insert(tag);
    --to_make_;
    if (world_.chance(0.1)) return look_at(world_.clock.boot_ns() + world_.between(1, 50) * ns_per_ms);
  }
}

void Agent::run() {
  enqueue();
  client::Action action;
  for (;;) {
    action = stream_->next(world_.clock.boot_ns());
    if (action.kind == client::Action::Kind::wait) break;
    if (action.kind == client::Action::Kind::connect) connect(action);
    if (action.kind == client::Action::Kind::send_batch) send_batch(action);
    if (action.kind == client::Action::Kind::send_goodbye) send_goodbye(action);
    if (action.kind == client::Action::Kind::disconnect) cut();
  }
  if (action.until) look_at(*action.until);
  take_settlements();
}

void Agent::connect(const client::Action& action) {
  const std::uint64_t connection = ++connection_;
  world_.after(delay(), [this, connection, epoch = action.epoch] {
    if (connection != connection_) return;
    if (!node_.serves() || world_.chance(chances_.lost)) return cut();
    connected_ = true;
    stream_->connected(node_.hello(epoch));
    heartbeat(connection);
    look_soon();
  });
}

// Tells an agent that has nothing to send what the running time is, so that it keys nothing into an old epoch.
void Agent::heartbeat(std::uint64_t connection) {
  world_.after(heartbeat_ns, [this, connection] {
    if (connection != connection_ || !connected_) return;
    if (node_.serves() && !world_.chance(chances_.lost)) stream_->told(node_.now());
    heartbeat(connection);
  });
}

void Agent::cut() {
  ++connection_;
  connected_ = false;
  stream_->connection_lost(world_.clock.boot_ns());
  look_soon();
}

void Agent::send_goodbye(const client::Action& action) {
  if (world_.chance(chances_.lost)) return;
  world_.after(delay(), [this, goodbye = action.goodbye] {
    if (node_.serves()) node_.goodbye(goodbye);
  });
}

void Agent::send_batch(const client::Action& action) {
  auto bytes = std::make_shared<Bytes>();
  wire::BatchHeader header = action.header;
  header.sent_at_unix_ns = static_cast<std::uint64_t>(world_.clock.wall_ns());
  wire::append_header(*bytes, header);
  bytes->insert(bytes->end(), action.body->bytes.begin(), action.body->bytes.end());
  oracle_.sent(action.body->tag, node_.now().running_ms);
  const auto arrive = [this, bytes, tag = action.body->tag, connection = connection_, life = life_](bool is_heard) {
    if (!node_.serves()) return;
    node_.receive(*bytes, tag, [this, connection, life, is_heard](const wire::Ack& ack) {
      if (!is_heard || world_.chance(chances_.lost)) return;
      world_.after(delay(), [this, connection, life, ack] {
        if (life != life_ || connection != connection_ || !connected_) return;
        stream_->acked(ack, world_.clock.boot_ns());
        take_settlements();
        look_soon();
      });
    });
  };
  if (!world_.chance(chances_.lost)) world_.after(delay(), [arrive] { arrive(true); });
  if (world_.chance(chances_.doubled)) world_.after(delay(), [arrive] { arrive(true); });
  if (world_.chance(chances_.late_copy))
    world_.after(world_.between(ns_per_s, 10 * simulated_day_ms * ns_per_ms), [arrive] { arrive(false); });
  if (world_.chance(chances_.cut))
    world_.after(delay(), [this, connection = connection_] {
      if (connection == connection_ && connected_) cut();
    });
}

void Agent::take_settlements() {
  std::vector<client::Settlement> settled;
  stream_->take_settlements(settled);
  for (const client::Settlement& one : settled) {
    oracle_.settled(one.tag, one.fate, node_.now().running_ms);
    held_.erase(one.tag);
  }
  if (!settled.empty() && to_make_ > 0) look_soon();
}

}  // namespace nissa::simulation
