#include "net/http_routes.hpp"

#include "async/coroutine.hpp"

namespace nissa::net {
namespace {

std::string_view next_segment(std::string_view& rest) {
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
  return segment;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool segment_fits(std::string_view pattern, std::string_view raw, Parameters& parameters) {
  auto value = percent_decoded(raw);
  if (!value) return false;
  if (pattern.size() < 2 || pattern.front() != '{' || pattern.back() != '}') return *value == pattern;
  if (value->empty()) return false;
  parameters.emplace_back(pattern.substr(1, pattern.size() - 2), std::move(*value));
  return true;
}

// "{name...}" → "name"; empty where the pattern does not take the rest of the path.
std::string_view name_of_rest(std::string_view pattern) {
  constexpr std::string_view end = "...}";
  if (!pattern.starts_with('{') || !pattern.ends_with(end) || pattern.find('/') != pattern.npos) return {};
  return pattern.substr(1, pattern.size() - 1 - end.size());
}

bool rest_fits(std::string_view name, std::string_view raw, Parameters& parameters) {
  auto value = percent_decoded(raw);
  if (!value || value->empty()) return false;
  parameters.emplace_back(name, std::move(*value));
  return true;
}

bool path_fits(std::string_view pattern, std::string_view path, Parameters& parameters) {
  if (path.empty() || path.front() != '/') return false;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  for (;;) {
    if (const auto rest = name_of_rest(pattern); !rest.empty()) return rest_fits(rest, path, parameters);
    const bool pattern_goes_on = pattern.find('/') != std::string_view::npos;
    const bool path_goes_on = path.find('/') != std::string_view::npos;
    if (pattern_goes_on != path_goes_on) return false;
    if (!segment_fits(next_segment(pattern), next_segment(path), parameters)) return false;
    if (!pattern_goes_on) return true;
  }
}

}  // namespace

RouteMatch match_route(const std::vector<HttpRoute>& routes, std::string_view method, std::string_view raw_path) {
  RouteMatch match;
  for (const HttpRoute& route : routes) {
    Parameters parameters;
    if (!path_fits(route.pattern, raw_path, parameters)) continue;
    if (route.method == method || (route.method == "GET" && method == "HEAD"))
      return {.route = &route, .parameters = std::move(parameters), .allow = {}};
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return match;
}

}  // namespace nissa::net
