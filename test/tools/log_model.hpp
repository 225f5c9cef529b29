// A log as its writer, logrotate and an operator treat it, and which lines each of them may have destroyed before
// anyone could read them. Every line bears a number; each file is a real one in a folder of its own.
#pragma once
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/temp_dir.hpp"

namespace nissa::tools::test {

class LogModel {
 public:
  // `kept`: so many rotated files stay.
  LogModel(std::mt19937_64& random, int kept) : random_(random), kept_(kept) { open_new(); }

  std::string path() const { return dir / "app.log"; }
  std::uint64_t written() const { return last_; }
  // Lines that were in a file when it was deleted, compressed, or truncated without a copy.
  const std::set<std::uint64_t>& destroyed() const { return destroyed_; }

  void append(std::uint64_t lines) {
    std::string text = std::exchange(unfinished_, {});
    for (; lines > 0; --lines) {
      text += line(++last_);
      in_[current_].push_back(last_);
      if (random_() % 20 == 0) text += "\n";
      if (random_() % 50 == 0) text += "rubbish\n";
    }
    write(current_, text);
  }
  // Nobody can know of lines that came and went between two looks.
  void look() { seen_ = in_[current_].size() > 0; }
  bool was_seen() const { return seen_; }
  bool hidden() const { return hidden_; }
  // The first half of a line; the rest comes with the next append.
  void append_half() {
    if (!unfinished_.empty()) return;
    const std::string whole = line(++last_);
    in_[current_].push_back(last_);
    const std::size_t cut = 1 + random_() % (whole.size() - 1);
    write(current_, whole.substr(0, cut));
    unfinished_ = whole.substr(cut);
  }
  // FILE → FILE.1 → FILE.2 …; the writer goes on in the old file until it is told.
  void rename_away() {
    if (names_[current_] != path()) reopen();
    shift();
    std::filesystem::rename(path(), path() + ".1");
    names_[current_] = path() + ".1";
  }
  void rotate_after(std::uint64_t lines) {
    append(lines);
    rename_away();
    reopen();
  }
  // The writer opens the file anew: as nginx does on USR1.
  void reopen() {
    append(0);  // whole lines, as writers do
    if (names_[current_] != path()) open_new();
  }
  void copy_and_truncate() {
    append(0);
    if (names_[current_] != path()) reopen();
    shift();
    std::filesystem::copy_file(path(), path() + ".1");
    const int copy = next_file_++;
    in_[copy] = in_[current_];
    REQUIRE(truncate(path().c_str(), 0) == 0);
    in_[current_].clear();
    names_[copy] = path() + ".1";
  }
  void truncate_only() {
    append(0);
    if (names_[current_] != path()) reopen();
    REQUIRE(truncate(path().c_str(), 0) == 0);
    destroy(current_);
    hidden_ = true;
  }
  // FILE.2 and above become FILE.2.gz: something else, with the same time.
  void compress() {
    for (int n = 2; n <= kept_; ++n) {
      const std::string name = path() + "." + std::to_string(n);
      if (!std::filesystem::exists(name) || names_[current_] == name) continue;
      const auto time = std::filesystem::last_write_time(name);
      std::ofstream(name + ".gz") << "something else " << random_();
      std::filesystem::last_write_time(name + ".gz", time);
      remove(name);
      hidden_ = true;
      return;
    }
  }

 private:
  std::string line(std::uint64_t number) {
    return R"({"service": "s", "request_id": ")" + std::to_string(number) + R"(", "operation": ")" +
           std::string(random_() % 60, 'x') + "\"}\n";
  }
  void open_new() {
    current_ = next_file_++;
    std::ofstream(path(), std::ios::app);
    names_[current_] = path();
  }
  void write(int file, const std::string& text) {
    if (text.empty()) return;
    std::ofstream out(names_[file], std::ios::app);
    out << text;
    REQUIRE(out.flush().good());
  }
  void shift() {
    for (const std::string end : {"", ".gz"})
      if (const std::string last = path() + "." + std::to_string(kept_) + end; std::filesystem::exists(last))
        remove(last);
    for (int n = kept_ - 1; n >= 1; --n) {
      for (const std::string end : {"", ".gz"}) {
        const std::string from = path() + "." + std::to_string(n) + end,
                          to = path() + "." + std::to_string(n + 1) + end;
        if (std::filesystem::exists(from)) std::filesystem::rename(from, to);
        for (auto& [file, name] : names_)
          if (name == from) name = to;
      }
    }
  }
  void remove(const std::string& name) {
    std::filesystem::remove(name);
    for (const auto& [file, its_name] : names_)
      if (its_name == name) destroy(file);
    std::erase_if(names_, [&](const auto& one) { return one.second == name; });
  }
  void destroy(int file) {
    destroyed_.insert(in_[file].begin(), in_[file].end());
    in_[file].clear();
  }

  std::mt19937_64& random_;
  const int kept_;

 public:
  nissa::test::TempDir dir;

 private:
  int current_ = 0, next_file_ = 0;
  std::map<int, std::string> names_;
  std::map<int, std::vector<std::uint64_t>> in_;
  std::set<std::uint64_t> destroyed_;
  std::uint64_t last_ = 0;
  bool seen_ = false;
  bool hidden_ = false;
  std::string unfinished_;
};

}  // namespace nissa::tools::test
