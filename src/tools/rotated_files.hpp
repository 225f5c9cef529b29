// What lies beside a log: the files that rotation made of it. FILE.1, FILE.2.gz, FILE-20250615 …
#pragma once
#include <string>
#include <vector>

#include "tools/followed_file.hpp"

namespace nissa::tools {

struct Sibling {
  std::string path;
  FileFacts facts;
  bool compressed = false;  // by its name
  bool numbered = false;    // what follows FILE and "." or "-" begins with a digit
};

// Regular files in the folder of `path` whose names begin with its name and "." or "-"; by the time of their last
// change, then FILE.2 before FILE.1. Empty if the folder cannot be read.
std::vector<Sibling> siblings_of(const std::string& path);

}  // namespace nissa::tools
