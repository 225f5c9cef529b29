#include "config/load_config.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <system_error>

#include "base/time_types.hpp"
#include "base/violation.hpp"
#include "config/memory_budget.hpp"
#include "config/quantities.hpp"
#include "config/sha256.hpp"
#include "config/slo_section.hpp"

namespace nissa::config {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::size_t most_file_bytes = std::size_t{64} << 20;  // ten thousand SLOs are some 3 MiB
constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t gib = 1u << 30;

template <class T>
bool read_count(TomlTable& table, std::string_view key, T& into, std::int64_t least, std::int64_t most) {
  auto number = static_cast<std::int64_t>(into);
  const bool set = table.integer(key, number, least, most);
  into = static_cast<T>(number);
  return set;
}

template <class T>
void read_bytes(TomlTable& table, std::string_view key, T& into, std::uint64_t least, std::uint64_t most) {
  auto size = static_cast<std::uint64_t>(into);
  table.bytes(key, size, least, most);
  into = static_cast<T>(size);
}

// "127.0.0.1:7440", "[::1]:7440".
void read_address(TomlTable& table, std::string_view key, std::string& address, std::uint16_t& port) {
  std::string given = address.find(':') == address.npos ? address : '[' + address + ']';
  given += ':' + std::to_string(port);
  if (!table.text(key, given)) return;
  const auto colon = given.rfind(':');
  std::uint16_t number = 0;
  const char* const end = given.data() + given.size();
  bool has_port = colon != given.npos && colon != 0;
  if (has_port) {
    const auto [rest, error] = std::from_chars(given.data() + colon + 1, end, number);
    if (rest == end && error == std::errc::result_out_of_range)
      return table.problem(key, "the port of \"" + given + "\" is out of range; expected 0 to 65535");
    has_port = error == std::errc{} && rest == end;
  }
  if (!has_port) return table.problem(key, '"' + given + "\" is no address; expected for example \"127.0.0.1:7440\"");
  address = given.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  port = number;
}

void read_listen(TomlTable table, Config& config) {
  read_address(table, "tcp", config.ingest.address, config.ingest.port);
  read_address(table, "http", config.ingest.http_address, config.ingest.http_port);
  read_address(table, "admin", config.admin.address, config.admin.port);
  table.refuse_unknown_keys();
}

void read_ingest(TomlTable& table, ingest::Options& options, fold::Options& fold) {
  read_bytes(table, "max_frame", options.max_frame_bytes, 4 * kib, 16 * mib);
  read_count(table, "max_events", options.max_events, 1, fold::most_events_a_batch);
  read_count(table, "window_batches", options.window_batches, 1, 256);
  read_bytes(table, "window_bytes", options.window_bytes, 4 * kib, 64 * mib);
  read_count(table, "max_connections", options.max_connections, 1, 100'000);
  read_count(table, "max_http_connections", options.max_http_connections, 1, 100'000);
  read_bytes(table, "max_inflated", options.max_inflated_bytes, 4 * kib, 64 * mib);
  read_bytes(table, "max_json", options.max_json_bytes, kib, mib);
  table.duration_ms("hello_timeout", options.hello_timeout_ms, 100, 10 * minute_ms);
  table.duration_ms("frame_timeout", options.frame_timeout_ms, 100, 10 * minute_ms);
  table.duration_ms("idle_timeout", options.idle_timeout_ms, 100, 60 * minute_ms);
  auto proof = static_cast<std::size_t>(fold.proof);
  if (table.choice("proof", proof, {"strict", "semantic"})) fold.proof = static_cast<fold::Proof>(proof);
  auto clock = static_cast<std::size_t>(fold.agent_clock);
  if (table.choice("clock", clock, {"correct", "trust"})) fold.agent_clock = static_cast<fold::AgentClock>(clock);
  read_count(table, "remembered_identities", fold.most_identities, 1'000, 100'000'000);
  read_bytes(table, "remembered_identity_bytes", fold.most_identity_bytes, mib, 16 * gib);
  read_bytes(table, "max_name", fold.most_name_bytes, 16, 4 * kib);
  read_count(table, "max_labels", fold.most_labels, 0, 256);
  read_bytes(table, "max_request_id", fold.most_request_id_bytes, 1, kib);
  table.refuse_unknown_keys();
}

void read_gate(TomlTable& table, overload::Options& options) {
  read_bytes(table, "ingest_bytes", options.ingest_bytes, mib, 64 * gib);
  read_bytes(table, "critical_bytes", options.critical_bytes, mib, 16 * gib);
  read_count(table, "sender_percent", options.sender_percent, 2, 100);
  table.duration_ns("byte_wait", options.byte_wait_ns, 10 * ns_per_ms, 60 * ns_per_s);
  table.refuse_unknown_keys();
}

// Told at a key that the file sets, for that is what its reader may change.
void refuse_small_pools(TomlTable& ingest, TomlTable& gate, const Config& config) {
  const auto room = ingest::most_room(config.ingest);
  const auto possible = config.overload.check(room);
  if (possible) return;
  const std::string message = possible.error().message + "; a batch may take " + format_bytes_roughly(room) +
                              " (max_frame and max_inflated, or six times max_json)";
  for (const char* key : {"ingest_bytes", "critical_bytes", "sender_percent"})
    if (gate.has(key)) return gate.problem(key, message);
  for (const char* key : {"max_inflated", "max_frame", "max_json"})
    if (ingest.has(key)) return ingest.problem(key, message);
  violation("config", "the defaults fit together");
}

void read_journal(TomlTable table, Config& config) {
  table.duration_ns("commit_spacing", config.ledger.commit.spacing_ns, 0, ns_per_s);
  read_bytes(table, "group_bytes", config.ledger.commit.group_bytes, 64 * kib, 64 * mib);
  table.duration_ns("slow_after", config.ledger.commit.slow_after_ns, 100 * ns_per_ms, 60 * ns_per_s);
  table.duration_ms("snapshot_interval", config.ledger.snapshot.every_ms, 1'000, 24 * 60 * minute_ms);
  read_bytes(table, "snapshot_after", config.ledger.snapshot.journal_bytes, mib, 16 * gib);
  read_bytes(table, "checkpoint_bytes", config.journal.checkpoint_bytes, mib, gib);
  table.text("backup_directory", config.journal.backup_directory);
  if (config.journal.backup_directory.find('\0') != std::string::npos)
    table.problem("backup_directory", "is no name of a folder; expected a path, for example \"/backups/nissa\"");
  table.bytes_or_auto("min_free", config.journal.min_free_bytes, 0, 1024 * gib);
  read_bytes(table, "epoch_bytes", config.ledger.epochs.bytes, mib, 16 * gib);
  read_bytes(table, "tombstone_bytes", config.ledger.epochs.tombstone_bytes, 64 * kib, gib);
  read_count(table, "principal_percent", config.ledger.epochs.principal_percent, 1, 100);
  table.refuse_unknown_keys();
}

void read_metrics(TomlTable table, admin::Options& options) {
  std::size_t windows = options.all_windows ? 1 : 0;
  if (table.choice("slo_windows", windows, {"default", "all"})) options.all_windows = windows == 1;
  table.refuse_unknown_keys();
}

void read_log(TomlTable table, Config& config) {
  auto format = static_cast<std::size_t>(config.log_format);
  if (table.choice("format", format, {"text", "json"})) config.log_format = static_cast<LogFormat>(format);
  auto level = static_cast<std::size_t>(config.log_level);
  if (table.choice("level", level, {log_level_names.begin(), log_level_names.end()}))
    config.log_level = static_cast<LogLevel>(level);
  table.refuse_unknown_keys();
}

void refuse_shared_addresses(const Config& config, Problems& problems) {
  struct Listener {
    const char* key;
    const std::string& address;
    std::uint16_t port;
  };
  const std::array listeners{Listener{"tcp", config.ingest.address, config.ingest.port},
                             Listener{"http", config.ingest.http_address, config.ingest.http_port},
                             Listener{"admin", config.admin.address, config.admin.port}};
  for (auto one = listeners.begin(); one != listeners.end(); ++one)
    for (auto other = one + 1; other != listeners.end(); ++other)
      if (one->address == other->address && one->port == other->port && one->port != 0)
        problems.push_back(config.file + ":1:1: listen: " + one->key + " and " + other->key + " are both " +
                           one->address + ':' + std::to_string(one->port) + "; expected two addresses");
}

}  // namespace

std::expected<Config, Problems> read_config(std::string_view text, const std::string& file,
                                            std::uint64_t memory_limit) {
  Problems problems;
  Config config;
  config.file = file;
  config.sha256 = sha256_hex(text);
  TomlTable table = TomlTable::parse(text, file, problems, config.settings);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  table.text("state_dir", config.state_dir);
  if (config.state_dir.empty() || config.state_dir.find('\0') != std::string::npos)
    table.problem("state_dir", "is no name of a folder; expected a path, for example \"/var/lib/nissa\"");
  read_listen(table.section("listen"), config);
  TomlTable ingest = table.section("ingest");
  TomlTable gate = table.section("gate");
  read_ingest(ingest, config.ingest, config.fold);
  read_gate(gate, config.overload);
  refuse_small_pools(ingest, gate, config);
  read_journal(table.section("journal"), config);
  read_metrics(table.section("metrics"), config.admin);
  read_log(table.section("log"), config);
  config.slos = read_slos(table);
  table.refuse_unknown_keys();
  config.journal.directory = config.state_dir;
  refuse_shared_addresses(config, problems);
  if (const std::string problem = memory_problem(memory_parts(config), memory_limit); !problem.empty())
    problems.push_back(file + ":1:1: " + problem);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

std::expected<Config, Problems> load_config(const std::string& file, std::uint64_t memory_limit) {
  // Reading half a file would be worse than reading none: the SLOs of the other half would be retired.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  std::string text;
  std::array<char, 1 << 16> piece;
  for (std::size_t size = 1; in && size != 0 && text.size() <= most_file_bytes; text.append(piece.data(), size))
    size = std::fread(piece.data(), 1, piece.size(), in.get());
  if (!in || std::ferror(in.get()) != 0)
    return std::unexpected(
        Problems{file + ": cannot be read: " + std::generic_category().message(errno) + "; name a file with --config"});
  if (text.size() > most_file_bytes)
    return std::unexpected(Problems{file + ": is larger than 64 MiB; is this the configuration?"});
  return read_config(text, file, memory_limit);
}

}  // namespace nissa::config
