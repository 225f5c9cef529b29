// Numbers as JSON writes them: their grammar, and what they come to as a whole number or as a double. Pure.
#pragma once
#include <cstdint>
#include <string_view>

namespace nissa::wire {

struct JsonNumber {
  std::string_view text;
  std::uint64_t magnitude = 0;  // of one that is whole and fits
  bool negative = false;
  bool whole = false;  // written without fraction and exponent
  bool fits = false;   // 64 bits hold the magnitude
};

// Moves `at` behind the number that begins there, or to where it ceases to be one (false).
bool scan_number(const char*& at, const char* end, JsonNumber& number);
// What a number that is not whole by its spelling (1e3, 1.0, 2.50e1) comes to as a double; a value without a fraction
// and within 64 bits becomes whole. False otherwise.
bool make_whole(JsonNumber& number);
// The double next to `number`; false if it is beyond all of them.
bool to_double(const JsonNumber& number, double& value);

}  // namespace nissa::wire
