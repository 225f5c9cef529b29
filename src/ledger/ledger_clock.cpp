#include "ledger/ledger_clock.hpp"

#include <algorithm>
#include <cstdlib>

namespace nissa::ledger {
namespace {

constexpr std::int64_t ppm = 1'000'000;

// So that no difference of two readings overflows: 1970 to 2116, and 73 years of boot clock.
constexpr UnixNs bounded_wall(UnixNs wall) { return std::clamp<UnixNs>(wall, 0, std::int64_t{1} << 62); }
constexpr BootNs bounded_boot(BootNs boot) { return std::clamp<BootNs>(boot, 0, std::int64_t{1} << 61); }

constexpr std::int64_t floor_ms(std::int64_t ns) { return ns / ns_per_ms - (ns % ns_per_ms < 0 ? 1 : 0); }

}  // namespace

std::string_view name_of(ClockHold hold) {
  switch (hold) {
    case ClockHold::none:
      return "none";
    case ClockHold::stepped_ahead:
      return "stepped_ahead";
    case ClockHold::stepped_back:
      return "stepped_back";
    case ClockHold::standing:
      return "standing";
  }
  return "none";
}

LedgerClock::LedgerClock(ClockOptions options, UnixMs last_ledger_ms, BootNs boot, UnixNs wall)
    : options_(options),
      boot_(bounded_boot(boot)),
      wall_offset_(bounded_wall(wall) - boot_),
      offset_(wall_offset_),
      last_ms_(std::max(last_ledger_ms, floor_ms(bounded_wall(wall)))) {}

ClockReading LedgerClock::read(BootNs boot, UnixNs wall) {
  const std::int64_t elapsed_ns = std::max<std::int64_t>(bounded_boot(boot) - boot_, 0);
  boot_ += elapsed_ns;
  wall_offset_ = bounded_wall(wall) - boot_;
  if (std::abs(wall_offset_ - offset_) <= options_.step_ms * ns_per_ms)
    follow(wall_offset_, elapsed_ns);
  else
    hold_or_adopt(wall_offset_);
  last_ms_ = std::max(last_ms_, floor_ms(boot_ + offset_));
  return reading();
}

ClockReading LedgerClock::reading() const {
  ClockReading told{.now_ms = last_ms_, .apart_ms = floor_ms(boot_ + wall_offset_) - last_ms_};
  if (stepped_)
    told.hold = wall_offset_ > offset_ ? ClockHold::stepped_ahead : ClockHold::stepped_back;
  else if (floor_ms(boot_ + offset_) < last_ms_)
    told.hold = ClockHold::standing;
  return told;
}

// Slower than time itself goes: so following a wall clock back never turns time back.
void LedgerClock::follow(std::int64_t offset_of_wall, std::int64_t elapsed_ns) {
  stepped_ = false;
  const std::int64_t most = elapsed_ns / ppm * options_.slew_ppm + elapsed_ns % ppm * options_.slew_ppm / ppm;
  offset_ += std::clamp(offset_of_wall - offset_, -most, most);
}

void LedgerClock::hold_or_adopt(std::int64_t offset_of_wall) {
  if (!stepped_ || std::abs(offset_of_wall - held_offset_) > options_.wobble_ms * ns_per_ms) {
    stepped_ = true;
    held_offset_ = offset_of_wall;
    held_since_ = boot_;
  } else if (boot_ - held_since_ >= options_.stable_ms * ns_per_ms) {
    accept();
  }
}

ClockAccepted LedgerClock::accept() {
  ClockAccepted accepted;
  if (stepped_) {
    accepted.moved_ms = (wall_offset_ - offset_) / ns_per_ms;
    offset_ = wall_offset_;
    stepped_ = false;
    last_ms_ = std::max(last_ms_, floor_ms(boot_ + offset_));
  }
  accepted.blind_ms = last_ms_ - floor_ms(boot_ + offset_);
  return accepted;
}

}  // namespace nissa::ledger
