// The server refuses a class for now: it is told when that begins, by each reason once, and when it is over, rather
// than at each refusal. Over: something was counted since the last refusal, and no other came for over_after_ns. Pure;
// not synchronised. Bound: a bit a reason.
#pragma once
#include <bitset>
#include <optional>

#include "base/refusal.hpp"
#include "base/time_types.hpp"

namespace nissa::client {

class RefusalEpisode {
 public:
  static constexpr BootNs over_after_ns = 10 * ns_per_s;

  // True: to be told now.
  bool refused(Reason reason, BootNs now) {
    last_ = now;
    counted_since_ = false;
    const auto bit = static_cast<std::size_t>(reason);
    const bool is_new = !told_.test(bit);
    told_.set(bit);
    return is_new;
  }
  void counted() { counted_since_ = told_.any(); }
  // When it will be over, if nothing else is refused.
  std::optional<BootNs> over_at() const { return counted_since_ ? std::optional(last_ + over_after_ns) : std::nullopt; }
  // True: it is over; once.
  bool over(BootNs now) {
    if (!counted_since_ || now < last_ + over_after_ns) return false;
    *this = {};
    return true;
  }

 private:
  std::bitset<256> told_;
  BootNs last_ = 0;
  bool counted_since_ = false;
};

}  // namespace nissa::client
