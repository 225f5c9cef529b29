#include "config/config_page.hpp"

#include <algorithm>

#include "admin/definition_text.hpp"
#include "base/json_quoted.hpp"
#include "config/load_config.hpp"

namespace nissa::config {
namespace {

// Values are JSON as they are.
void append_settings(std::string& out, const Settings& settings) {
  std::vector<std::string_view> sections;  // in the order of the file's description
  for (const Setting& one : settings)
    if (std::ranges::find(sections, one.section) == sections.end()) sections.push_back(one.section);
  const char* comma = "";
  for (const std::string_view section : sections) {
    if (!section.empty()) out.append(comma).append("\n").append(json_quoted(section)).append(":{");
    comma = "";
    for (const Setting& one : settings) {
      if (one.section != section) continue;
      out.append(comma).append(json_quoted(one.key)).append(":").append(one.value);
      comma = ",";
    }
    if (!section.empty()) out += '}';
    comma = ",";
  }
}

}  // namespace

std::string config_page(const Config& config, UnixMs loaded_ms) {
  std::string out = "{\"file\":" + json_quoted(config.file) + ",\"sha256\":" + json_quoted(config.sha256) +
                    ",\"loaded_ms\":" + std::to_string(loaded_ms) + ",\n\"settings\":{";
  append_settings(out, config.settings);
  out += "},\n\"given\":[";
  const char* comma = "";
  for (const Setting& one : config.settings) {
    if (!one.given) continue;
    out.append(comma).append(json_quoted((one.section.empty() ? "" : one.section + '.') + one.key));
    comma = ",";
  }
  out += "],\n\"slos\":[";
  comma = "\n";
  for (const slo::Definition& one : config.slos) {
    out += comma;
    out += '{';
    admin::append_definition(out, one);
    out += '}';
    comma = ",\n";
  }
  return out + "\n]}\n";
}

}  // namespace nissa::config
