// How doctest shows a fault of JSON.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "wire/json_fault.hpp"

namespace nissa::wire {

inline doctest::String toString(const JsonFault& fault) {
  const std::string text = std::string(name_of(fault.reason)) + " at " + std::to_string(fault.offset) + " in '" +
                           fault.field + "': " + fault.message;
  return text.c_str();
}

}  // namespace nissa::wire
