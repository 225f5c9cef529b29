#include "client/connect_attempt.hpp"

#include <utility>

#include "async/byte_stream.hpp"
#include "async/parking.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"

namespace nissa::client {
namespace {

// One attempt to connect, shared by who makes it and who waits for it, for neither need outlive the other.
struct Attempt {
  std::optional<Result<std::shared_ptr<ByteStream>>> result;
  Parking* waiting = nullptr;  // to be told; none once nobody waits

  void done(Result<std::shared_ptr<ByteStream>> how) {
    if (waiting == nullptr) {
      if (how) (*how)->close();
      return;
    }
    result.emplace(std::move(how));
    waiting->wake_all();
  }
};

// All by value: the connection may be gone before it ends.
Task<void> attempt_to_connect(Strand strand, Connector connector, BootNs deadline, std::shared_ptr<Attempt> attempt) {
  strand.entered();
  auto opened = co_await connector(deadline);
  strand.entered();
  attempt->done(std::move(opened));
}

}  // namespace

Task<Result<std::shared_ptr<ByteStream>>> connect_or_stop(const Strand& strand, Timers& timers, Connector connector,
                                                          BootNs deadline, Parking& idle,
                                                          const std::optional<BootNs>& stop_by) {
  strand.entered();
  const auto attempt = std::make_shared<Attempt>();
  attempt->waiting = &idle;
  spawn_on(strand, attempt_to_connect(strand, std::move(connector), deadline, attempt));
  bool cancelled = false;
  while (!attempt->result && !cancelled) {
    if (stop_by && timers.now() >= *stop_by) break;
    const BootNs until = stop_by ? *stop_by : timers.now() + 3'600 * ns_per_s;
    cancelled = co_await idle.park_until(timers, until) == Woken::cancelled;
  }
  attempt->waiting = nullptr;
  if (!attempt->result) co_return failure("the time to stop came before the connection");
  co_return std::move(*attempt->result);
}

}  // namespace nissa::client
