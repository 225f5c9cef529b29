// Whatever has a name_of() prints itself in a failed check, instead of {?}.
#pragma once
#include <doctest/doctest.h>

#include <concepts>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nissa::test {
template <class T>
concept Named = std::is_enum_v<T> && requires(T value) {
  { name_of(value) } -> std::convertible_to<std::string_view>;
};
}  // namespace nissa::test

template <nissa::test::Named T>
struct doctest::StringMaker<T> {
  static String convert(T value) { return std::string(std::string_view(name_of(value))).c_str(); }
};

template <class T, class E>
struct doctest::StringMaker<std::expected<T, E>> {
  static String convert(const std::expected<T, E>& value) {
    if (!value) return String("failure: ") + toString(value.error());
    if constexpr (std::is_void_v<T>)
      return "success";
    else
      return toString(*value);
  }
};

template <class T>
struct doctest::StringMaker<std::vector<T>> {
  static String convert(const std::vector<T>& values) {
    String out = "[";
    for (const T& value : values) out += (&value == values.data() ? String() : String(", ")) + toString(value);
    return out + "]";
  }
};
