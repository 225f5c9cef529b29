#include "admin/backup_page.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace nissa;
using journal::BackupFault;

TEST_CASE("each way that a backup is not made has a name of its own, its words and what to do about it") {
  struct Answer {
    BackupFault fault;
    unsigned status;
  };
  constexpr std::array answers{Answer{BackupFault::no_directory, 409},  Answer{BackupFault::under_way, 409},
                               Answer{BackupFault::journal_fails, 503}, Answer{BackupFault::no_room, 503},
                               Answer{BackupFault::overtaken, 503},     Answer{BackupFault::stopping, 503},
                               Answer{BackupFault::failed, 500}};
  std::set<std::string> codes;
  for (const auto& [fault, status] : answers) {
    const auto page = admin::backup_page(std::unexpected(journal::BackupError{fault, "why \"it\" is so"}));
    CHECK(page.status == status);
    CHECK(page.body.find(R"("message":"why \"it\" is so")") != page.body.npos);
    CHECK(page.body.find(R"("hint":"")") == page.body.npos);
    const auto begin = page.body.find(R"("code":")") + 8;
    codes.insert(page.body.substr(begin, page.body.find('"', begin) - begin));
  }
  CHECK(codes.size() == answers.size());
}
