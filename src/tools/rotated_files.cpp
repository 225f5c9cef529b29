#include "tools/rotated_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace nissa::tools {
namespace {

bool is_compressed(std::string_view name) {
  constexpr std::array<std::string_view, 7> ends{".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z"};
  return std::ranges::any_of(ends, [name](std::string_view end) { return name.ends_with(end); });
}

bool older(const Sibling& a, const Sibling& b) {
  if (a.facts.changed_ns != b.facts.changed_ns) return a.facts.changed_ns < b.facts.changed_ns;
  if (a.path.size() != b.path.size()) return a.path.size() > b.path.size();
  return a.path > b.path;
}

}  // namespace

std::vector<Sibling> siblings_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  std::vector<Sibling> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string other = at->path().filename().string();
    if (!other.starts_with(name) || other.size() < name.size() + 2) continue;
    if (other[name.size()] != '.' && other[name.size()] != '-') continue;
    Sibling sibling;
    sibling.path = slash == std::string::npos ? other : folder + other;
    const auto facts = facts_of(sibling.path);
    if (!facts || !facts->regular) continue;
    sibling.facts = *facts;
    sibling.compressed = is_compressed(other);
    const char first = other[name.size() + 1];
    sibling.numbered = first >= '0' && first <= '9';
    found.push_back(std::move(sibling));
  }
  std::ranges::sort(found, older);
  return found;
}

}  // namespace nissa::tools
