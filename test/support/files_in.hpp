// The files of a state as bytes by name: to alter them, to put them back, and to see that nothing changed.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace nissa::test {

using Files = std::map<std::string, std::string>;

// Empty where there is none.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// All but the lock, and no folders.
inline Files read_files(const std::filesystem::path& directory) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().filename() != "lock" && !entry.is_directory())
      files[entry.path().filename()] = read_file(entry.path());
  return files;
}

// These and no others.
inline void write_files(const std::filesystem::path& directory, const Files& files) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  for (const auto& [name, bytes] : files) std::ofstream(directory / name, std::ios::binary) << bytes;
}

}  // namespace nissa::test
