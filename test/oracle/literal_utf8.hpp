// What base/utf8 must agree with.
#pragma once
#include <string_view>

namespace nissa::test {

// By decoding each code point and comparing with its shortest form.
bool literal_utf8(std::string_view text);

}  // namespace nissa::test
