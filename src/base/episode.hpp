// Something that begins, lasts and ends, such as a full disk: so that the log tells the begin and the end, not each
// moment between. Pure; one strand or lock.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time_types.hpp"

namespace nissa {

class Episode {
 public:
  // True: it begins now. False: it was under way.
  bool begin(BootNs now) {
    if (since_) return false;
    since_ = now;
    return true;
  }
  // How long it was, in ms, if it was under way.
  std::optional<std::int64_t> end(BootNs now) {
    const auto since = std::exchange(since_, std::nullopt);
    if (!since) return std::nullopt;
    return (now - *since) / ns_per_ms;
  }

 private:
  std::optional<BootNs> since_;
};

}  // namespace nissa
