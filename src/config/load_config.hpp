// nissa.toml → every room's options. docs/configuration.md has a row for each key; the tidy test compares.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "admin/options.hpp"
#include "base/log.hpp"
#include "config/toml_table.hpp"
#include "fold/options.hpp"
#include "ingest/options.hpp"
#include "journal/options.hpp"
#include "ledger/options.hpp"
#include "overload/options.hpp"
#include "slo/definition.hpp"

namespace nissa::config {

struct Config {
  std::string file;    // as it was named
  std::string sha256;  // of its bytes, hexadecimal
  std::string state_dir = "nissa-state";
  ingest::Options ingest;
  fold::Options fold;
  overload::Options overload;
  ledger::Options ledger;
  journal::Options journal;
  admin::Options admin;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::vector<slo::Definition> slos;  // in the order of the file
  Settings settings;                  // every key there is, but those of the SLOs
};

// All problems at once, each `file:line:column: what; what was expected`. `memory_limit`: in bytes, of which what is
// configured may be 80 %.
std::expected<Config, Problems> read_config(std::string_view text, const std::string& file, std::uint64_t memory_limit);
std::expected<Config, Problems> load_config(const std::string& file, std::uint64_t memory_limit);

}  // namespace nissa::config
