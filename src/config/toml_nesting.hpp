// How deep a TOML document is nested, told before it is parsed: the parser calls itself for each level, and so does
// the end of what it made, so some 50 000 brackets or dots would end the process. Pure; one pass; no recursion.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace nissa::config {

// Brackets and braces within each other, and parts of one dotted key. Nissa's own files need three.
inline constexpr std::size_t most_nested = 16;

struct DeepNesting {
  std::size_t line = 1;
  std::size_t column = 1;  // in characters
  const char* what = "";   // of which there are too many
};
// The first place that is deeper than most_nested. Strings and comments are passed over. A document that is not TOML
// may be told too deep where it is not: it would not parse either.
std::optional<DeepNesting> find_deep_nesting(std::string_view text);

}  // namespace nissa::config
