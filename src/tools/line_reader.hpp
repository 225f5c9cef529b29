// Lines from a descriptor: bounded, numbered, without their ends ("\n" or "\r\n"). The last one may lack its end.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace nissa::tools {

class LineReader {
 public:
  enum class Got : std::uint8_t {
    line,
    too_long,  // longer than the bound; it was skipped
    cut_off,   // `stop` came before its end was read; it is dropped, for what is missing may change its meaning
    end,
    broken,  // reading failed
    idle,    // nothing came for `idle_ms`
  };
  // The descriptor stays the caller's. Once `stop` is set nothing more is read: whole lines in hand come, then the end.
  // Whoever sets it must interrupt a read that waits.
  LineReader(int descriptor, const std::atomic<bool>& stop, std::size_t longest = 64 * 1024)
      : descriptor_(descriptor), stop_(stop), buffer_(longest + 2) {}
  // From now on next() comes back after so long without input; negative, as at first: it waits.
  void idle_after(int ms) { idle_ms_ = ms; }

  // Waits for input. The view lives until the next call.
  Got next(std::string_view& line);
  // Of the line told last; from 1.
  std::uint64_t number() const { return number_; }

 private:
  bool take_line(std::string_view& line);
  Got stopped();

  int descriptor_;
  const std::atomic<bool>& stop_;
  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;  // [begin_, end_) is unread
  std::size_t searched_ = 0;         // up to here there is no line's end
  std::uint64_t number_ = 0;
  bool skipping_ = false;  // the rest of a line that is too long
  bool at_end_ = false;
  int idle_ms_ = -1;
};

}  // namespace nissa::tools
