#include "journal/state_dir.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "journal_helpers.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;

namespace {

// What `body` returns in a process of its own, as text.
std::string in_child(const std::function<std::string()>& body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string text = body();
    const bool told = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char piece[256];
  for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return text;
}

std::string opening(const std::string& directory) {
  const auto opened = open_at(directory);
  return opened ? "opened" : std::string(name_of(opened.error().damage)) + ": " + opened.error().message;
}

}  // namespace

TEST_CASE("a second process on the same state is refused with the first one's pid; when that ends, it may") {
  const TempDir directory;
  {
    const auto first = open_at(directory.path());
    REQUIRE(first);
    const std::string said = in_child([&] { return opening(directory.path()); });
    CHECK(said == "none: the state directory " + directory.path() + " is in use by process " +
                      std::to_string(getpid()) + ": stop it first, or give this one another directory");
  }
  CHECK(in_child([&] { return opening(directory.path()); }) == "opened");
  // The child ended without letting go of anything.
  CHECK(opening(directory.path()) == "opened");
}

TEST_CASE("a directory that may not be written is named, with the system's reason") {
  const TempDir directory;
  REQUIRE(chmod(directory.path().c_str(), 0555) == 0);
  const std::string said = in_child([&] {
    // Root may write anywhere.
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return std::string("no other user to be");
    return opening(directory.path());
  });
  CHECK(said == "none: the state directory " + directory.path() + " is not writable: " + directory.path() +
                    "/lock: Permission denied");
}

TEST_CASE(
    "a file of the state that another user owns is named, with the system's reason and the user that it is not for") {
  for (const std::string name : {"ANCHOR", "state-1.db", "state-1.db-wal"}) {
    const TempDir directory;
    {
      auto opened = open_at(directory.path());
      REQUIRE(opened);
      REQUIRE(opened->journal->start());
      REQUIRE(commit_and_wait(*opened->journal, {.lsn = 1, .record = Bytes(10)}) == journal::CommitResult::durable);
    }
    REQUIRE(access((directory / name).c_str(), F_OK) == 0);
    const uid_t user = geteuid() == 0 ? 65534 : geteuid();  // root may read and write everything
    for (const std::string& path : {directory.path(), directory / "lock", directory / "ANCHOR",
                                    directory / "state-1.db", directory / "state-1.db-wal"})
      REQUIRE((access(path.c_str(), F_OK) != 0 || chown(path.c_str(), user, static_cast<gid_t>(-1)) == 0));
    REQUIRE(chmod((directory / name).c_str(), 0444) == 0);
    const std::string said = in_child([&] {
      if (geteuid() != user && setuid(user) != 0) return std::string("no other user to be");
      return opening(directory.path());
    });
    CHECK(said == "none: " + (directory / name) + " may not be read and written by the user that nissad runs as (" +
                      std::to_string(user) + "): Permission denied");
  }
}

TEST_CASE("a file in the place of the directory is named") {
  const TempDir directory;
  REQUIRE(opening(directory.path()) == "opened");
  CHECK(opening(directory / "lock").find("Not a directory") != std::string::npos);
}

TEST_CASE("after kill -9 everything acknowledged is there, and at most one more") {
  const TempDir directory;
  auto random = random_for(50);
  journal::Lsn acknowledged = 0;
  for (int life = 0; life < 5; ++life) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto options = options_for(directory.path());
      options.checkpoint_bytes = 100'000;
      auto opened = journal::open_journal(options, system_clock());
      if (!opened || !opened->journal->start()) _exit(1);
      for (journal::Lsn lsn = opened->last_lsn + 1;; ++lsn) {
        const journal::Commit commit{
            .lsn = lsn, .record = Bytes(3000), .put = {{{1, static_cast<Byte>(lsn)}, lsn, {1}}}};
        if (commit_and_wait(*opened->journal, commit) != journal::CommitResult::durable) _exit(2);
        if (write(ends[1], &lsn, sizeof lsn) != sizeof lsn) _exit(3);
      }
    }
    close(ends[1]);
    for (auto count = 1 + random() % 100; count > 0; --count) {
      REQUIRE(read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    }
    kill(child, SIGKILL);
    // Those that were acknowledged before the signal arrived.
    while (read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) continue;
    close(ends[0]);
    CHECK(waitpid(child, nullptr, 0) == child);
    auto opened = open_at(directory.path());
    REQUIRE(opened);
    CHECK(opened->last_lsn >= acknowledged);
    CHECK(opened->last_lsn <= acknowledged + 1);
    const auto found = contents(*opened->journal, 1);
    REQUIRE(found);
    CHECK(found->records.size() == opened->last_lsn);
    CHECK(found->rows.size() == opened->last_lsn);
  }
}
