// [[slo]] tables → definitions. docs/configuration.md has every key.
#pragma once
#include <vector>

#include "config/toml_table.hpp"
#include "slo/definition.hpp"

namespace nissa::config {

inline constexpr std::size_t most_slos = 10'000;

// In the order of the file. What is wrong goes to the table's problems.
std::vector<slo::Definition> read_slos(TomlTable& file);

}  // namespace nissa::config
