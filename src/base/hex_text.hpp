// An epoch, or the id or hash of a state, as people and programs compare it.
#pragma once
#include <cstdint>
#include <string>

namespace nissa {

// 16 hexadecimal digits, small letters, with zeros in front.
std::string hex_text(std::uint64_t number);

}  // namespace nissa
