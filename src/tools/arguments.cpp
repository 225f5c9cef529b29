#include "tools/arguments.hpp"

#include <charconv>

namespace nissa::tools {
namespace {

bool is_name(std::string_view text) { return text.size() > 2 && text.starts_with("--"); }

bool parse(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Arguments::Arguments(std::span<const char* const> given) {
  for (const std::string_view one : given) {
    if (is_name(one)) {
      const auto equals = one.find('=');
      if (equals == std::string_view::npos)
        given_.push_back({one, {}, false, false});
      else
        given_.push_back({one.substr(0, equals), one.substr(equals + 1), true, false});
    } else if (!given_.empty() && !given_.back().has_value) {
      given_.back().value = one;
      given_.back().has_value = true;
    } else if (one == "-") {
      given_.push_back({one, {}, false, false});
    } else {
      problem("'" + std::string(one) + "' stands alone; expected --name VALUE");
    }
  }
}

Arguments::Given* Arguments::find(std::string_view name) {
  Given* last = nullptr;
  for (Given& one : given_) {
    if (one.name != name) continue;
    one.asked = true;
    last = &one;
  }
  return last;
}

std::string_view Arguments::value_of(Given& given) {
  if (!given.has_value) problem(std::string(given.name) + ": a value is missing");
  return given.value;
}

bool Arguments::flag(std::string_view name) {
  Given* given = find(name);
  if (given != nullptr && given->has_value)
    problem(std::string(name) + " takes no value, but '" + std::string(given->value) + "' follows");
  return given != nullptr;
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) {
  Given* given = find(name);
  return std::string(given == nullptr ? otherwise : value_of(*given));
}

std::vector<std::string> Arguments::texts(std::string_view name) {
  std::vector<std::string> all;
  for (Given& one : given_) {
    if (one.name != name) continue;
    one.asked = true;
    all.emplace_back(value_of(one));
  }
  return all;
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                std::uint64_t most) {
  Given* given = find(name);
  if (given == nullptr) return otherwise;
  std::uint64_t value = 0;
  if (parse(value_of(*given), value) && value >= least && value <= most) return value;
  if (given->has_value)
    problem(std::string(name) + ": '" + std::string(given->value) + "' is no number from " + std::to_string(least) +
            " to " + std::to_string(most));
  return otherwise;
}

std::size_t Arguments::choice(std::string_view name, std::span<const std::string_view> choices, std::size_t otherwise) {
  Given* given = find(name);
  if (given == nullptr) return otherwise;
  const std::string_view value = value_of(*given);
  std::string all;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == value) return i;
    all += (i == 0 ? "" : ", ") + std::string(choices[i]);
  }
  if (given->has_value) problem(std::string(name) + ": '" + std::string(value) + "' is none of " + all);
  return otherwise;
}

void Arguments::host_port(std::string_view name, std::string& host, std::uint16_t& port) {
  Given* given = find(name);
  if (given == nullptr) return;
  const std::string_view value = value_of(*given);
  const auto colon = value.rfind(':');
  std::uint64_t number = 0;
  std::string_view before = value.substr(0, std::min(colon, value.size()));
  if (before.starts_with('[') && before.ends_with(']')) before = before.substr(1, before.size() - 2);
  if (colon == std::string_view::npos || before.empty() || !parse(value.substr(colon + 1), number) || number == 0 ||
      number > 65'535) {
    if (given->has_value)
      problem(std::string(name) + ": '" + std::string(value) + "' is not host:port, for example 127.0.0.1:7440");
    return;
  }
  host = before;
  port = static_cast<std::uint16_t>(number);
}

std::vector<std::string> Arguments::problems() {
  for (const Given& one : given_)
    if (!one.asked) problem(std::string(one.name) + " is unknown; --help lists what there is");
  return std::move(problems_);
}

}  // namespace nissa::tools
