// How an event ended. Numbers as on the wire (nissa.v2.TelemetryEvent.Outcome).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace nissa::slo {

enum class Outcome : std::uint8_t { ok = 0, error = 1, timeout = 2, client_error = 3, cancelled = 4 };

inline constexpr std::array all_outcomes{Outcome::ok, Outcome::error, Outcome::timeout, Outcome::client_error,
                                         Outcome::cancelled};
inline constexpr std::size_t outcome_count = all_outcomes.size();

constexpr bool is_outcome(std::uint64_t number) { return number < outcome_count; }
constexpr std::size_t index_of(Outcome outcome) { return static_cast<std::size_t>(outcome); }

// As in the configuration: good = ["OK", "CLIENT_ERROR"].
constexpr std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "OK";
    case Outcome::error:
      return "ERROR";
    case Outcome::timeout:
      return "TIMEOUT";
    case Outcome::client_error:
      return "CLIENT_ERROR";
    case Outcome::cancelled:
      return "CANCELLED";
  }
  return "unknown";
}
constexpr std::optional<Outcome> outcome_named(std::string_view name) {
  for (const Outcome outcome : all_outcomes) {
    if (name_of(outcome) == name) return outcome;
  }
  return std::nullopt;
}

// A set of outcomes: bit i is the outcome with number i.
class OutcomeMask {
 public:
  constexpr OutcomeMask() = default;
  constexpr OutcomeMask(std::initializer_list<Outcome> outcomes) {
    for (const Outcome outcome : outcomes) add(outcome);
  }
  constexpr void add(Outcome outcome) { bits_ = static_cast<std::uint8_t>(bits_ | (1u << index_of(outcome))); }
  constexpr bool has(Outcome outcome) const { return ((bits_ >> index_of(outcome)) & 1u) != 0; }
  constexpr std::uint8_t bits() const { return bits_; }
  static constexpr OutcomeMask from_bits(std::uint8_t bits) {
    OutcomeMask mask;
    mask.bits_ = bits & ((1u << outcome_count) - 1);
    return mask;
  }
  constexpr bool operator==(const OutcomeMask&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace nissa::slo
