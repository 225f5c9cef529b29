// What an operation is called: of bounded variety, or each item would be a series of its own.
// By default method and path:
//     GET /users/4711//orders;v=1?page=2  →  GET /users/:id/orders
//   - without the query, the fragment, what follows a ';' in a segment, and scheme and host of a proxy's request;
//   - empty segments are left out, but for a slash at the end;
//   - segments that are numbers, UUIDs, or 16 or more hexadecimal digits with a decimal one among them are ":id".
// Nothing is decoded: %41 stays %41. There are as many names as the paths that clients ask for have other segments, so
// a path with words of the clients' own (/search/shoes, /files/NAME) needs a rule: what is unbounded here is unbounded
// in the server, which then forgets and matches anew what it knew by its bytes. Rules "REGEX=NAME" come first: the
// first whose regular expression (Perl's syntax) is found in "METHOD /path" gives the name; $1 … $9 in it stand for its
// groups. Pure; a rule costs about a microsecond.
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
