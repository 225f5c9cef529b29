#include "support/metrics_text.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>

namespace nissa::test {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string_view cut_to(std::string_view& rest, char at) {
  const std::string_view part = rest.substr(0, rest.find(at));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

// name="value"[,name="value"...]} : from behind the opening brace; what follows the closing one is left in `rest`.
bool skip_labels(std::string_view& rest) {
  for (;;) {
    if (!is_name(cut_to(rest, '='))) return false;
    if (rest.empty() || rest.front() != '"') return false;
    std::size_t i = 1;
    for (; i < rest.size() && rest[i] != '"'; ++i)
      if (rest[i] == '\\' && (++i >= rest.size() || std::string_view("\\\"n").find(rest[i]) == std::string_view::npos))
        return false;
    if (i + 1 >= rest.size()) return false;
    const char after = rest[i + 1];
    rest.remove_prefix(i + 2);
    if (after == '}') return true;
    if (after != ',') return false;
  }
}

struct Reader {
  MetricsText text;
  std::string current;  // the family whose lines are being read

  void problem(std::string_view what, std::string_view line) {
    text.problems.push_back(std::string(what) + ": " + std::string(line));
  }

  void comment(std::string_view line) {
    std::string_view rest = line.substr(2);
    const std::string_view keyword = cut_to(rest, ' ');
    const std::string name(cut_to(rest, ' '));
    MetricsText::Family& family = text.families[name];
    if (keyword == "HELP") {
      if (!family.help.empty()) problem("a family's lines stand together, after one HELP", line);
      family.help = rest;
      current = name;
    } else if (keyword == "TYPE") {
      if (current != name || !family.type.empty()) problem("TYPE follows HELP, once", line);
      family.type = rest;
      if (rest != "counter" && rest != "gauge" && rest != "histogram") problem("an unknown type", line);
      if ((rest == "counter") != name.ends_with("_total")) problem("counters, and nothing else, end in _total", line);
    } else {
      problem("a comment is HELP or TYPE", line);
    }
  }

  void sample(std::string_view line) {
    std::string_view rest = line;
    const std::size_t name_end = line.find_first_of("{ ");
    if (name_end == std::string_view::npos) return problem("a sample has a value", line);
    const std::string_view name = line.substr(0, name_end);
    rest.remove_prefix(name_end + 1);
    if (!is_name(name)) problem("a metric has a name", line);
    if (line[name_end] == '{') {
      if (!skip_labels(rest)) return problem("labels are name=\"value\"", line);
      if (rest.empty() || rest.front() != ' ') return problem("a space stands before the value", line);
      rest.remove_prefix(1);
    }
    MetricsText::Family& family = text.families[current];
    const bool part = family.type == "histogram" && name.starts_with(current) &&
                      (name == current + "_bucket" || name == current + "_sum" || name == current + "_count");
    if (name != current && !part) problem("samples stand below the HELP of their family", line);
    const std::string value(rest);
    char* end = nullptr;
    const double parsed = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') problem("a value is a number", line);
    if (!family.samples.emplace(line.substr(0, line.size() - rest.size() - 1), parsed).second)
      problem("a series stands there once", line);
  }
};

}  // namespace

bool MetricsText::has(const std::string& sample) const {
  return std::ranges::any_of(families, [&](const auto& one) { return one.second.samples.contains(sample); });
}

double MetricsText::value(const std::string& sample) const {
  for (const auto& [name, family] : families)
    if (const auto found = family.samples.find(sample); found != family.samples.end()) return found->second;
  return std::numeric_limits<double>::quiet_NaN();
}

double MetricsText::sum(const std::string& family, const std::vector<std::string>& parts) const {
  double sum = 0;
  const auto found = families.find(family);
  if (found == families.end()) return sum;
  for (const auto& [line, value] : found->second.samples)
    if (std::ranges::all_of(parts, [&](const auto& part) { return line.find(part) != line.npos; })) sum += value;
  return sum;
}

MetricsText read_metrics(std::string_view text) {
  Reader reader;
  if (!text.empty() && text.back() != '\n') reader.problem("the last line ends with a line feed", text.substr(0, 80));
  while (!text.empty()) {
    const std::string_view line = cut_to(text, '\n');
    if (line.starts_with("# ")) {
      reader.comment(line);
    } else {
      reader.sample(line);
    }
  }
  return std::move(reader.text);
}

}  // namespace nissa::test
