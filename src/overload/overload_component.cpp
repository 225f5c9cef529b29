// The gate and the turns as others see them.
#include "overload/overload_component.hpp"

#include <utility>

#include "base/violation.hpp"
#include "overload/overload_inside.hpp"

namespace nissa::overload {

OverloadComponent::OverloadComponent(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                                     std::function<double()> random)
    : inside_(std::make_shared<OverloadInside>(loop, timers, clock, options, std::move(random))) {}

OverloadComponent::~OverloadComponent() {
  if (!inside_->idle()) violation("overload", "stopped, and with nobody waiting, before it ends");
}

std::optional<Refusal> OverloadComponent::refusal(Priority priority) { return inside_->refusal(priority); }

Admission OverloadComponent::bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes) {
  return inside_->bytes_or_refusal(priority, sender, bytes);
}

std::optional<Admission> OverloadComponent::try_bytes(Priority priority, SenderId sender, std::size_t bytes) {
  return inside_->try_bytes(priority, sender, bytes);
}

Task<Admission> OverloadComponent::async_bytes(Priority priority, SenderId sender, std::size_t bytes,
                                               std::size_t held) {
  const auto in = inside_;
  if (auto at_once = in->try_bytes(priority, sender, bytes)) co_return std::move(*at_once);
  const BytesAnswer answer = co_await park<BytesAnswer>([in, priority, sender, bytes, held](ParkedForBytes parked) {
    in->wait_for_bytes(std::move(parked), priority, sender, bytes, held);
  });
  if (!answer.holding) co_return std::unexpected(answer.refusal);
  co_return Reservation(in, *answer.holding);
}

Task<Turn> OverloadComponent::async_turn(Priority priority, std::size_t bytes) {
  return park<Turn>(
      [in = inside_, priority, bytes](ParkedForTurn parked) { in->wait_for_turn(std::move(parked), priority, bytes); });
}

std::int64_t OverloadComponent::oldest_wait_ns() const { return inside_->oldest_wait_ns(); }
const Counters& OverloadComponent::counters() const { return inside_->counters; }

Task<void> OverloadComponent::async_stop() {
  const auto in = inside_;
  in->stop();
  while (!in->idle()) co_await yield_turn();
}

}  // namespace nissa::overload
