#include "tools/line_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nissa::tools {

LineReader::Got LineReader::next(std::string_view& line) {
  for (;;) {
    while (take_line(line)) {
      if (skipping_) {
        skipping_ = false;
        continue;
      }
      ++number_;
      return Got::line;
    }
    if (at_end_) return Got::end;
    if (stop_) return stopped();
    if (begin_ == 0 && end_ == buffer_.size()) {
      const bool first = !skipping_;
      skipping_ = true;
      begin_ = end_ = searched_ = 0;
      if (!first) continue;
      ++number_;
      return Got::too_long;
    }
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      searched_ -= begin_;
      begin_ = 0;
    }
    if (idle_ms_ >= 0) {
      pollfd input{descriptor_, POLLIN, 0};
      if (poll(&input, 1, idle_ms_) == 0 && !stop_) return Got::idle;
    }
    const ssize_t got = read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (stop_ && got <= 0) return stopped();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Got::broken;
    at_end_ = got == 0;
    end_ += static_cast<std::size_t>(got);
  }
}

LineReader::Got LineReader::stopped() {
  at_end_ = true;
  const bool something = begin_ < end_ && !skipping_;
  begin_ = end_ = searched_ = 0;
  if (!something) return Got::end;
  ++number_;
  return Got::cut_off;
}

bool LineReader::take_line(std::string_view& line) {
  const void* found = std::memchr(buffer_.data() + searched_, '\n', end_ - searched_);
  if (found == nullptr) {
    searched_ = end_;
    if (!at_end_ || begin_ == end_) return false;
    line = as_text(ByteView(buffer_).subspan(begin_, end_ - begin_));
    begin_ = end_;
  } else {
    const auto at = static_cast<std::size_t>(static_cast<const Byte*>(found) - buffer_.data());
    line = as_text(ByteView(buffer_).subspan(begin_, at - begin_));
    begin_ = searched_ = at + 1;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

}  // namespace nissa::tools
