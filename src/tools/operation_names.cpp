#include "tools/operation_names.hpp"

#include "client/event_check.hpp"

#include <algorithm>
#include <boost/regex.hpp>
#include <stdexcept>

namespace nissa::tools {
namespace {

using client::longest_name;

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

// Of a document, a trace or a session: long, and not a word.
bool is_hexadecimal(std::string_view text) {
  if (text.size() < 16) return false;
  bool decimal = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) return false;
    decimal |= digit;
  }
  return decimal;
}

bool is_id(std::string_view text) { return is_number(text) || is_hexadecimal(text) || is_uuid(text); }

// Without the query; of a proxy's "http://host/path" (RFC 9112, 3.2.2) the path.
std::string_view path_of(std::string_view target) {
  std::string_view path = target.substr(0, target.find_first_of("?#"));
  const auto scheme = path.find("://");
  if (scheme == std::string_view::npos || path.starts_with('/')) return path;
  path.remove_prefix(scheme + 3);
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view("/") : path.substr(slash);
}

// At most `longest_name` bytes, and no half of a character at the end.
std::string cut(std::string name) {
  if (name.size() <= longest_name) return name;
  std::size_t size = longest_name;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;
  name.resize(size);
  return name;
}

void append_with_ids_hidden(std::string& out, std::string_view path) {
  while (!path.empty()) {
    const std::string_view whole = path.substr(0, path.find('/'));
    const std::string_view segment = whole.substr(0, whole.find(';'));
    out += is_id(segment) ? std::string_view(":id") : segment;
    path.remove_prefix(whole.size());
    if (path.empty()) break;
    out += '/';
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  }
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
  const std::string_view path = path_of(target);
  std::string name(method);
  name += ' ';
  if (!rules_.empty()) {
    name += path;
    for (const Rule& rule : rules_) {
      try {
        boost::smatch match;
        if (boost::regex_search(name, match, rule.pattern)) return cut(match.format(rule.name));
      } catch (const std::runtime_error&) {
        // The expression needs too long for this text: as if it was not found.
      }
    }
    name.resize(method.size() + 1);
  }
  append_with_ids_hidden(name, path);
  return cut(std::move(name));
}

}  // namespace nissa::tools
