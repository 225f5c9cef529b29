#include "journal/state_files.hpp"

#include <algorithm>

#include "base/utc_text.hpp"

namespace nissa::journal {
namespace {

constexpr std::string_view head = "state-";
constexpr std::string_view tail = ".db";

}  // namespace

std::string database_name(std::uint64_t number) {
  return std::string(head).append(std::to_string(number)).append(tail);
}

std::optional<std::string> database_of(std::string_view name) {
  const auto dot = name.find(tail);
  if (!name.starts_with(head) || dot == name.npos || dot == head.size()) return std::nullopt;
  if (name.find_first_not_of("0123456789", head.size()) != dot) return std::nullopt;
  const auto end = dot + tail.size();
  if (std::ranges::find(database_tails, name.substr(end)) == database_tails.end()) return std::nullopt;
  return std::string(name.substr(0, end));
}

std::string time_name(UnixNs now) {
  std::string time = utc_text(now / ns_per_ms);
  std::erase(time, ':');
  return time + 'Z';
}

std::string numbered(int nth) { return nth == 1 ? "" : '-' + std::to_string(nth); }

}  // namespace nissa::journal
