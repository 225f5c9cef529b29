// A connection is opened while its owner may be told to stop: then the attempt is left to itself.
#pragma once
#include <memory>
#include <optional>

#include "client/connection.hpp"

namespace nissa {
class Parking;
}  // namespace nissa

namespace nissa::client {

// Awaited on `strand`, which guards `idle` and `stop_by`; both, and the timers, outlive the call. `connector` is
// copied, for the attempt may go on beyond it. Fails in the connector's words, or when `stop_by` has come first;
// whoever sets that wakes `idle`.
Task<Result<std::shared_ptr<ByteStream>>> connect_or_stop(const Strand& strand, Timers& timers, Connector connector,
                                                          BootNs deadline, Parking& idle,
                                                          const std::optional<BootNs>& stop_by);

}  // namespace nissa::client
