// The file of a SendState: two slots, written in turn, each with a number and a CRC32C, so that a write that a crash
// cuts short leaves the one before. One fdatasync a write; 128 KiB for ever. Not synchronised; one process at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "tools/send_state.hpp"

namespace nissa::tools {

class StateFile {
 public:
  StateFile() = default;
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // Opens it, makes it if need be, and keeps others out until it is destroyed. What was kept; nothing if it is new.
  // Fails if another process has it, if it is no such file or a newer version's, if it is damaged.
  Result<std::optional<SendState>> open(const std::string& path);
  // What people should know of a file that could be opened; empty if there is nothing.
  const std::string& warning() const { return warning_; }
  // Durable once it returns; the one before stays whole if it fails.
  Status store(const SendState& state);

 private:
  Status lock();
  Status make_room();
  Status write_slot(const SendState& state);
  Result<std::optional<SendState>> load();
  std::unexpected<Error> failed(const std::string& what, int error) const;

  std::string path_, warning_;
  int file_ = -1;
  std::uint64_t generation_ = 0;  // of the slot that was written last
};

}  // namespace nissa::tools
