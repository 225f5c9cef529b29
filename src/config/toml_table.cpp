#include "config/toml_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <limits>

#include "base/nearest_name.hpp"
#include "base/time_types.hpp"
#include "config/quantities.hpp"
#include "config/toml_nesting.hpp"

namespace nissa::config {
namespace {

bool is_secret(std::string_view key) {
  return key.ends_with("token") || key.ends_with("secret") || key.ends_with("password");
}

// A basic string of TOML; with these escapes it is one of JSON, too.
std::string quoted(std::string_view raw) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (byte < 0x20 || byte == 0x7f)
      out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
    else
      out += c;
  }
  return out += '"';
}

constexpr std::string_view automatic = "auto";

// What is wrong with it, or nothing.
template <class Number, class Parse, class Format>
std::string read_within(std::string_view given, Number& into, Number least, Number most, Parse parse, Format format) {
  const Result<Number> number = parse(given);
  if (!number) return number.error().message;
  if (*number < least || *number > most)
    return '"' + std::string(given) + "\" is out of range; expected " + format(least) + " to " + format(most);
  into = *number;
  return {};
}
std::string read_bytes(std::string_view given, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  return read_within(given, into, least, most, parse_bytes, format_bytes);
}

}  // namespace

struct TomlTable::Inside {
  std::shared_ptr<const toml::table> document;  // keeps the nodes alive
  const toml::table* table = nullptr;           // nullptr: absent, every key is
  std::string path;                             // "", "gate", "slo[2]"
  std::string called;                           // " of checkout", or nothing
  std::shared_ptr<const std::string> file;
  Problems* problems = nullptr;
  Settings* settings = nullptr;  // nullptr: what is read here is not noted
  std::vector<std::string> read;

  const toml::node* find(std::string_view key) {
    if (std::find(read.begin(), read.end(), key) == read.end()) read.emplace_back(key);
    return table == nullptr ? nullptr : table->get(key);
  }
  void note(std::string_view key, std::string value) {
    if (settings == nullptr) return;
    if (is_secret(key)) value = quoted("(not shown)");
    settings->push_back({path, std::string(key), std::move(value), table != nullptr && table->contains(key)});
  }
  std::string place_of(const toml::node* node) const {
    const auto& at = (node != nullptr ? node : static_cast<const toml::node*>(table))->source().begin;
    return *file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
  }
  std::string full_name(std::string_view key) const {
    return path.empty() ? std::string(key) : path + '.' + std::string(key);
  }
  void add(const toml::node* node, std::string_view key, const std::string& message) {
    problems->push_back(place_of(node) + ": " + full_name(key) + called + ": " + message);
  }
};

TomlTable::TomlTable(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
TomlTable::~TomlTable() = default;
TomlTable::TomlTable(TomlTable&&) noexcept = default;

TomlTable TomlTable::parse(std::string_view text, std::string file, Problems& problems, Settings& settings) {
  auto inside = std::make_unique<Inside>();
  inside->file = std::make_shared<const std::string>(std::move(file));
  inside->problems = &problems;
  inside->settings = &settings;
  if (const auto deep = find_deep_nesting(text)) {  // the parser calls itself for each level
    problems.push_back(*inside->file + ':' + std::to_string(deep->line) + ':' + std::to_string(deep->column) +
                       ": nested too deeply; expected at most " + std::to_string(most_nested) + ' ' + deep->what);
    return TomlTable(std::move(inside));
  }
  try {  // Debian's library is built with exceptions: this one ends here
    auto document = std::make_shared<const toml::table>(toml::parse(text, *inside->file));
    inside->table = document.get();
    inside->document = std::move(document);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    problems.push_back(*inside->file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) +
                       ": not TOML: " + std::string(error.description()));
  }
  return TomlTable(std::move(inside));
}

bool TomlTable::read_text(std::string_view key, std::string& into) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_string();
  if (value == nullptr) {
    inside_->add(node, key, "expected a string in quotes");
    return false;
  }
  into = value->get();
  return true;
}

bool TomlTable::text(std::string_view key, std::string& into) {
  const bool set = read_text(key, into);
  inside_->note(key, quoted(into));
  return set;
}

bool TomlTable::flag(std::string_view key, bool& into) {
  const toml::node* node = inside_->find(key);
  const auto* value = node == nullptr ? nullptr : node->as_boolean();
  if (node != nullptr && value == nullptr) inside_->add(node, key, "expected true or false");
  if (value != nullptr) into = value->get();
  inside_->note(key, into ? "true" : "false");
  return value != nullptr;
}

bool TomlTable::integer(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
  const toml::node* node = inside_->find(key);
  const auto* value = node == nullptr ? nullptr : node->as_integer();
  const bool set = value != nullptr && value->get() >= least && value->get() <= most;
  if (node != nullptr && !set)
    inside_->add(node, key, "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  if (set) into = value->get();
  inside_->note(key, std::to_string(into));
  return set;
}

template <class Parse>
bool TomlTable::quantity(std::string_view key, const Parse& parse) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_string();
  const std::string message = value == nullptr ? "expected a string with a unit, in quotes" : parse(value->get());
  if (!message.empty()) inside_->add(node, key, message);
  return message.empty();
}

bool TomlTable::duration_ns(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
  const bool set = quantity(key, [&](std::string_view given) {
    return read_within(given, into, least, most, parse_duration_ns, format_duration);
  });
  inside_->note(key, quoted(format_duration(into)));
  return set;
}

