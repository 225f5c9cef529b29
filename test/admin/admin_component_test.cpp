// The operators' door over connections in memory, before the real ledger over a journal in memory.
#include "admin/admin_component.hpp"

#include <doctest/doctest.h>

#include "base/log.hpp"
#include "ledger/ledger.hpp"
#include "net/connection.hpp"
#include "support/fake_journal.hpp"
#include "support/hand_loop.hpp"
#include "support/memory_stream.hpp"
#include "support/metrics_text.hpp"
#include "support/seed.hpp"

using namespace nissa;
using test::HandLoop;

namespace {

Task<void> ask(std::shared_ptr<ByteStream> stream, std::string request, std::string& heard, bool& ended) {
  (void)co_await stream->write(as_bytes(request));
  Bytes buffer(4096);
  while (const auto size = co_await stream->read_some(buffer)) heard.append(as_text({buffer.data(), *size}));
  ended = true;
}

slo::Definition defined(const std::string& name) {
  slo::Definition definition;
  definition.name = name;
  definition.service = name;
  return definition;
}

struct World {
  World() {
    auto opened = test::open_fake(disk);
    journal.reset(static_cast<test::FakeJournal*>(opened.journal.release()));
    ledger::LedgerOptions of_state;
    of_state.state_id = opened.state_id;
    auto recovered = ledger::recover(*journal, opened.last_lsn, of_state);
    REQUIRE(recovered.has_value());
    REQUIRE(journal->start().has_value());
    journal->finish_at_once(true);
    ledger = std::make_unique<ledger::LedgerComponent>(hand.loop, hand.timers, hand.clock, *journal, sets,
                                                       ledger::Options{}, opened.state_id, std::move(*recovered), 3);
    ledger->start();
    admin = std::make_unique<admin::AdminComponent>(
        hand.loop, hand.timers, hand.clock, admin::Options{},
        admin::Sources{*ledger,
                       *journal,
                       {books, fold, overload, ledger->counters(), journal_counters, "1.2.3", sets},
                       unmatched,
                       fold_options,
                       "{\"the\":\"configuration\"}\n"});
    hand.settle();
  }
  ~World() {
    CHECK(hand.get(admin->async_stop(ns_per_s)));
    CHECK(hand.get(ledger->async_stop()));
  }
  void define(const std::vector<std::string>& names) {
    std::vector<slo::Definition> definitions;
    for (const std::string& name : names) definitions.push_back(defined(name));
    REQUIRE(hand.get(ledger->async_define(std::move(definitions))).has_value());
  }
  // One event, good, for the SLO of this id.
  void count(slo::SloId id) {
    struct Nobody : ledger::ReplyTo {
      void deliver(std::vector<ledger::Answer>) override {}
    };
    ledger::Submission submission;
    ledger::BatchLine line{.key = {0, Priority::high, 0}, .cell_count = 1, .event_count = 1, .accepted = 1};
    submission.lines = {line};
    submission.cells = {{slo::cell_key(sets.intern({{id, slo::Criterion{}}}), 0, bucket_of(ledger->now_ms())), 1}};
    submission.sender = std::make_shared<ledger::Sender>(ledger::Sender{"agent", "127.0.0.1"});
    submission.reply_to = std::make_shared<Nobody>();
    ledger->submit(std::move(submission));
    hand.pass(ns_per_s);
    hand.settle();
  }
  std::string get(const std::string& target) { return request("GET " + target + " HTTP/1.1\r\nHost: a\r\n"); }
  std::string post(const std::string& target, const std::string& body, const std::string& type = "application/json") {
    return request("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                       "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
                   body);
  }
  // A request, until its answer is wanted.
  struct Asking {
    Asking(World& asked, const std::string& head, const std::string& body) : world(asked) {
      spawn_on(strand, world.admin->serve({pair.far, {.text = "memory"}, strand}));
      world.hand.loop.spawn(ask(pair.near, head + "Connection: close\r\n\r\n" + body, heard, ended));
      world.hand.settle();
    }
    std::string answer() {
      CHECK(world.hand.wait_for([&] { return ended; }, 10 * ns_per_s));
      pair.near->close();
      world.hand.settle();
      return heard;
    }
    World& world;
    const test::MemoryPair pair = test::memory_pair(world.hand.timers, {.seed = test::seed(), .longest_piece = 1000});
    const Strand strand{world.hand.loop};
    std::string heard;
    bool ended = false;
  };
  std::string request(const std::string& head, const std::string& body = "") {
    return Asking(*this, head, body).answer();
  }
  Asking asking_for_backup() {
    return {*this, "POST /api/v2/backup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
            "{}"};
  }

