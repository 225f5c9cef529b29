// What is allowed in a configuration and hardly meant. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace nissa::config {

struct Config;

struct Warning {
  static constexpr std::size_t whole_file = ~std::size_t{0};
  std::size_t slo = whole_file;  // its place in Config::slos
  std::string message;
};
// In the order of the file, those of the whole file last. Each SLO is held against those of its service and those with
// a glob for one: a second or two for ten thousand of the latter.
std::vector<Warning> warnings_of(const Config& config);

}  // namespace nissa::config
