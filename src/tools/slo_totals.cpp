#include "tools/slo_totals.hpp"

#include <boost/json/parse.hpp>

namespace nissa::tools {
namespace {

namespace json = boost::json;

bool read_count(const json::object& from, std::string_view key, std::uint64_t& value) {
  const json::value* found = from.if_contains(key);
  if (found == nullptr) return false;
  if (const auto* number = found->if_uint64()) return value = *number, true;
  if (const auto* number = found->if_int64(); number != nullptr && *number >= 0)
    return value = static_cast<std::uint64_t>(*number), true;
  return false;
}

// Windows hold one another, so the one with most events is the longest.
bool read_windows(const json::object& slo, SloTotal& out) {
  const json::value* windows = slo.if_contains("windows");
  if (windows == nullptr || !windows->is_array()) return false;
  for (const json::value& window : windows->get_array()) {
    SloTotal one;
    if (!window.is_object() || !read_count(window.get_object(), "good", one.good) ||
        !read_count(window.get_object(), "total", one.total))
      return false;
    if (one.total >= out.total) out = one;
  }
  return true;
}

}  // namespace

Result<SloTotals> parse_slo_totals(std::string_view text) {
  boost::system::error_code error;
  const json::value page = json::parse(text, error);
  if (error) return failure("the list of SLOs is no JSON: " + error.message());
  const json::value* list = &page;
  if (page.is_object()) list = page.get_object().if_contains("slos");
  if (list == nullptr || !list->is_array()) return failure("the answer holds no list of SLOs");
  SloTotals totals;
  for (const json::value& slo : list->get_array()) {
    const json::value* name = slo.is_object() ? slo.get_object().if_contains("name") : nullptr;
    if (name == nullptr || !name->is_string()) return failure("an SLO without a name");
    const std::string key(name->get_string());
    if (!read_windows(slo.get_object(), totals[key]))
      return failure("SLO " + key + " has no windows with good and total");
  }
  return totals;
}

std::vector<std::string> differences(const std::vector<ExpectedSlo>& expected, const SloTotals& before,
                                     const SloTotals& after) {
  constexpr std::size_t most_lines = 10;
  std::vector<std::string> lines;
  std::size_t more = 0;
  const auto at = [](const SloTotals& totals, const std::string& name) {
    const auto found = totals.find(name);
    return found == totals.end() ? SloTotal() : found->second;
  };
  for (const ExpectedSlo& one : expected) {
    const SloTotal was = at(before, one.name), is = at(after, one.name);
    if (is.good - was.good == one.good && is.total - was.total == one.total) continue;
    if (lines.size() == most_lines) {
      ++more;
      continue;
    }
    lines.push_back(one.name + ": sent " + std::to_string(one.good) + " good of " + std::to_string(one.total) +
                    ", counted " + std::to_string(is.good - was.good) + " of " + std::to_string(is.total - was.total));
  }
  if (more > 0) lines.push_back("and " + std::to_string(more) + " more");
  return lines;
}

}  // namespace nissa::tools
