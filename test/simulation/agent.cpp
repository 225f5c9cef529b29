#include "simulation/agent.hpp"

namespace nissa::simulation {
namespace {

constexpr std::int64_t look_again_ns = 5 * ns_per_ms;
constexpr std::int64_t look_when_idle_ns = 60 * ns_per_s;

}  // namespace

Agent::Agent(World& world, Oracle& oracle, Node& node, Priority priority, NetworkChances chances)
    : world_(world), oracle_(oracle), node_(node), priority_(priority), chances_(chances) {
  die();
}

void Agent::die() {
  for (const auto& [tag, _] : held_) oracle_.settled(tag, std::nullopt);
  held_.clear();
  ++life_;
  ++connection_;
  connected_ = false;
  client::StreamOptions options;
  options.priority = priority_;
  stream_ = std::make_unique<client::Stream>(options, [this] { return world_.random(); });
  run();
}

void Agent::make_batches(std::uint32_t count) {
  to_make_ += count;
  run();
}

void Agent::enqueue() {
  while (to_make_ > 0 && held_.size() < 60) {
    const std::uint64_t tag = oracle_.size() + 1;
    MadeBatch made = make_batch(world_, tag);
    oracle_.made(made);
    const auto events = static_cast<std::uint32_t>(made.events.size());
    const auto size = static_cast<std::uint32_t>(made.body.size());
    if (stream_->enqueue({std::move(made.body), size, events, tag}) != client::Taken::accepted)
      return oracle_.fail("a stream with room takes no batch");
    held_[tag] = true;
    --to_make_;
    if (world_.chance(0.3)) break;
  }
}

void Agent::run() {
  enqueue();
  while (true) {
    const client::Action action = stream_->next(world_.clock.boot_ns());
    if (action.kind == client::Action::Kind::wait) break;
    if (action.kind == client::Action::Kind::connect) connect(action);
    if (action.kind == client::Action::Kind::send_batch) send_batch(action);
    if (action.kind == client::Action::Kind::send_goodbye && node_.alive() && !world_.chance(chances_.lost))
      world_.after(delay(), [this, goodbye = action.goodbye] {
        if (node_.alive()) node_.goodbye(goodbye);
      });
    if (action.kind == client::Action::Kind::disconnect) cut();
  }
  take_settlements();
  const std::int64_t pause = settled() ? look_when_idle_ns : look_again_ns * world_.between(1, 10);
  world_.after(pause, [this, look = ++look_] {
    if (look == look_) run();
  });
}

void Agent::connect(const client::Action& action) {
  const std::uint64_t connection = ++connection_;
  world_.after(delay(), [this, connection, epoch = action.epoch] {
    if (connection != connection_) return;
    if (!node_.alive() || world_.chance(chances_.lost)) return cut();
    connected_ = true;
    stream_->connected(node_.hello(epoch));
  });
}

void Agent::cut() {
  ++connection_;
  connected_ = false;
  stream_->connection_lost(world_.clock.boot_ns());
}

void Agent::send_batch(const client::Action& action) {
  auto bytes = std::make_shared<Bytes>();
  wire::BatchHeader header = action.header;
  header.sent_at_unix_ns = static_cast<std::uint64_t>(world_.clock.wall_ns());
  wire::append_header(*bytes, header);
  bytes->insert(bytes->end(), action.body->bytes.begin(), action.body->bytes.end());
  const auto arrive = [this, bytes, tag = action.body->tag, connection = connection_, life = life_] {
    if (!node_.alive()) return;
    node_.receive(*bytes, tag, [this, connection, life](const wire::Ack& ack) {
      if (world_.chance(chances_.lost)) return;
      world_.after(delay(), [this, connection, life, ack] {
        if (life == life_) answered(connection, ack);
      });
    });
  };
  if (!world_.chance(chances_.lost)) world_.after(delay(), arrive);
  if (world_.chance(chances_.doubled)) world_.after(delay(), arrive);
  if (world_.chance(chances_.late_copy)) world_.after(world_.between(ns_per_s, 10LL * 86'400 * ns_per_s), arrive);
  if (world_.chance(chances_.cut))
    world_.after(delay(), [this, connection = connection_] {
      if (connection == connection_ && connected_) cut();
    });
}

void Agent::answered(std::uint64_t connection, const wire::Ack& ack) {
  if (connection != connection_ || !connected_) return;
  stream_->acked(ack, world_.clock.boot_ns());
  take_settlements();
}

void Agent::take_settlements() {
  std::vector<client::Settlement> settled;
  stream_->take_settlements(settled);
  for (const client::Settlement& one : settled) {
    oracle_.settled(one.tag, one.fate);
    held_.erase(one.tag);
  }
}

}  // namespace nissa::simulation
