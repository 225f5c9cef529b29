// How doctest shows the values of src/wire.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "wire/malformed.hpp"

namespace nissa::wire {

inline doctest::String toString(const Malformed& malformed) {
  const std::string text = std::string(name_of(malformed.reason)) + " at " + std::to_string(malformed.offset) +
                           " in '" + malformed.field + "'";
  return text.c_str();
}

}  // namespace nissa::wire