  HandLoop hand;
  slo::MatchSets sets;
  test::FakeDisk disk;
  std::unique_ptr<test::FakeJournal> journal;
  ingest::Books books;
  fold::BatchFold::Counters fold;
  fold::UnmatchedIdentities unmatched;
  fold::Options fold_options;
  overload::Counters overload;
  journal::Counters journal_counters;
  std::unique_ptr<ledger::LedgerComponent> ledger;
  std::unique_ptr<admin::AdminComponent> admin;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("it is alive from the first moment, and ready when it was told so") {
  World world;
  CHECK(world.get("/healthz").starts_with("HTTP/1.1 200 "));
  CHECK(world.get("/readyz").starts_with("HTTP/1.1 503 "));
  world.admin->set_ready(true);
  CHECK(world.get("/readyz").starts_with("HTTP/1.1 200 "));
  world.admin->set_ready(false, "stopping");
  CHECK(has(world.get("/readyz"), "not ready: stopping"));
  CHECK(world.get("/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("what stands in the way of commits is said by both health pages") {
  World world;
  world.admin->set_ready(true);
  world.journal->run_short_of_room(true);
  CHECK(has(world.get("/readyz"), "no batch is taken: the disk is short of room"));
  CHECK(has(world.get("/healthz"), "alive, but the disk is short of room"));
}

TEST_CASE("the metrics page holds Nissa's own metrics and those of each SLO, well-formed") {
  World world;
  world.define({"checkout", "search"});
  const std::string response = world.get("/metrics");
  CHECK(has(response, "Content-Type: text/plain; version=0.0.4"));
  const auto read = test::read_metrics(body_of(response));
  CHECK(read.problems.empty());
  CHECK(read.value("nissa_build_info{version=\"1.2.3\"}") == 1);
  CHECK(read.value("nissa_slo_objective_ratio{slo=\"search\"}") == 0.999);
}

TEST_CASE("the list of SLOs has each of them once, also where they fill several slices and pages") {
  World world;
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("slo-" + std::to_string(i));
  world.define(names);
  const std::string body = body_of(world.get("/api/v2/slos"));
  for (const std::string& name : names) {
    const auto at = body.find("{\"name\":\"" + name + "\"");
    CHECK_MESSAGE(at != body.npos, name);
    CHECK(body.find("{\"name\":\"" + name + "\"", at + 1) == body.npos);
  }
}

TEST_CASE("retired SLOs stand in a list of their own, also where another bears the name") {
  World world;
  CHECK(body_of(world.get("/api/v2/slos")) == "{\"slos\":[\n],\n\"retired\":[\n]}\n");
  const auto id_of = [&](const std::string& name) {
    std::vector<slo::Definition> definitions{defined(name)};
    return world.hand.get(world.ledger->async_define(definitions)).value().value()[0];
  };
  CHECK(id_of("checkout") == 0);
  world.count(0);
  CHECK(id_of("search") == 1);
  const std::string body = body_of(world.get("/api/v2/slos"));
  const auto retired = body.find("\"retired\":[");
  CHECK(body.find("{\"name\":\"search\"") < retired);
  CHECK(body.find("{\"name\":\"checkout\"") > retired);
  CHECK(has(body_of(world.get("/api/v2/slos/checkout")), "\"retired\":true"));
}

TEST_CASE("one SLO is found by its name; of an unknown one the nearest is told") {
  World world;
  world.define({"checkout", "a/b c"});
  CHECK(body_of(world.get("/api/v2/slos/checkout")).starts_with("{\"name\":\"checkout\""));
  CHECK(body_of(world.get("/api/v2/slos/a%2Fb%20c")).starts_with("{\"name\":\"a/b c\""));
  CHECK(body_of(world.get("/api/v2/slos/a/b%20c")).starts_with("{\"name\":\"a/b c\""));
  const std::string unknown = world.get("/api/v2/slos/chekout");
  CHECK(unknown.starts_with("HTTP/1.1 404 "));
  CHECK(has(unknown, "did you mean checkout?"));
  CHECK(has(world.get("/api/v2/slos/zzzzzzzzzzzzzzzz"), "/api/v2/slos lists them all"));
}

TEST_CASE("the limit of the list of streams is a number from 1 to 1000") {
  World world;
  CHECK(body_of(world.get("/api/v2/streams")).starts_with("{\"epochs_remembered\":0,"));
  for (const char* good : {"1", "1000"})
    CHECK(world.get(std::string("/api/v2/streams?limit=") + good).starts_with("HTTP/1.1 200 "));
  for (const char* bad : {"0", "1001", "", "many", "7x", "-1", "99999999999999999999"})
    CHECK_MESSAGE(world.get(std::string("/api/v2/streams?limit=") + bad).starts_with("HTTP/1.1 400 "), bad);
}

TEST_CASE("a ledger that does not answer keeps nobody waiting for more than two seconds") {
  World world;
  world.define({"checkout"});
  (void)world.get("/api/v2/slos");  // publishes what it shows later
  CHECK(world.hand.get(world.ledger->async_stop()));
  const BootNs before = world.hand.clock.boot_ns();
  CHECK(has(world.get("/api/v2/slos/checkout"), "\"checkout\""));
  CHECK(world.hand.clock.boot_ns() - before <= 2 * ns_per_s);
}

TEST_CASE("the configuration is shown as it was given to it") {
  World world;
  CHECK(body_of(world.get("/api/v2/config")) == "{\"the\":\"configuration\"}\n");
}

TEST_CASE("which SLOs an event belongs to is told by the fold's own matcher, and asking changes nothing") {
  World world;
  CHECK(world.get("/api/v2/match?service=shop").starts_with("HTTP/1.1 503 "));
  std::vector<slo::Definition> definitions{defined("any"), defined("shop")};
  for (slo::Definition& one : definitions) one.sli.selector.service = one.name == "any" ? "*" : one.name;
  const auto ids = world.hand.get(world.ledger->async_define(definitions));
  REQUIRE((ids && *ids));
  std::vector<slo::Rule> rules;
  for (const std::size_t i : {1u, 0u}) rules.push_back({(**ids)[i], definitions[i].sli});  // the order of another file
  world.admin->set_matcher(std::make_shared<slo::Matcher>(rules, world.sets));
  const std::uint32_t sets_before = world.sets.size();
  const std::string shop = body_of(world.get("/api/v2/match?service=shop&label.region=eu"));
  CHECK(shop.find("\"name\":\"shop\"") < shop.find("\"name\":\"any\""));
  CHECK(has(shop, "\"labels\":{\"region\":\"eu\"}"));
  CHECK_FALSE(has(world.get("/api/v2/match?service=bank"), "\"name\":\"shop\""));
  CHECK(world.sets.size() == sets_before);
  CHECK(body_of(world.get("/api/v2/match")) == "{\"unmatched\":{\"events\":0,\"latest\":[]}}\n");
  const std::string missing = world.get("/api/v2/match?operation=x");
  CHECK(missing.starts_with("HTTP/1.1 400 "));
  CHECK(has(missing, "service is missing"));
}

TEST_CASE("the log's level is shown, and changed by a POST with JSON alone") {
  const LogLevel before = log_level();
  World world;
  set_log_level(LogLevel::warning);
  CHECK(body_of(world.get("/api/v2/log")) == "{\"level\":\"warning\"}\n");
  CHECK(body_of(world.post("/api/v2/log", "{\"level\": \"error\"}")) == "{\"level\":\"error\",\"was\":\"warning\"}\n");
  CHECK(log_level() == LogLevel::error);
  for (const char* bad :
       {"", "debug", "{}", "[]", "{\"level\": \"loud\"}", "{\"level\": 1}", "{\"level\": \"debug\", \"more\": \"x\"}",
        "{\"level\": \"debug\"", "{\"Level\": \"debug\"}"}) {
    const std::string answer = world.post("/api/v2/log", bad);
    CHECK_MESSAGE(answer.starts_with("HTTP/1.1 400 "), answer);
    CHECK(has(answer, "{\"error\":{\"code\":\""));
  }
  CHECK(world.post("/api/v2/log", "{\"level\": \"debug\"}", "text/plain").starts_with("HTTP/1.1 415 "));
  CHECK(world.post("/api/v2/log", "{\"level\": \"debug\"}", "application/jsonx").starts_with("HTTP/1.1 415 "));
  CHECK(world.post("/api/v2/log", "{\"level\": \"" + std::string(5'000, 'x') + "\"}").starts_with("HTTP/1.1 413 "));
  CHECK(log_level() == LogLevel::error);
  CHECK(world.post("/api/v2/log", "{\"level\": \"warning\"}", "Application/JSON ; charset=utf-8")
            .starts_with("HTTP/1.1 200 "));
  CHECK(world.post("/api/v2/slos", "{}").starts_with("HTTP/1.1 405 "));
  set_log_level(before);
}

TEST_CASE("a backup is answered when it is made, as long as that takes, and says where it lies; one at a time") {
  World world;
  auto asking = world.asking_for_backup();
  world.hand.pass(5 * 60 * ns_per_s);
  CHECK(asking.heard.empty());
  const std::string second = world.post("/api/v2/backup", "{}");
  CHECK(second.starts_with("HTTP/1.1 409 "));
  CHECK(has(second, "\"backup_under_way\""));
  world.journal->answer_backup(journal::BackupMade{"/backups/one", 0xABC, 7, 8192, 12});
  const std::string made = asking.answer();
  CHECK(made.starts_with("HTTP/1.1 201 "));
  CHECK(body_of(made) ==
        R"({"directory":"/backups/one","lsn":7,"bytes":8192,"state_id":"0000000000000abc","took_ms":12})"
        "\n");
}

TEST_CASE("a backup that is being made when the server stops is answered by name") {
  World world;
  auto asking = world.asking_for_backup();
  world.journal->end_backups(0);
  const std::string answer = asking.answer();
  CHECK(answer.starts_with("HTTP/1.1 503 "));
  CHECK(has(answer, "\"stopping\""));
}

TEST_CASE("a backup goes where the configuration says: what else a request says is refused, and none is made") {
  World world;
  CHECK(world.post("/api/v2/backup", "{\"directory\": \"/etc\"}").starts_with("HTTP/1.1 400 "));
  CHECK(world.post("/api/v2/backup", "").starts_with("HTTP/1.1 400 "));
  CHECK(world.post("/api/v2/backup", "{}", "text/plain").starts_with("HTTP/1.1 415 "));
  CHECK(world.get("/api/v2/backup").starts_with("HTTP/1.1 405 "));
  const test::ExpectViolations none_is_under_way;
  world.journal->answer_backup(journal::BackupMade{});
  CHECK(none_is_under_way.seen() == 1);
}

TEST_CASE("the first page tells the others, and what is not there is said in JSON") {
  World world;
  CHECK(has(world.get("/"), "/api/v2/slos/{name}"));
  CHECK(has(world.get("/nothing"), "{\"error\":{\"code\":\"not_found\""));
}
