#include "config/toml_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <limits>

#include "base/nearest_name.hpp"
#include "base/time_types.hpp"
#include "config/quantities.hpp"

namespace nissa::config {

struct TomlTable::Inside {
  std::shared_ptr<const toml::table> document;  // keeps the nodes alive
  const toml::table* table = nullptr;           // nullptr: absent, every key is
  std::string path;                             // "", "gate", "slo[2]"
  std::shared_ptr<const std::string> file;
  Problems* problems = nullptr;
  std::vector<std::string> read;

  const toml::node* find(std::string_view key) {
    if (std::find(read.begin(), read.end(), key) == read.end()) read.emplace_back(key);
    return table == nullptr ? nullptr : table->get(key);
  }
  std::string place_of(const toml::node* node) const {
    const auto& at = (node != nullptr ? node : static_cast<const toml::node*>(table))->source().begin;
    return *file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
  }
  std::string full_name(std::string_view key) const {
    return path.empty() ? std::string(key) : path + '.' + std::string(key);
  }
  void add(const toml::node* node, std::string_view key, const std::string& message) {
    problems->push_back(place_of(node) + ": " + full_name(key) + ": " + message);
  }
};

TomlTable::TomlTable(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
TomlTable::~TomlTable() = default;
TomlTable::TomlTable(TomlTable&&) noexcept = default;

TomlTable TomlTable::parse(std::string_view text, std::string file, Problems& problems) {
  auto inside = std::make_unique<Inside>();
  inside->file = std::make_shared<const std::string>(std::move(file));
  inside->problems = &problems;
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

bool TomlTable::text(std::string_view key, std::string& into) {
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

bool TomlTable::flag(std::string_view key, bool& into) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    inside_->add(node, key, "expected true or false");
    return false;
  }
  into = value->get();
  return true;
}

bool TomlTable::integer(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
  const toml::node* node = inside_->find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < least || value->get() > most) {
    inside_->add(node, key, "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return false;
  }
  into = value->get();
  return true;
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
  return quantity(key, [&](std::string_view given) -> std::string {
    const auto ns = parse_duration_ns(given);
    if (!ns) return ns.error().message;
    if (*ns < least || *ns > most)
      return '"' + std::string(given) + "\" is out of range; expected " + format_duration(least) + " to " +
             format_duration(most);
    into = *ns;
    return {};
  });
}

bool TomlTable::duration_ms(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
  std::int64_t ns = 0;
  if (!duration_ns(key, ns, least * ns_per_ms, most * ns_per_ms)) return false;
  if (ns % ns_per_ms != 0) {
    problem(key, "expected whole milliseconds");
    return false;
  }
  into = ns / ns_per_ms;
  return true;
}

bool TomlTable::bytes(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  return quantity(key, [&](std::string_view given) -> std::string {
    const auto size = parse_bytes(given);
    if (!size) return size.error().message;
    if (*size < least || *size > most)
      return '"' + std::string(given) + "\" is out of range; expected " + format_bytes(least) + " to " +
             format_bytes(most);
    into = *size;
    return {};
  });
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
  std::string given;
  if (!text(key, given)) return false;
  const auto found = std::find(allowed.begin(), allowed.end(), given);
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
    inner->read.clear();
    inner->path = inside_->full_name(key) + '[' + std::to_string(++number) + ']';
    inner->table = one.as_table();
    all.push_back(TomlTable(std::move(inner)));
  }
  return all;
}

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
                          ": unknown key " + inside_->full_name(given);
    if (const auto near = nearest_name(given, inside_->read); !near.empty())
      message += "; did you mean " + inside_->full_name(near) + '?';
    inside_->problems->push_back(std::move(message));
  }
}

}  // namespace nissa::config
