// A text as JSON has it.
#pragma once
#include <string>
#include <string_view>

namespace nissa {

// A JSON string, quotes included. A byte that is not UTF-8 becomes U+FFFD: readers refuse a document with it whole.
std::string json_quoted(std::string_view raw);

}  // namespace nissa
