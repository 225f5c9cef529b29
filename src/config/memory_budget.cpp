#include "config/memory_budget.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

#include "config/load_config.hpp"
#include "config/quantities.hpp"
#include "slo/match_set.hpp"

namespace nissa::config {
namespace {

// Of a connection over HTTP between a request's first byte and the end of its body: a piece of reading, and the head in
// a hundred fields. Measured with a thousand that send 8 KiB of them and no body: 34 KiB.
constexpr std::uint64_t http_head_bytes = 40 * 1024;

// Of a connection over TCP that is idle; 7.2 KB of resident memory were measured with 9 000 of them.
constexpr std::uint64_t session_bytes = 8 * 1024;

// A file's first line as a number; the greatest one where there is no file or no number ("max").
std::uint64_t number_in(const std::string& file) {
  std::ifstream in(file);
  std::string text;
  std::getline(in, text);
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? number : UINT64_MAX;
}

std::uint64_t physical_bytes(const std::string& root) {
  std::ifstream in(root + "proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (in >> word)
    if (word == "MemTotal:" && in >> kib) return kib << 10;
  return UINT64_MAX;
}

// The least of the limits of a group and of all above it. In a container the group's path is that of the host and not
// to be seen; then the mount's root is the group.
std::uint64_t least_limit(const std::string& mount, std::string group, std::string_view file) {
  std::uint64_t least = number_in(mount + '/' + std::string(file));
  while (group.size() > 1) {
    least = std::min(least, number_in(mount + group + '/' + std::string(file)));
    group.erase(group.rfind('/'));
  }
  return least;
}

}  // namespace

std::vector<MemoryPart> memory_parts(const Config& config) {
  const std::uint64_t blocks = (config.slos.size() + slos_in_block - 1) / slos_in_block;
  std::vector<MemoryPart> parts{
      {"gate.ingest_bytes", config.overload.ingest_bytes},
      {"gate.critical_bytes", config.overload.critical_bytes},
      {"ingest.remembered_identity_bytes", config.fold.most_identity_bytes},
      {"twice journal.group_bytes", 2 * config.ledger.commit.group_bytes},  // one is open, one is in flight
      {"journal.epoch_bytes", config.ledger.epochs.bytes},
      {"journal.tombstone_bytes", config.ledger.epochs.tombstone_bytes},
      {"pages of the database", config.journal.cache_bytes},
      {"sets of SLOs that match together", slo::MatchSets::default_most_bytes},
      {"sessions of ingest.max_connections", config.ingest.max_connections * session_bytes},
      {"heads of ingest.max_http_connections", config.ingest.max_http_connections * http_head_bytes},
      {"read buffers kept for reuse", ingest::kept_buffer_bytes},
      {"pages that wait for their readers", config.admin.answer_bytes},
      {std::to_string(config.slos.size()) + " SLOs", blocks * slos_in_block * slo_memory_bytes}};
  if (config.fold.proof == fold::Proof::semantic)
    parts.push_back({"a batch brought into form (ingest.proof)", fold::reforming_bytes});
  return parts;
}

std::string memory_problem(const std::vector<MemoryPart>& parts, std::uint64_t limit_bytes) {
  std::uint64_t sum = 0;
  std::string list;
  for (const MemoryPart& part : parts) {
    sum += part.bytes;
    list += (list.empty() ? "" : ", ") + part.name + ' ' + format_bytes_roughly(part.bytes);
  }
  if (sum <= limit_bytes / 100 * most_memory_percent) return {};
  return "the configured bytes are " + format_bytes_roughly(sum) + " (" + list + "); expected at most " +
         std::to_string(most_memory_percent) + " % of the memory limit of " + format_bytes_roughly(limit_bytes) +
         ": lower one of them, or raise the limit";
}

std::uint64_t memory_limit_bytes(const std::string& root) {
  std::uint64_t least = physical_bytes(root);
  const std::string mount = root + "sys/fs/cgroup";
  std::ifstream groups(root + "proc/self/cgroup");
  std::string line;  // "0::/user.slice" of v2, "4:memory:/docker/4ee1" of v1
  while (std::getline(groups, line)) {
    const std::string group = line.substr(std::min(line.rfind(':') + 1, line.size()));
    if (line.starts_with("0::")) least = std::min(least, least_limit(mount, group, "memory.max"));
    if (line.find(":memory:") != line.npos)
      least = std::min(least, least_limit(mount + "/memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

}  // namespace nissa::config
