// The state that an earlier release left behind has to be read by this one, to the last count. A fixture is never made
// anew when a format changes: another one is put beside it (test/fixtures/README.md).
#include <doctest/doctest.h>

#include <filesystem>

#include "app/verify.hpp"
#include "base/clock.hpp"
#include "ledger/recovery.hpp"
#include "support/files_in.hpp"
#include "support/state_text.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;

namespace {

namespace fs = std::filesystem;

// A copy of it, and what was in it.
struct Fixture {
  explicit Fixture(const std::string& name) : directory(parent / "state") {
    fs::copy(fs::path(NISSA_FIXTURES) / name, directory);
    expected = test::read_file(directory + "/expected.txt");
    fs::remove(directory + "/expected.txt");
  }
  test::TempDir parent;
  std::string directory;
  std::string expected;
};

std::string found_in(const std::string& directory, bool start, journal::StateId copy_of = 0) {
  const SystemClock clock;
  journal::Options options;
  options.directory = directory;
  const auto opened = journal::open_journal(options, clock);
  if (!opened) return opened.error().message;
  CHECK(opened->copy_of == copy_of);
  const auto recovered = ledger::recover(*opened->journal, opened->last_lsn, {.state_id = opened->state_id});
  if (!recovered) return recovered.error().message;
  if (start) CHECK(opened->journal->start().has_value());
  return test::state_text(*recovered->ledger);
}

}  // namespace

TEST_CASE("a state of format 1 as it was left behind is what it was, also after a start of this release") {
  const Fixture fixture("state-v1");
  REQUIRE(fixture.expected.contains("lsn "));
  CHECK(found_in(fixture.directory, false) == fixture.expected);
  CHECK(found_in(fixture.directory, true) == fixture.expected);
  CHECK(found_in(fixture.directory, false) == fixture.expected);
}

TEST_CASE("a state of format 1 is sound in all that verify looks at, from either snapshot") {
  const Fixture fixture("state-v1");
  const auto findings = app::findings_of(fixture.directory);
  REQUIRE(findings.has_value());
  CHECK(findings->size() == 8);
  for (const app::Finding& finding : *findings) {
    CAPTURE(finding.text);
    CHECK(finding.verdict == app::Finding::Verdict::ok);
  }
}

TEST_CASE("a backup of format 1 is restored by a start of this release: all that was in it, under an id of its own") {
  const Fixture fixture("state-v1-backup");
  // The id is in the first line, and in the hash, which is the second.
  const auto beside_id = [](const std::string& text) { return text.substr(text.find("\nlsn ") + 1); };
  REQUIRE(beside_id(fixture.expected).starts_with("lsn 10\n"));
  const std::string restored = found_in(fixture.directory, true, 0x1bec'bf41'97b5'6881);
  CHECK(beside_id(restored) == beside_id(fixture.expected));
  CHECK(!fixture.expected.starts_with(restored.substr(0, restored.find('\n'))));
  CHECK(found_in(fixture.directory, false) == restored);
}
