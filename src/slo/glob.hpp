// Patterns over names: `*` is any run of characters, also none; `?` is exactly one character (a UTF-8 code point, not a
// byte); all else is literal. No classes, no escapes.
#pragma once
#include <string_view>

namespace nissa::slo {

// At most |pattern| × |text| steps, no recursion, no allocation: a hostile pattern or name costs microseconds.
// Only the last `*` is ever retried: what an earlier one matched can stay as short as possible.
bool glob_matches(std::string_view pattern, std::string_view text);

// Matches itself and nothing else.
constexpr bool is_literal(std::string_view pattern) { return pattern.find_first_of("*?") == std::string_view::npos; }

}  // namespace nissa::slo
