#include "config/memory_budget.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "config/load_config.hpp"
#include "support/temp_dir.hpp"

using namespace nissa::config;

namespace {

constexpr std::uint64_t mib = 1 << 20;
const std::string one_slo = "[[slo]]\nname = \"a\"\nsli = \"availability\"\nobjective = \"99 %\"\n";

void write(const std::string& file, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE(
    "a file whose bytes sum to more than 80 % of the memory limit is refused, with the sum, its parts, the limit") {
  const auto parts = memory_parts(*read_config(one_slo, "nissa.toml", 1024 * mib));
  std::uint64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.bytes;
  const std::uint64_t limit = (sum + 79) / 80 * 100;
  CHECK(read_config(one_slo, "nissa.toml", limit).has_value());
  const auto refused = read_config(one_slo, "nissa.toml", limit - 100);
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().size() == 1);
  CHECK(refused.error()[0] ==
        "nissa.toml:1:1: the configured bytes are 522 MiB (gate.ingest_bytes 64 MiB, gate.critical_bytes 8192 KiB, "
        "ingest.remembered_identity_bytes 128 MiB, twice journal.group_bytes 8192 KiB, journal.epoch_bytes 64 MiB, "
        "journal.tombstone_bytes 8192 KiB, pages of the database 16 MiB, sets of SLOs that match together 64 MiB, "
        "sessions of ingest.max_connections 78 MiB, heads of ingest.max_http_connections 39 MiB, read buffers kept for "
        "reuse 8192 KiB, pages that wait for their readers 32 MiB, 1 SLOs 5025 KiB); expected at most 80 % of the "
        "memory limit of 653 MiB: "
        "lower one of them, or raise the limit");
}

TEST_CASE("each part of the memory grows with its key") {
  const auto all = [](const std::string& text) {
    std::uint64_t sum = 0;
    for (const MemoryPart& part : memory_parts(*read_config(text + one_slo, "nissa.toml", std::uint64_t{1} << 50)))
      sum += part.bytes;
    return sum;
  };
  const std::uint64_t usual = all("");
  CHECK(all("[gate]\ningest_bytes = \"65 MiB\"\n") == usual + mib);
  CHECK(all("[gate]\ncritical_bytes = \"9 MiB\"\n") == usual + mib);
  CHECK(all("[ingest]\nremembered_identity_bytes = \"129 MiB\"\n") == usual + mib);
  CHECK(all("[journal]\ngroup_bytes = \"5 MiB\"\n") == usual + 2 * mib);
  CHECK(all("[journal]\nepoch_bytes = \"65 MiB\"\n") == usual + mib);
  CHECK(all("[ingest]\nproof = \"semantic\"\n") == usual + 30 * mib);
  CHECK(all("[ingest]\nmax_connections = 10001\n") == usual + 8 * 1024);
  CHECK(all("[ingest]\nmax_http_connections = 1001\n") == usual + 40 * 1024);
  CHECK(all("[journal]\ntombstone_bytes = \"9 MiB\"\n") == usual + mib);
}

TEST_CASE("the memory limit is the least of the machine's memory and the control groups', in both versions") {
  const nissa::test::TempDir folder;
  const std::string root = std::string(folder.path()) + '/';
  write(root + "proc/meminfo", "MemTotal:        1048576 kB\nMemFree: 3 kB\n");
  CHECK(memory_limit_bytes(root) == 1024 * mib);
  const std::string groups = root + "sys/fs/cgroup";
  write(root + "proc/self/cgroup", "0::/a/b\n");
  write(groups + "/a/b/memory.max", "max\n");
  CHECK(memory_limit_bytes(root) == 1024 * mib);
  write(groups + "/a/memory.max", "524288000\n");  // the one above binds
  CHECK(memory_limit_bytes(root) == 500 * mib);
  write(root + "proc/self/cgroup", "4:memory:/elsewhere/c\n3:cpuset:/\n0::/\n");
  CHECK(memory_limit_bytes(root) == 1024 * mib);
  write(groups + "/memory/memory.limit_in_bytes", "419430400\n");  // in a container: the mount is the group
  CHECK(memory_limit_bytes(root) == 400 * mib);
  write(groups + "/memory/elsewhere/c/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(memory_limit_bytes(root) == 400 * mib);
}
