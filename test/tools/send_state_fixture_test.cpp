// What a nissa-send of an earlier release kept has to be read by this one, to the last number: else what it had sent
// would be lost, or sent twice. A fixture is never made anew (test/fixtures/README.md).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "support/temp_dir.hpp"
#include "tools/event_lines.hpp"
#include "tools/state_file.hpp"

namespace nissa::tools::test {
namespace {

std::string text_of(const SendState& state) {
  std::ostringstream out;
  out << "path " << state.path << "\nmeaning " << state.meaning << "\nchanged_ns " << state.changed_ns << "\n";
  const auto points = [&out](const char* name, const std::vector<FilePoint>& all) {
    for (const FilePoint& one : all)
      out << name << " inode " << one.inode << " offset " << one.offset << " tail_size " << one.tail_size
          << " tail_crc " << one.tail_crc << " changed_ns " << one.changed_ns << "\n";
  };
  points("reading", state.reading);
  points("done", state.done);
  for (const Cut& one : state.cuts)
    out << "cut epoch " << one.key.epoch << " priority " << static_cast<int>(one.key.priority) << " sequence "
        << one.key.sequence << " state_id " << one.epoch_seen.state_id << " running_ms " << one.epoch_seen.running_ms
        << " inode " << one.inode << " from " << one.from << " to " << one.to << " crc " << one.crc << " events "
        << one.events << "\n";
  return out.str();
}

}  // namespace

TEST_CASE("a state file of format 1 is what it was: its batches under their keys, and how far each file was read") {
  const std::filesystem::path fixture = std::filesystem::path(NISSA_FIXTURES) / "send-state-v1";
  std::ifstream in(fixture / "expected.txt");
  const std::string expected(std::istreambuf_iterator<char>(in), {});
  REQUIRE(expected.contains("cut epoch "));
  const nissa::test::TempDir dir;
  const std::string path = dir / "state";
  std::filesystem::copy_file(fixture / "state", path);
  for (int start = 0; start < 3; ++start) {
    StateFile file;
    const auto opened = file.open(path);
    REQUIRE(opened);
    REQUIRE(opened->has_value());
    CHECK(text_of(**opened) == expected);
    // Written by this release, in either slot, it still is.
    CHECK(file.store(**opened));
  }
}

TEST_CASE("options that meant the same at that release still do: what was sent then is not taken for other events") {
  SendOptions options;
  options.service = "shop";
  CHECK(meaning_of(options) == 13376130521847824393U);
}

}  // namespace nissa::tools::test
