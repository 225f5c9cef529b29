#include "config/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>

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
// As people write them elsewhere. MB is not MiB, but 5 % are nothing to stumble over where a limit is chosen.
constexpr std::array<std::pair<std::string_view, std::string_view>, 30> other_names{{
    {"m", "min"},    {"mins", "min"},  {"minute", "min"}, {"minutes", "min"}, {"sec", "s"},  {"secs", "s"},
    {"second", "s"}, {"seconds", "s"}, {"msec", "ms"},    {"usec", "us"},     {"µs", "us"},  {"hr", "h"},
    {"hrs", "h"},    {"hour", "h"},    {"hours", "h"},    {"day", "d"},       {"days", "d"}, {"b", "B"},
    {"byte", "B"},   {"bytes", "B"},   {"k", "KiB"},      {"K", "KiB"},       {"kB", "KiB"}, {"KB", "KiB"},
    {"M", "MiB"},    {"MB", "MiB"},    {"Mi", "MiB"},     {"G", "GiB"},       {"GB", "GiB"}, {"Gi", "GiB"},
}};
constexpr std::int64_t longest_ns = 100LL * 365 * 86'400 * 1'000'000'000;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;

struct Scale {
  std::span<const Unit> units;
  std::int64_t most;
  std::string_view gap;  // between number and unit
  std::string_view expected;
};
constexpr Scale durations{duration_units, longest_ns, "",
                          "a whole number and one of us, ms, s, min, h, d, for example \"30s\""};
constexpr Scale sizes{byte_units, most_bytes, " ",
                      "a whole number and one of B, KiB, MiB, GiB, for example \"64 MiB\""};

std::string format(std::int64_t value, std::span<const Unit> units, std::string_view gap) {
  for (const Unit& unit : units)
    if (value % unit.factor == 0 && (value != 0 || unit.factor == units.back().factor))
      return std::to_string(value / unit.factor) + std::string(gap) + std::string(unit.name);
  return std::to_string(value);
}

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

const Unit* find_unit(std::string_view name, std::span<const Unit> units) {
  const auto found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? nullptr : &*found;
}

// What is probably meant by a unit that is none.
const Unit* nearest_unit(std::string_view name, std::span<const Unit> units) {
  for (const auto& [other, meant] : other_names)
    if (other == name)
      if (const Unit* unit = find_unit(meant, units)) return unit;
  return nullptr;
}

// "0.5s" → "500ms", from 0 and ".5s"; empty where no whole number says the same.
std::string in_whole_numbers(std::int64_t number, std::string_view rest, const Scale& scale) {
  constexpr std::size_t most_decimals = 4;  // times the largest factor that is less than 2^63
  const std::string_view decimals = rest.substr(1, rest.find_first_not_of("0123456789", 1) - 1);
  const std::string_view name = without_blanks(rest.substr(1 + decimals.size()));
  const Unit* unit = find_unit(name, scale.units);
  if (unit == nullptr) unit = nearest_unit(name, scale.units);
  if (unit == nullptr || decimals.empty() || decimals.size() > most_decimals || number >= scale.most / unit->factor)
    return {};
  std::int64_t digits = 0, divisor = 1;
  for (const char digit : decimals) digits = digits * 10 + (digit - '0'), divisor *= 10;
  const std::int64_t value = number * unit->factor + digits * unit->factor / divisor;
  if (digits * unit->factor % divisor != 0 || value % scale.units.back().factor != 0) return {};
  return format(value, scale.units, scale.gap);
}

Result<std::int64_t> parse(std::string_view text, const Scale& scale) {
  const auto refuse = [&](std::string_view why, const std::string& hint = "") {
    return failure('"' + std::string(text) + "\" " + std::string(why) + "; expected " + std::string(scale.expected) +
                   hint);
  };
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return refuse("is too large");
  if (error != std::errc{} || number < 0) return refuse("does not begin with a whole number");
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with('.')) {
    const std::string same = in_whole_numbers(number, rest, scale);
    return refuse("is no whole number", same.empty() ? "" : "; write \"" + same + '"');
  }
  const std::string_view name = without_blanks(rest);
  if (const Unit* unit = find_unit(name, scale.units)) {
    if (number > scale.most / unit->factor) return refuse("is too large");
    return number * unit->factor;
  }
  if (name.empty()) return refuse("has no unit");
  const Unit* near = nearest_unit(name, scale.units);
  if (near == nullptr) return refuse("has an unknown unit");
  return refuse("has an unknown unit", "; did you mean \"" + std::to_string(number) + std::string(scale.gap) +
                                           std::string(near->name) + "\"?");
}

}  // namespace

Result<std::int64_t> parse_duration_ns(std::string_view text) { return parse(text, durations); }

Result<std::uint64_t> parse_bytes(std::string_view text) {
  auto bytes = parse(text, sizes);
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
