// What is logged while it lives: standard error goes to a file meanwhile. One at a time; not beside other threads that
// write there.
#pragma once
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "base/log.hpp"

namespace nissa::test {

class CapturedLog {
 public:
  CapturedLog() : file_(std::tmpfile()), before_(::dup(STDERR_FILENO)) {
    REQUIRE(file_ != nullptr);
    forget_log_rates();
    ::dup2(::fileno(file_), STDERR_FILENO);
  }
  ~CapturedLog() {
    give_back();
    std::fclose(file_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // Since the last call.
  std::string text() {
    std::string all;
    std::array<char, 4096> piece;
    for (ssize_t size = 1; size > 0; all.append(piece.data(), static_cast<std::size_t>(size))) {
      size = ::pread(::fileno(file_), piece.data(), piece.size(), read_);
      if (size <= 0) break;
      read_ += size;
    }
    return all;
  }
  void give_back() {
    if (before_ < 0) return;
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    before_ = -1;
  }

 private:
  std::FILE* file_;
  int before_;
  off_t read_ = 0;
};

}  // namespace nissa::test
