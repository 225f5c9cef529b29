#include "config/quantities.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace nissa::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: format takes the first that divides.
constexpr std::array duration_units{
    Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"min", 60'000'000'000},
    Unit{"s", 1'000'000'000},      Unit{"ms", 1'000'000},        Unit{"us", 1'000},
};
constexpr std::array byte_units{
    Unit{"GiB", std::int64_t{1} << 30},
    Unit{"MiB", std::int64_t{1} << 20},
    Unit{"KiB", std::int64_t{1} << 10},
    Unit{"B", 1},
};
constexpr std::int64_t longest_ns = 100LL * 365 * 86'400 * 1'000'000'000;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;

Result<std::int64_t> parse(std::string_view text, std::span<const Unit> units, std::int64_t most,
                           std::string_view expected) {
  const auto refuse = [&](std::string_view why) {
    return failure('"' + std::string(text) + "\" " + std::string(why) + "; expected " + std::string(expected));
  };
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return refuse("is too large");
  if (error != std::errc{} || number < 0) return refuse("does not begin with a whole number");
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& one : units)
    if (one.name == unit) {
      if (number > most / one.factor) return refuse("is too large");
      return number * one.factor;
    }
  return refuse(unit.empty() ? "has no unit" : "has an unknown unit");
}

std::string format(std::int64_t value, std::span<const Unit> units, std::string_view gap) {
  for (const Unit& unit : units)
    if (value % unit.factor == 0 && (value != 0 || unit.factor == units.back().factor))
      return std::to_string(value / unit.factor) + std::string(gap) + std::string(unit.name);
  return std::to_string(value);
}

}  // namespace

Result<std::int64_t> parse_duration_ns(std::string_view text) {
  return parse(text, duration_units, longest_ns, "a whole number and one of us, ms, s, min, h, d, for example \"30s\"");
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  auto bytes =
      parse(text, byte_units, most_bytes, "a whole number and one of B, KiB, MiB, GiB, for example \"64 MiB\"");
  if (!bytes) return std::unexpected(bytes.error());
  return static_cast<std::uint64_t>(*bytes);
}

std::string format_duration(std::int64_t ns) { return format(ns, duration_units, ""); }
std::string format_bytes(std::uint64_t bytes) { return format(static_cast<std::int64_t>(bytes), byte_units, " "); }

std::string format_bytes_roughly(std::uint64_t bytes) {
  for (const Unit& unit : byte_units) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (bytes / factor >= 10 || factor == 1)
      return std::to_string(bytes / factor + (bytes % factor * 2 >= factor && factor > 1)) + ' ' +
             std::string(unit.name);
  }
  return {};
}

}  // namespace nissa::config