bool TomlTable::duration_ms(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
  std::int64_t ns = into * ns_per_ms;
  if (!duration_ns(key, ns, least * ns_per_ms, most * ns_per_ms)) return false;
  if (ns % ns_per_ms != 0) {
    problem(key, "expected whole milliseconds");
    return false;
  }
  into = ns / ns_per_ms;
  return true;
}

bool TomlTable::bytes(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  const bool set = quantity(key, [&](std::string_view given) { return read_bytes(given, into, least, most); });
  inside_->note(key, quoted(format_bytes(into)));
  return set;
}

bool TomlTable::bytes_or_auto(std::string_view key, std::optional<std::uint64_t>& into, std::uint64_t least,
                              std::uint64_t most) {
  const bool set = quantity(key, [&](std::string_view given) {
    std::uint64_t size = 0;
    const std::string wrong = given == automatic ? std::string() : read_bytes(given, size, least, most);
    if (wrong.empty()) into = given == automatic ? std::nullopt : std::optional(size);
    return wrong;
  });
  inside_->note(key, quoted(into ? format_bytes(*into) : std::string(automatic)));
  return set;
}

bool TomlTable::texts(std::string_view key, std::vector<std::string>& into) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const toml::array* list = node->as_array();
  if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const auto& one) { return one.is_string(); })) {
    inside_->add(node, key, "expected a list of strings, for example [\"OK\"]");
    return false;
  }
  into.clear();
  for (const toml::node& one : *list) into.push_back(one.as_string()->get());
  return true;
}

bool TomlTable::entries(std::string_view key, std::vector<std::pair<std::string, std::string>>& into) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    inside_->add(node, key, "expected a table of strings, for example { region = \"eu-*\" }");
    return false;
  }
  into.clear();
  for (const auto& [name, value] : *table) {
    if (!value.is_string()) {
      inside_->add(&value, std::string(key) + '.' + std::string(name.str()), "expected a string in quotes");
      return false;
    }
    into.emplace_back(name.str(), value.as_string()->get());
  }
  return true;
}

bool TomlTable::choice(std::string_view key, std::size_t& into, const std::vector<std::string_view>& allowed) {
  std::string given(allowed[into]);
  const bool there = read_text(key, given);
  const auto found = std::find(allowed.begin(), allowed.end(), given);
  inside_->note(key, quoted(found == allowed.end() ? allowed[into] : *found));
  if (!there) return false;
  if (found == allowed.end()) {
    std::string message = '"' + given + "\" is none of";
    for (const std::string_view one : allowed) message += " \"" + std::string(one) + '"';
    if (const auto near = nearest_name(given, allowed); !near.empty())
      message += "; did you mean \"" + std::string(near) + "\"?";
    problem(key, message);
    return false;
  }
  into = static_cast<std::size_t>(found - allowed.begin());
  return true;
}

TomlTable TomlTable::section(std::string_view key) {
  const toml::node* node = inside_->find(key);
  auto inner = std::make_unique<Inside>(*inside_);
  inner->read.clear();
  inner->path = inside_->full_name(key);
  inner->table = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && inner->table == nullptr) inside_->add(node, key, "expected a table, [" + inner->path + "]");
  return TomlTable(std::move(inner));
}

std::vector<TomlTable> TomlTable::sections(std::string_view key) {
  std::vector<TomlTable> all;
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return all;
  const toml::array* list = node->as_array();
  if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const auto& one) { return one.is_table(); })) {
    inside_->add(node, key, "expected tables, each begun with [[" + inside_->full_name(key) + "]]");
    return all;
  }
  std::size_t number = 0;
  for (const toml::node& one : *list) {
    auto inner = std::make_unique<Inside>(*inside_);
    inner->settings = nullptr;
    inner->read.clear();
    inner->path = inside_->full_name(key) + '[' + std::to_string(++number) + ']';
    inner->table = one.as_table();
    all.push_back(TomlTable(std::move(inner)));
  }
  return all;
}

void TomlTable::call(std::string_view name) { inside_->called = " of " + std::string(name); }

bool TomlTable::has(std::string_view key) const { return inside_->table != nullptr && inside_->table->contains(key); }

void TomlTable::problem(std::string_view key, const std::string& message) {
  const toml::node* node = inside_->table == nullptr ? nullptr : inside_->table->get(key);
  if (node == nullptr && inside_->table == nullptr)
    inside_->problems->push_back(*inside_->file + ": " + inside_->full_name(key) + ": " + message);
  else
    inside_->add(node, key, message);
}

std::string TomlTable::place(std::string_view key) const {
  if (inside_->table == nullptr) return *inside_->file;
  return inside_->place_of(inside_->table->get(key));
}

void TomlTable::refuse_unknown_keys() {
  if (inside_->table == nullptr) return;
  for (const auto& [name, value] : *inside_->table) {
    const std::string_view given = name.str();
    if (std::find(inside_->read.begin(), inside_->read.end(), given) != inside_->read.end()) continue;
    const auto& at = name.source().begin;
    std::string message = *inside_->file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) +
                          ": unknown key " + inside_->full_name(given) + inside_->called;
    if (const auto near = nearest_name(given, inside_->read); !near.empty())
      message += "; did you mean " + inside_->full_name(near) + '?';
    inside_->problems->push_back(std::move(message));
  }
}

}  // namespace nissa::config
