// What an operation is called: of bounded variety, or each item would be a series of its own.
// By default method and path without the query, segments that are numbers or UUIDs as ":id":
//     GET /users/4711/orders?page=2  →  GET /users/:id/orders
// Rules "REGEX=NAME" come first: the first whose regular expression (Perl's syntax) is found in "METHOD /path" gives
// the name; $1 … $9 in it stand for its groups. Pure; a rule costs about a microsecond.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace nissa::tools {

class OperationNames {
 public:
  OperationNames();
  ~OperationNames();
  OperationNames(OperationNames&&) noexcept;
  OperationNames& operator=(OperationNames&&) noexcept;

  // "REGEX=NAME": split at the last '='. Fails if it is not well-formed.
  Status add_rule(std::string_view rule);
  // At most 256 bytes.
  std::string name(std::string_view method, std::string_view target) const;

 private:
  struct Rule;
  std::vector<Rule> rules_;
};

}  // namespace nissa::tools
