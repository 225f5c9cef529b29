#include "slo/period_text.hpp"

#include "slo/window.hpp"

namespace nissa::slo {

std::string period_text(std::int64_t ms) {
  if (ms % day_ms == 0) return std::to_string(ms / day_ms) + "d";
  if (ms % hour_ms == 0) return std::to_string(ms / hour_ms) + "h";
  if (ms % minute_ms == 0) return std::to_string(ms / minute_ms) + "min";
  return std::to_string(ms) + "ms";
}

}  // namespace nissa::slo
