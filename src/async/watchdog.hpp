// Closes a stream on which nothing has moved in time: a header half sent, an idle connection, a reader that stands
// still. One timer a connection, put off lazily: moving the deadline further away, as every frame does, costs a mutex
// and no heap operation.
#pragma once
#include <memory>

#include "async/byte_stream.hpp"
#include "async/timer.hpp"

namespace nissa {

// Any thread. The timers outlive it.
class Watchdog {
 public:
  Watchdog(Timers& timers, std::shared_ptr<ByteStream> stream);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // From now on something is expected within `ns`; replaces what was expected before.
  void expect_within(std::int64_t ns);
  // Nothing is expected.
  void rest();
  // It closed the stream.
  bool has_bitten() const;

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace nissa
