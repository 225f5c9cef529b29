// Lines from a descriptor: bounded, numbered, without their ends ("\n" or "\r\n"). The last one may lack its end.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace nissa::tools {

class LineReader {
 public:
  enum class Got : std::uint8_t {
    line,
    too_long,     // longer than the bound; it was skipped
    interrupted,  // by a signal; ask again or leave
    end,
    broken,  // reading failed
  };
  // The descriptor stays the caller's.
  explicit LineReader(int descriptor, std::size_t longest = 64 * 1024)
      : descriptor_(descriptor), buffer_(longest + 2) {}

  // Waits for input. The view lives until the next call.
  Got next(std::string_view& line);
  // Of the line told last; from 1.
  std::uint64_t number() const { return number_; }

 private:
  bool take_line(std::string_view& line);

  int descriptor_;
  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;  // [begin_, end_) is unread
  std::size_t searched_ = 0;         // up to here there is no line's end
  std::uint64_t number_ = 0;
  bool skipping_ = false;  // the rest of a line that is too long
  bool at_end_ = false;
};

}  // namespace nissa::tools
