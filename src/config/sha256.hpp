// SHA-256 (FIPS 180-4) of a text, so that an operator can hold what is running against `sha256sum nissa.toml`. For
// telling files apart, not for secrets. Pure; some 5 ns a byte.
#pragma once
#include <string>
#include <string_view>

namespace nissa::config {

std::string sha256_hex(std::string_view text);

}  // namespace nissa::config
