// Two ends of a connection in memory, for the simulator and for tests: random pieces, delays, a bounded pipe, cuts.
// One thread (that of the HandLoop); everything random comes from one seed.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "async/byte_stream.hpp"
#include "async/timer.hpp"

namespace nissa::test {

struct LinkOptions {
  std::uint64_t seed = 1;
  std::size_t most_in_flight = 64 * 1024;  // bytes written and not read, each way: then a writer waits
  std::size_t longest_piece = 0;           // read_some yields 1 … this many bytes; 0: as many as fit
  std::int64_t least_delay_ns = 0;         // each write arrives this much later, in order
  std::int64_t most_delay_ns = 0;
};

// What happens to the connection between its ends.
class MemoryLink {
 public:
  virtual ~MemoryLink() = default;
  // The network goes away: what is under way is lost, both ends are `broken` now. A simulated kill.
  virtual void cut() = 0;
  // Nothing arrives any more, and nobody is told: an unplugged cable.
  virtual void stall() = 0;
  virtual void resume() = 0;
};

struct MemoryPair {
  std::shared_ptr<ByteStream> near;
  std::shared_ptr<ByteStream> far;
  std::shared_ptr<MemoryLink> link;
};

// The timers outlive the streams.
MemoryPair memory_pair(Timers& timers, LinkOptions options = {});

}  // namespace nissa::test
