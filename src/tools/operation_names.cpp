#include "tools/operation_names.hpp"

#include <algorithm>
#include <boost/regex.hpp>
#include <stdexcept>

namespace nissa::tools {
namespace {

constexpr std::size_t longest_name = 256;

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9562's text form: 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

// At most `longest_name` bytes, and no half of a character at the end.
std::string cut(std::string name) {
  if (name.size() <= longest_name) return name;
  std::size_t size = longest_name;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;
  name.resize(size);
  return name;
}

std::string with_ids_hidden(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    out += is_number(segment) || is_uuid(segment) ? std::string_view(":id") : segment;
    path.remove_prefix(segment.size());
    if (path.empty()) break;
    out += '/';
    path.remove_prefix(1);
  }
  return out;
}

}  // namespace

struct OperationNames::Rule {
  boost::regex pattern;
  std::string name;
};

OperationNames::OperationNames() = default;
OperationNames::~OperationNames() = default;
OperationNames::OperationNames(OperationNames&&) noexcept = default;
OperationNames& OperationNames::operator=(OperationNames&&) noexcept = default;

Status OperationNames::add_rule(std::string_view rule) {
  const auto equals = rule.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == rule.size())
    return failure("'" + std::string(rule) + "' is not REGEX=NAME");
  try {
    const std::string_view pattern = rule.substr(0, equals);
    rules_.push_back({boost::regex(pattern.begin(), pattern.end()), std::string(rule.substr(equals + 1))});
  } catch (const boost::regex_error& error) {
    return failure("'" + std::string(rule) + "': " + error.what());
  }
  return {};
}

std::string OperationNames::name(std::string_view method, std::string_view target) const {
  std::string plain(method);
  plain += ' ';
  plain += path_of(target);
  for (const Rule& rule : rules_) {
    try {
      boost::smatch match;
      if (boost::regex_search(plain, match, rule.pattern)) return cut(match.format(rule.name));
    } catch (const std::runtime_error&) {
      // The expression needs too long for this text: as if it was not found.
    }
  }
  return cut(std::string(method) + ' ' + with_ids_hidden(path_of(target)));
}

}  // namespace nissa::tools
