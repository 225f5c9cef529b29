// The objective of an SLO as an exact decimal. Never a double: 1 - 0.999 is 0.0010000000000000009.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace nissa::slo {

// 100 % in the unit of all comparisons: a percent has six decimals.
inline constexpr std::uint64_t objective_scale = 100'000'000;

class Objective {
 public:
  // "99.9", "99.9%", "99.95 %" → 99 900 000 of 10^8, exactly. More than 0 and less than 100 %, at most six decimals;
  // else an error that says what was expected. 100 % is refused: it leaves no budget, and every rate against it is
  // infinite.
  static Result<Objective> parse(std::string_view text);
  // From the journal: 1 to 99 999 999.
  static Result<Objective> from_parts(std::uint64_t parts);

  Objective() = default;
  std::uint64_t parts() const { return parts_; }                           // of objective_scale
  std::uint64_t budget_parts() const { return objective_scale - parts_; }  // never 0
  // The shortest decimal of percent, without the sign: "99.9". parse(to_string()) is the same objective.
  std::string to_string() const;
  double ratio() const { return static_cast<double>(parts_) / static_cast<double>(objective_scale); }  // display only
  bool operator==(const Objective&) const = default;

 private:
  explicit Objective(std::uint64_t parts) : parts_(parts) {}
  std::uint64_t parts_ = 99'900'000;
};

}  // namespace nissa::slo
