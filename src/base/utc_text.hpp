// A time for people: "2026-11-28T16:17:34", in UTC, without what lies below a second and without the zone's Z.
#pragma once
#include <string>

#include "base/time_types.hpp"

namespace nissa {

// Of any time from 1970 on.
std::string utc_text(UnixMs ms);

}  // namespace nissa
