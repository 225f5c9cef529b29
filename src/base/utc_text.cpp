#include "base/utc_text.hpp"

#include <array>
#include <ctime>

namespace nissa {

std::string utc_text(UnixMs ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts)};
}

}  // namespace nissa
