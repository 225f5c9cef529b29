#include "config/load_config.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "base/time_types.hpp"

using namespace nissa;
using namespace nissa::config;

namespace {

constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;
const std::string one_slo = "\n[[slo]]\nname = \"a\"\nsli = \"availability\"\nobjective = \"99 %\"\n";

std::expected<Config, Problems> read(const std::string& text, std::uint64_t limit = no_limit) {
  return read_config(text + one_slo, "nissa.toml", limit);
}
std::string problems_of(const std::expected<Config, Problems>& read) {
  std::string all;
  if (!read)
    for (const std::string& one : read.error()) all += one + '\n';
  return all;
}

// A key with its range, as they stand in a file. Where one limit is bound by another key, `beside` loosens that.
struct Range {
  std::string section, key, least, most, below, above, expected;
  std::function<std::int64_t(const Config&)> get;
  std::int64_t least_is, most_is;
  std::string beside = "";
};

constexpr std::int64_t kib = 1 << 10, mib = 1 << 20, gib = 1 << 30;
constexpr std::int64_t minute = 60'000;

std::string quoted(const std::string& text) { return '"' + text + '"'; }
Range number(std::string section, std::string key, std::int64_t least, std::int64_t most, auto get,
             std::string beside = "") {
  return {section,
          key,
          std::to_string(least),
          std::to_string(most),
          std::to_string(least - 1),
          std::to_string(most + 1),
          "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most),
          [get](const Config& config) { return static_cast<std::int64_t>(get(config)); },
          least,
          most,
          beside};
}
Range sized(std::string section, std::string key, std::int64_t least, std::int64_t most, std::string range, auto get,
            std::string beside = "") {
  const auto text = [](std::int64_t bytes) { return quoted(std::to_string(bytes) + " B"); };
  return {section,
          key,
          text(least),
          text(most),
          least > 0 ? text(least - 1) : "",
          text(most + 1),
          "is out of range; expected " + range,
          [get](const Config& config) { return static_cast<std::int64_t>(get(config)); },
          least,
          most,
          beside};
}
// In milliseconds in the file; `unit`: how many of the option's unit make one. Nothing is below 0.
Range lasting(std::string section, std::string key, std::int64_t least, std::int64_t most, std::string range,
              std::int64_t unit, auto get) {
  const auto text = [](std::int64_t ms) { return quoted(std::to_string(ms) + "ms"); };
  return {section,
          key,
          text(least),
          text(most),
          least > 0 ? text(least - 1) : "",
          text(most + 1),
          "is out of range; expected " + range,
          [get](const Config& config) { return get(config); },
          least * unit,
          most * unit};
}

const std::vector<Range>& ranges() {
  using C = const Config&;
  static const std::string small_batches =
      "[ingest]\nmax_frame = \"4 KiB\"\nmax_inflated = \"4 KiB\"\nmax_json = \"1 KiB\"\n";
  static const std::string big_pools = "[gate]\ncritical_bytes = \"128 MiB\"\ningest_bytes = \"512 MiB\"\n";
  static const std::vector<Range> all{
      sized(
          "ingest", "max_frame", 4 * kib, 16 * mib, "4 KiB to 16 MiB", [](C c) { return c.ingest.max_frame_bytes; },
          big_pools),
      number("ingest", "max_events", 1, 65'535, [](C c) { return c.ingest.max_events; }),
      number("ingest", "window_batches", 1, 256, [](C c) { return c.ingest.window_batches; }),
      sized("ingest", "window_bytes", 4 * kib, 64 * mib, "4 KiB to 64 MiB", [](C c) { return c.ingest.window_bytes; }),
      number("ingest", "max_connections", 1, 100'000, [](C c) { return c.ingest.max_connections; }),
      number("ingest", "max_http_connections", 1, 100'000, [](C c) { return c.ingest.max_http_connections; }),
      sized(
          "ingest", "max_inflated", 4 * kib, 64 * mib, "4 KiB to 64 MiB",
          [](C c) { return c.ingest.max_inflated_bytes; }, big_pools),
      sized("ingest", "max_json", kib, mib, "1 KiB to 1 MiB", [](C c) { return c.ingest.max_json_bytes; }),
      lasting("ingest", "hello_timeout", 100, 10 * minute, "100ms to 10min", 1,
              [](C c) { return c.ingest.hello_timeout_ms; }),
      lasting("ingest", "frame_timeout", 100, 10 * minute, "100ms to 10min", 1,
              [](C c) { return c.ingest.frame_timeout_ms; }),
      lasting("ingest", "idle_timeout", 100, 60 * minute, "100ms to 1h", 1,
              [](C c) { return c.ingest.idle_timeout_ms; }),
      number("ingest", "remembered_identities", 1'000, 100'000'000, [](C c) { return c.fold.most_identities; }),
      sized("ingest", "remembered_identity_bytes", mib, 16 * gib, "1 MiB to 16 GiB",
            [](C c) { return c.fold.most_identity_bytes; }),
      sized("ingest", "max_name", 16, 4 * kib, "16 B to 4 KiB", [](C c) { return c.fold.most_name_bytes; }),
      number("ingest", "max_labels", 0, 256, [](C c) { return c.fold.most_labels; }),
      sized("ingest", "max_request_id", 1, kib, "1 B to 1 KiB", [](C c) { return c.fold.most_request_id_bytes; }),
      sized(
          "gate", "ingest_bytes", mib, 64 * gib, "1 MiB to 64 GiB", [](C c) { return c.overload.ingest_bytes; },
          small_batches),
      sized(
          "gate", "critical_bytes", mib, 16 * gib, "1 MiB to 16 GiB", [](C c) { return c.overload.critical_bytes; },
          small_batches),
      number(
          "gate", "sender_percent", 2, 100, [](C c) { return c.overload.sender_percent; }, small_batches),
      lasting("gate", "byte_wait", 10, minute, "10ms to 1min", ns_per_ms, [](C c) { return c.overload.byte_wait_ns; }),
      lasting("journal", "commit_spacing", 0, 1'000, "0us to 1s", ns_per_ms,
              [](C c) { return c.ledger.commit.spacing_ns; }),
      sized("journal", "group_bytes", 64 * kib, 64 * mib, "64 KiB to 64 MiB",
            [](C c) { return c.ledger.commit.group_bytes; }),
      lasting("journal", "slow_after", 100, minute, "100ms to 1min", ns_per_ms,
              [](C c) { return c.ledger.commit.slow_after_ns; }),
      lasting("journal", "snapshot_interval", 1'000, 24 * 60 * minute, "1s to 1d", 1,
              [](C c) { return c.ledger.snapshot.every_ms; }),
      sized("journal", "snapshot_after", mib, 16 * gib, "1 MiB to 16 GiB",
            [](C c) { return c.ledger.snapshot.journal_bytes; }),
      sized("journal", "checkpoint_bytes", mib, gib, "1 MiB to 1 GiB", [](C c) { return c.journal.checkpoint_bytes; }),
      sized("journal", "min_free", 0, 1024 * gib, "0 B to 1024 GiB",
            [](C c) { return c.journal.min_free_bytes.value_or(77); }),
      sized("journal", "epoch_bytes", mib, 16 * gib, "1 MiB to 16 GiB", [](C c) { return c.ledger.epochs.bytes; }),
      sized("journal", "tombstone_bytes", 64 * kib, gib, "64 KiB to 1 GiB",
            [](C c) { return c.ledger.epochs.tombstone_bytes; }),
      number("journal", "principal_percent", 1, 100, [](C c) { return c.ledger.epochs.principal_percent; }),
  };
  return all;
}

// A file with this one key on its second line.
std::expected<Config, Problems> with(const Range& range, const std::string& value) {
  return read("[" + range.section + "]\n" + range.key + " = " + value + "\n" + range.beside);
}

// Tests run in the root of the project or in a build folder below it.
std::string text_of(const std::string& name) {
  for (const std::string root : {"", "../"})
    if (std::ifstream in(root + name, std::ios::binary); in) {
      std::ostringstream text;
      text << in.rdbuf();
      return text.str();
    }
  FAIL("run in the root of the project or in its build folder: no " << name);
  return {};
}

}  // namespace

TEST_CASE("every key is read into its option at both ends of its range") {
  for (const Range& range : ranges()) {
    CAPTURE(range.key);
    for (const auto& [value, is] : {std::pair{range.least, range.least_is}, std::pair{range.most, range.most_is}}) {
      const auto config = with(range, value);
      REQUIRE_MESSAGE(config.has_value(), problems_of(config));
      CHECK(range.get(*config) == is);
    }
  }
}

TEST_CASE("min_free is left to the journal unless a size is given") {
  CHECK(read("")->journal.min_free_bytes == std::nullopt);
  CHECK(read("[journal]\nmin_free = \"auto\"\n")->journal.min_free_bytes == std::nullopt);
  const auto wrong = read("[journal]\nmin_free = \"Auto\"\n");
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error()[0].starts_with("nissa.toml:2:12: journal.min_free: "));
}

TEST_CASE("one beyond either end is refused with its place and what was expected") {
  for (const Range& range : ranges())
    for (const std::string& value : {range.below, range.above}) {
      if (value.empty()) continue;
      CAPTURE(range.key);
      const auto config = with(range, value);
      REQUIRE_FALSE(config.has_value());
      const std::string place =
          "nissa.toml:2:" + std::to_string(range.key.size() + 4) + ": " + range.section + '.' + range.key + ": ";
      CHECK_MESSAGE(config.error()[0].starts_with(place), config.error()[0]);
      CHECK_MESSAGE(config.error()[0].ends_with(range.expected), config.error()[0]);
    }
}

TEST_CASE("a value of a wrong type or with a wrong unit is refused with its place and what was expected") {
  for (const Range& range : ranges()) {
    CAPTURE(range.key);
    const bool has_unit = range.least.front() == '"';
    const bool is_size = range.least.ends_with(" B\"");
    for (const std::string& wrong : {std::string("true"), std::string("[1]"), has_unit ? "1000" : quoted("1000"),
                                     quoted(is_size ? "5s" : "5 MiB"), std::string("1.5")}) {
      CAPTURE(wrong);
      const auto config = with(range, wrong);
      REQUIRE_FALSE(config.has_value());
      CHECK(config.error()[0].starts_with("nissa.toml:2:" + std::to_string(range.key.size() + 4) + ": "));
      CHECK(config.error()[0].find("expected") != std::string::npos);
    }
  }
}

TEST_CASE("addresses, choices and the state's folder are read, and wrong ones refused") {
  const auto config = read(
      "state_dir = \"/var/lib/nissa\"\n[listen]\ntcp = \"[::1]:7000\"\nadmin = \"0.0.0.0:65535\"\n"
      "[ingest]\nproof = \"semantic\"\nclock = \"trust\"\n[metrics]\nslo_windows = \"all\"\n"
      "[log]\nformat = \"json\"\nlevel = \"error\"\n");
  REQUIRE_MESSAGE(config.has_value(), problems_of(config));
  CHECK(config->state_dir == "/var/lib/nissa");
  CHECK(config->journal.directory == "/var/lib/nissa");
  CHECK(config->ingest.address == "::1");
  CHECK(config->ingest.port == 7000);
  CHECK(config->admin.address == "0.0.0.0");
  CHECK(config->admin.port == 65535);
  CHECK(config->fold.proof == fold::Proof::semantic);
  CHECK(config->fold.agent_clock == fold::AgentClock::trusted);
  CHECK(config->admin.all_windows);
  CHECK(config->log_format == LogFormat::json);
  CHECK(config->log_level == LogLevel::error);
  for (const std::string wrong :
       {"127.0.0.1", ":7440", "127.0.0.1:x", "127.0.0.1:99999x", "127.0.0.1:", "127.0.0.1:-1"}) {
    CAPTURE(wrong);
    for (const std::string key : {"tcp", "admin"})
      CHECK(problems_of(read("[listen]\n" + key + " = " + quoted(wrong))) ==
            "nissa.toml:2:" + std::to_string(key.size() + 4) + ": listen." + key + ": " + quoted(wrong) +
                " is no address; expected for example \"127.0.0.1:7440\"\n");
  }
  for (const std::string beyond : {"127.0.0.1:65536", "[::1]:99999", "[::1]:99999999999999999999"})
    CHECK(problems_of(read("[listen]\nhttp = " + quoted(beyond))) ==
          "nissa.toml:2:8: listen.http: the port of " + quoted(beyond) + " is out of range; expected 0 to 65535\n");
  CHECK(problems_of(read("[ingest]\nproof = \"strikt\"")) ==
        "nissa.toml:2:9: ingest.proof: \"strikt\" is none of \"strict\" \"semantic\"; did you mean \"strict\"?\n");
  CHECK(problems_of(read("state_dir = 3")) == "nissa.toml:1:13: state_dir: expected a string in quotes\n");
}

TEST_CASE("an unknown key and an unknown section are refused with the nearest name") {
  for (const Range& range : ranges()) {
    CAPTURE(range.key);
    const std::string wrong = range.key + 'x';
    CHECK(problems_of(read("[" + range.section + "]\n" + wrong + " = " + range.least)) ==
          "nissa.toml:2:1: unknown key " + range.section + '.' + wrong + "; did you mean " + range.section + '.' +
              range.key + "?\n");
  }
  CHECK(problems_of(read("state_dri = \"x\"")) == "nissa.toml:1:1: unknown key state_dri; did you mean state_dir?\n");
  const std::string section = problems_of(read("[jurnal]\ngroup_bytes = \"1 MiB\""));
  CHECK_MESSAGE(section.starts_with("nissa.toml:1:"), section);
  CHECK_MESSAGE(section.ends_with("unknown key jurnal; did you mean journal?\n"), section);
  CHECK(problems_of(read("gate = 3")).find("gate: expected a table, [gate]") != std::string::npos);
}

TEST_CASE("all problems of a file are told at once, each at its place") {
  const auto config =
      read("[listen]\ntcp = 3\n[ingest]\nmax_frame = \"1 MB\"\nnew = 1\n[journal]\nslow_after = \"1ms\"\n");
  REQUIRE_FALSE(config.has_value());
  const std::string all = problems_of(config);
  CAPTURE(all);
  CHECK(config.error().size() == 4);
  for (const std::string place : {"nissa.toml:2:7: listen.tcp", "nissa.toml:4:13: ingest.max_frame",
                                  "nissa.toml:5:1: unknown key ingest.new", "nissa.toml:7:14: journal.slow_after"})
    CHECK_MESSAGE(all.find(place) != std::string::npos, place);
}

TEST_CASE("what is not TOML has its place, and a file that cannot be read is named") {
  const auto config = read("[gate]\ningest_bytes = \"1 MiB\nx = 1\n");
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().size() == 1);
  CHECK(config.error()[0].starts_with("nissa.toml:2:"));
  CHECK(problems_of(load_config("/nowhere/nissa.toml", no_limit)) ==
        "/nowhere/nissa.toml: cannot be read: No such file or directory; name a file with --config\n");
  CHECK(problems_of(load_config("/dev/zero", no_limit)) ==
        "/dev/zero: is larger than 64 MiB; is this the configuration?\n");
  CHECK(problems_of(load_config("/", no_limit)) == "/: cannot be read: Is a directory; name a file with --config\n");
}

TEST_CASE("a folder without a name and two doors at one address are refused") {
  CHECK(problems_of(read("")).empty());
  CHECK(read("[journal]\nbackup_directory = \"/backups\"")->journal.backup_directory == "/backups");
  CHECK(read("")->journal.backup_directory.empty());
  const std::string cut = problems_of(read("[journal]\nbackup_directory = \"/a\\u0000b\""));
  CHECK_MESSAGE(cut.starts_with("nissa.toml:2:20: journal.backup_directory: is no name of a folder"), cut);
  const std::string unnamed = problems_of(read_config("state_dir = \"\"\n" + one_slo, "nissa.toml", no_limit));
  CHECK_MESSAGE(unnamed.starts_with("nissa.toml:1:13: state_dir: is no name of a folder; expected a path"), unnamed);
  const std::string same = problems_of(read("[listen]\ntcp = \"127.0.0.1:7\"\nadmin = \"127.0.0.1:7\""));
  CHECK_MESSAGE(same.find("listen: tcp and admin are both 127.0.0.1:7; expected two addresses") != same.npos, same);
  CHECK_FALSE(read("[listen]\nhttp = \"127.0.0.1:7442\"").has_value());
  CHECK(read("[listen]\ntcp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"").has_value());
}

TEST_CASE("the pool of buffers must hold the largest frame in every class") {
  const std::string all = problems_of(read("[gate]\ningest_bytes = \"1 MiB\""));
  CHECK_MESSAGE(all.starts_with("nissa.toml:2:16: gate.ingest_bytes: class "), all);
  const std::string frame = problems_of(read("[ingest]\nmax_frame = \"16 MiB\""));
  CHECK_MESSAGE(
      frame.starts_with("nissa.toml:2:13: ingest.max_frame: critical_bytes = 8388608 is less than one batch of "
                        "20971520 bytes; a batch may take 20 MiB (max_frame and max_inflated, or six times"),
      frame);
}

TEST_CASE("the defaults and the demo's file load within two thirds of a GiB") {
  CHECK(read("", 653 * mib).has_value());
  const auto demo = read_config(text_of("deploy/demo/nissa.toml"), "deploy/demo/nissa.toml", 653 * mib);
  REQUIRE_MESSAGE(demo.has_value(), problems_of(demo));
  CHECK_FALSE(demo->slos.empty());
}

namespace {

using Lines = std::set<std::string>;  // "section.key", or "section.key = value"

Lines values_of(const Settings& settings) {
  Lines all;
  for (const Setting& one : settings) all.insert(one.section + '.' + one.key + " = " + one.value);
  return all;
}
std::string joined(const Lines& lines) {
  std::string all;
  for (const std::string& one : lines) all += one + '\n';
  return all;
}

// As the rows of the document's tables have it; of [[slo]] the keys alone.
struct Document {
  Lines defaults;
  Lines slo_keys;
};
Document read_document() {
  Document document;
  std::istringstream text(text_of("docs/configuration.md"));
  std::string line, section;
  std::smatch found;
  while (std::getline(text, line)) {
    if (std::regex_match(line, found, std::regex(R"(## \[+(\w+)\]+)"))) section = found[1];
    if (!std::regex_search(line, found, std::regex(R"(^\| `(\w+)` \| (?:`(.*?)`)?)"))) continue;
    if (section == "slo")
      document.slo_keys.insert(found[1]);
    else
      document.defaults.insert(section + '.' + found[1].str() + " = " + found[2].str());
  }
  return document;
}

// A commented-out key begins with '#' and its name, a sentence with '#' and a space.
std::string uncommented(const std::string& text) {
  return std::regex_replace(text, std::regex(R"((^|\n)#([a-z_]+ = ))"), "$1$2");
}

}  // namespace

TEST_CASE("the document has each key that is read in its section, with its default and no key more") {
  CHECK(joined(read_document().defaults) == joined(values_of(read("")->settings)));
}

TEST_CASE("the example has each key at its default: all uncommented it is the same configuration") {
  const std::string example = text_of("deploy/nissa.toml");
  const auto as_it_is = read_config(example, "deploy/nissa.toml", no_limit);
  REQUIRE_MESSAGE(as_it_is.has_value(), problems_of(as_it_is));
  const auto whole = read_config(uncommented(example), "deploy/nissa.toml", no_limit);
  REQUIRE_MESSAGE(whole.has_value(), problems_of(whole));
  CHECK(joined(values_of(as_it_is->settings)) == joined(values_of(read("")->settings)));
  CHECK(joined(values_of(whole->settings)) == joined(values_of(read("")->settings)));
  CHECK(whole->slos == as_it_is->slos);
  for (const Setting& one : as_it_is->settings) CHECK_FALSE_MESSAGE(one.given, (one.section + '.' + one.key));
  for (const Setting& one : whole->settings) CHECK_MESSAGE(one.given, (one.section + '.' + one.key));
}

TEST_CASE("the example has each key of an SLO") {
  const std::string example = uncommented(text_of("deploy/nissa.toml"));
  Lines keys;
  std::istringstream slos(example.substr(example.find("[[slo]]")));
  std::smatch found;
  for (std::string line; std::getline(slos, line);)
    if (std::regex_search(line, found, std::regex(R"(^(\w+) = )"))) keys.insert(found[1]);
  CHECK(joined(keys) == joined(read_document().slo_keys));
}

TEST_CASE("every key with a range is among the settings, and every setting has its range tested or is a choice") {
  Lines tested{".state_dir",   "listen.tcp",          "listen.http", "listen.admin", "ingest.proof",
               "ingest.clock", "metrics.slo_windows", "log.format",  "log.level",    "journal.backup_directory"};
  for (const Range& range : ranges()) tested.insert(range.section + '.' + range.key);
  Lines there;
  for (const Setting& one : read("")->settings) there.insert(one.section + '.' + one.key);
  CHECK(joined(tested) == joined(there));
}
