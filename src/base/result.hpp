// Errors are values. The message is for a stranger: what was wrong, where, what was expected.
#pragma once
#include <expected>
#include <string>
#include <utility>

namespace nissa {

struct Error {
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> failure(std::string message) { return std::unexpected(Error{std::move(message)}); }

}  // namespace nissa
