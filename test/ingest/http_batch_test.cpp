#include "ingest/http_batch.hpp"

#include <doctest/doctest.h>

#include "http_talk.hpp"
#include "ingest/http_answer.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ingest;
using namespace nissa::ingest::test;

namespace {

constexpr const char* protobuf = "application/x-protobuf";

bool has(const Heard& heard, std::string_view text) { return heard.body.find(text) != std::string::npos; }
wire::Ack ack_of(const Heard& heard) {
  auto ack = wire::decode_ack(as_bytes(heard.body));
  REQUIRE(ack.has_value());
  return *ack;
}
std::string keyed(World& world, Sequence sequence, std::size_t events = 1, Priority priority = Priority::normal) {
  return std::string(as_text(whole_batch(world.header(sequence, events, priority), body_of(events))));
}
std::string one_event(std::string_view service = "shop") {
  return R"({"events":[{"service":")" + std::string(service) + R"("}]})";
}

}  // namespace

TEST_CASE("a keyed batch in protobuf is counted once, however often it is posted") {
  World world;
  HttpTalk talk(world);
  const Heard first = talk.ask(post(keyed(world, 1, 3), protobuf));
  CHECK(first.status == 200);
  CHECK(ack_of(first).status == wire::AckStatus::counted);
  CHECK(ack_of(first).accepted == 3);
  CHECK(ack_of(first).key == BatchKey{world.epoch, Priority::normal, 1});
  CHECK_FALSE(ack_of(first).unkeyed);
  const Heard again = talk.ask(post(keyed(world, 1, 3), protobuf));
  CHECK(again.status == 200);
  CHECK(ack_of(again).status == wire::AckStatus::duplicate);
  CHECK(world.total_of_shop() == 3);
}

TEST_CASE("a batch without a key is counted each time, and the answer says that it had none") {
  World world;
  HttpTalk talk(world);
  for (std::uint64_t i = 1; i <= 2; ++i) {
    const Heard heard = talk.ask(post(one_event()));
    CHECK(heard.status == 200);
    CHECK(has(heard, R"("status":"COUNTED")"));
    CHECK(has(heard, R"("identity":"none")"));
    CHECK(has(heard, R"("accepted":1)"));
    CHECK_FALSE(has(heard, "\"epoch\""));
    CHECK(world.total_of_shop() == i);
  }
  CHECK(world.ledger->counters().unkeyed[index_of(Priority::normal)].counted.value() == 2);
}

TEST_CASE("the answer tells how many of the events belong to no SLO, and says nothing where all do belong to one") {
  World world;
  HttpTalk talk(world);
  const Heard typo = talk.ask(post(R"({"events":[{"service":"shpo"},{"service":"shop"},{"service":"bank"}]})"));
  CHECK(has(typo, R"("accepted":3)"));
  CHECK(has(typo, R"("unmatched":2)"));
  CHECK_FALSE(has(talk.ask(post(one_event())), "unmatched"));
  CHECK(has(talk.ask(post(one_event("shpo"))), R"("unmatched":1)"));
}

TEST_CASE("the same batch over TCP and over HTTP is counted once") {
  World world;
  const auto agent = world.connect();
  world.send(agent, world.batch(1, 2));
  world.finish_commits();
  REQUIRE(agent->ack_of(1) != nullptr);
  HttpTalk talk(world);
  CHECK(ack_of(talk.ask(post(keyed(world, 1, 2), protobuf))).status == wire::AckStatus::duplicate);
  CHECK(world.total_of_shop() == 2);
}

TEST_CASE("a gzipped body is counted as what it inflates to") {
  World world;
  HttpTalk talk(world);
  CHECK(talk.ask(post(gzipped(one_event()), "application/json", "Content-Encoding: gzip\r\n")).status == 200);
  const auto packed = gzipped(keyed(world, 1, 900));
  CHECK(ack_of(talk.ask(post(packed, protobuf, "Content-Encoding: gzip\r\n"))).accepted == 900);
  CHECK(ack_of(talk.ask(post(keyed(world, 1, 900), protobuf))).status == wire::AckStatus::duplicate);
}

TEST_CASE("what inflates beyond the bound is 413, what is no gzip 400, and the connection goes on") {
  WorldOptions options;
  options.ingest.max_inflated_bytes = 5'000;
  World world(options);
  HttpTalk talk(world);
  const auto padded = [&](std::size_t size) {
    const Bytes body = body_of_size(size);
    const std::size_t header = whole_batch(world.header(1, events_in(body)), {}).size();
    const Bytes exact = body_of_size(size - header);
    return std::string(as_text(whole_batch(world.header(1, events_in(exact)), exact)));
  };
  REQUIRE(padded(5'000).size() == 5'000);
  const auto gzip = [](std::string body) { return post(gzipped(body), protobuf, "Content-Encoding: gzip\r\n"); };
  const Heard large = talk.ask(gzip(padded(5'001)));
  CHECK(large.status == 413);
  CHECK(ack_of(large).reason == Reason::frame_too_large);
  CHECK(talk.ask(post("no gzip", protobuf, "Content-Encoding: gzip\r\n")).status == 400);
  CHECK(talk.ask(gzip(padded(5'000))).status == 200);
  CHECK(world.books.unkeyed[index_of(Priority::normal)].malformed.value() == 2);
}

TEST_CASE("a JSON body and a protobuf body have a bound each, known from Content-Length") {
  WorldOptions options;
  options.ingest.max_frame_bytes = 9'000;
  options.ingest.max_json_bytes = 2'000;
  World world(options);
  HttpTalk talk(world);
  const auto spaced = [](std::size_t size) { return one_event() + std::string(size - one_event().size(), ' '); };
  CHECK(talk.ask(post(spaced(2'000))).status == 200);
  const Heard json = talk.ask(post(spaced(2'001)));
  CHECK(json.status == 413);
  CHECK(has(json, "has 2001 bytes; this server takes 2000"));
  HttpTalk other(world);
  CHECK(other.ask(post(keyed(world, 1, 10), protobuf)).status == 200);
  CHECK(other.ask(post(std::string(9'001, 'x'), protobuf)).status == 413);
}

TEST_CASE("a chunked body beyond its bound is told the same as one of known length, and its room goes back at once") {
  WorldOptions options;
  options.ingest.max_json_bytes = 2'000;
  World world(options);
  const auto chunked = [](std::size_t size) {
    const std::string body = one_event() + std::string(size - one_event().size(), ' ');
    return "POST /v2/telemetry HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
           "chunked\r\n\r\n7d0\r\n" +
           body.substr(0, 2'000) + "\r\n" + (size > 2'000 ? "1\r\n \r\n" : "") + "0\r\n\r\n";
  };
  HttpTalk talk(world);
  CHECK(talk.ask(chunked(2'000)).status == 200);
  const Heard heard = talk.ask(chunked(2'001));
  CHECK(heard.status == 413);
  CHECK(has(heard, R"("reason":"FRAME_TOO_LARGE")"));
  CHECK(has(heard, "this server takes 2000 bytes of this type"));
  CHECK_FALSE(talk.ended());  // what is left of the body is read for a while, so that the answer arrives
  CHECK(world.bytes_in_use() == 0);
  CHECK(world.books.unkeyed[index_of(Priority::normal)].malformed.value() == 1);
  world.pass_ms(1'000);
  CHECK(talk.ended());
}

TEST_CASE("what is wrong with a JSON body is told by offset, field and a sentence") {
  World world;
  HttpTalk talk(world);
  const Heard heard = talk.ask(post(R"({"events":[{"service":"shop","service":"x"}]})"));
  CHECK(heard.status == 400);
  CHECK(has(heard, R"("status":"MALFORMED")"));
  CHECK(has(heard, R"("reason":"FIELD_REPEATED")"));
  CHECK(has(heard, R"("field":"events[0].service")"));
  CHECK(has(heard, R"("byte_offset":)"));
  CHECK(has(heard, R"("message":)"));
  CHECK(talk.ask(post(one_event())).status == 200);
}

TEST_CASE("a malformed batch is answered by its key, and counts nothing") {
  World world;
  HttpTalk talk(world);
  wire::BatchHeader header = world.header(1, 2);
  const Heard count = talk.ask(post(as_text(whole_batch(header, body_of(1))), protobuf));
  CHECK(count.status == 400);
  CHECK(ack_of(count).reason == Reason::event_count_wrong);
  CHECK(ack_of(count).key == header.key());
  const Heard empty = talk.ask(post("", protobuf));
  CHECK(empty.status == 400);
  Bytes cut = whole_batch(world.header(1, 1), body_of(1));
  cut.pop_back();
  CHECK(talk.ask(post(as_text(cut), protobuf)).status == 400);
  CHECK(world.total_of_shop() == 0);
}

TEST_CASE("max_events is an edge over HTTP too, for both forms") {
  WorldOptions options;
  options.ingest.max_events = 3;
  World world(options);
  HttpTalk talk(world);
  CHECK(talk.ask(post(keyed(world, 1, 3), protobuf)).status == 200);
  CHECK(ack_of(talk.ask(post(keyed(world, 2, 4), protobuf))).reason == Reason::too_many_events);
  const auto json = [](int n) {
    std::string body = R"({"events":[)";
    for (int i = 0; i < n; ++i) body += std::string(i == 0 ? "" : ",") + R"({"service":"shop"})";
    return body + "]}";
  };
  CHECK(talk.ask(post(json(3))).status == 200);
  CHECK(has(talk.ask(post(json(4))), "TOO_MANY_EVENTS"));
  CHECK(world.total_of_shop() == 6);
}

TEST_CASE("what the request's own headers say of the batch must be true") {
  World world;
  HttpTalk talk(world);
  const std::string batch = keyed(world, 5, 1, Priority::high);
  const auto with = [&](std::string headers) { return talk.ask(post(batch, protobuf, headers)); };
  CHECK(ack_of(with("Nissa-Priority: LOW\r\n")).field == "Nissa-Priority");
  CHECK(ack_of(with("Nissa-Priority: HIGH\r\nNissa-Key: 7/6\r\n")).field == "Nissa-Key");
  CHECK(ack_of(with("Nissa-Priority: HIGH\r\nNissa-Key: 7/5\r\n")).status == wire::AckStatus::counted);
  CHECK(has(with("Nissa-Priority: LOW\r\n"), "Nissa-Priority: LOW, but the batch's own priority is HIGH; let"));
  CHECK(has(with("Nissa-Key: 0x7/6\r\n"), "Nissa-Key: 7/6, but the batch's own key is 7/5; let"));
  CHECK(has(talk.ask(post(one_event(), "application/json", "Nissa-Key: 7/6\r\n")),
            "Nissa-Key: 7/6, but the batch itself bears no key; give it"));
}

TEST_CASE("each rule of the header is told in a sentence of its own, in protobuf too") {
  World world;
  HttpTalk talk(world);
  const auto told = [&](const auto& change) {
    wire::BatchHeader header = world.header(1);
    change(header);
    const wire::Ack ack = ack_of(talk.ask(post(as_text(whole_batch(header, body_of(1))), protobuf)));
    CHECK(ack.reason == Reason::header_invalid);
    return ack.message;
  };
  CHECK(told([](auto& header) { header.epoch = 0; }) == "epoch: expected a random number that is not 0");
  CHECK(told([](auto& header) { header.sequence = 0; }) == "sequence: expected a number from 1 on");
  CHECK(told([](auto& header) { header.settled_below = 2; }) == "settled_below: expected at most what `sequence` says");
  const std::string name(97, 'n');
  CHECK(told([&](auto& header) { header.agent = name; }) == "agent: expected at most 96 bytes");
  Bytes half = whole_batch(world.header(1), body_of(1));
  half.erase(half.begin(), half.begin() + 9);  // the epoch
  CHECK(has(talk.ask(post(as_text(half), protobuf)), "epoch_seen together, or none of them; found some without"));
  half.erase(half.begin(), half.begin() + 2);  // the priority
  CHECK(has(talk.ask(post(as_text(half), protobuf)), "priority: expected priority in each batch, found none"));
}

TEST_CASE("an epoch that is not taken is told by its cause: another state, one ahead of it, one long ago, or its end") {
  World world;
  HttpTalk talk(world);
  const auto told = [&](const EpochSeen& seen) {
    wire::BatchHeader header = world.header(1);
    header.epoch_seen = seen;
    const Heard heard = talk.ask(post(as_text(whole_batch(header, body_of(1))), protobuf));
    CHECK(heard.status == 400);
    CHECK(ack_of(heard).reason == Reason::unknown_epoch);
    return ack_of(heard).message;
  };
  const std::uint64_t ours = world.disk.state_id;
  CHECK(told({77, 0}).find("epoch_seen.state_id is 77, which is another state than this one, " +
                           std::to_string(ours)) != std::string::npos);
  CHECK(told({ours, 1'000'000'000'000}).find("epoch_seen.running_ms is 1000000000000, ahead of this state's") !=
        std::string::npos);
  CHECK(unknown_epoch_cause({1, 5}, {1, 691'200'005}).find("is 5, too long before this state's 691200005") !=
        std::string::npos);
  CHECK(unknown_epoch_cause({1, 6}, {1, 691'200'005}).find("a Goodbye has ended it") != std::string::npos);
}

TEST_CASE("metrics and alerts are refused for good, by name") {
  World world;
  HttpTalk talk(world);
  const Heard heard = talk.ask(post(R"({"metrics":[{"name":"queue","value":3}]})"));
  CHECK(heard.status == 400);
  CHECK(has(heard, "NOT_SUPPORTED"));
  CHECK(has(heard, R"("final":true)"));
}

TEST_CASE("where there is no room a batch is refused from its headers, and the room of others goes back") {
  WorldOptions options;
  options.overload.ingest_bytes = std::size_t{1} << 20;
  options.overload.critical_bytes = std::size_t{1} << 20;
  World world(options);
  const auto head = [](std::size_t length, std::string more = "") {
    return "POST /v2/telemetry HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nExpect: "
           "100-continue\r\n" +
           more + "Content-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  std::vector<std::unique_ptr<HttpTalk>> many;
  for (int i = 0; i < 4; ++i) {  // a quarter each is a sender's most; NORMAL may hold 80 %
    many.push_back(std::make_unique<HttpTalk>(world, PeerAddress{"10.0.0." + std::to_string(i), 1, false}));
    many.back()->send(head(250'000));
  }
  CHECK(many[2]->heard().empty());
  REQUIRE(many[3]->heard().size() == 1);
  CHECK(many[3]->heard()[0].status == 503);
  CHECK(many[3]->heard()[0].head.find("Retry-After: ") != std::string::npos);
  CHECK(ack_of(many[3]->heard()[0]).reason == Reason::no_room);
  HttpTalk critical(world, {"10.0.1.1", 1, false});
  critical.send(head(250'000, "Nissa-Priority: CRITICAL\r\n"));
  CHECK(critical.heard().empty());
  many.clear();
  HttpTalk next(world);
  CHECK(next.ask(post(one_event())).status == 200);
}

TEST_CASE("while the line of LOW stands, LOW is refused from its headers or from its body, and CRITICAL is not") {
  WorldOptions options;
  options.overload.slice_ns = 1;  // one turn a slice
  World world(options);
  HttpTalk from_headers(world);
  HttpTalk from_body(world);
  HttpTalk critical(world);
  const auto wait = [](World& in) -> Task<void> { (void)co_await in.overload->async_turn(Priority::low, 1'000); };
  for (int i = 0; i < 300; ++i) world.hand.loop.spawn(wait(world));
  world.hand.loop.spawn([](World& in) -> Task<void> {  // each turn of the loop takes 20 ms
    for (int i = 0; i < 200; ++i, co_await yield_turn()) in.hand.clock.advance(20 * ns_per_ms);
  }(world));
  world.hand.loop.spawn([](World& in, HttpTalk& head, HttpTalk& body, HttpTalk& other) -> Task<void> {
    for (int i = 0; i < 80; ++i) co_await yield_turn();
    head.begin(
        "POST /v2/telemetry HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nNissa-Priority: LOW\r\n"
        "Nissa-Key: 7/3\r\nContent-Length: 500000\r\n\r\n");
    body.begin(post(keyed(in, 1, 1, Priority::low), protobuf));
    other.begin(post(keyed(in, 1, 1, Priority::critical), protobuf, "Nissa-Priority: CRITICAL\r\n"));
  }(world, from_headers, from_body, critical));
  world.hand.settle();
  world.pass_ms(20);
  REQUIRE(from_headers.heard().size() == 1);
  CHECK(from_headers.heard()[0].status == 503);
  CHECK(ack_of(from_headers.heard()[0]).key == BatchKey{7, Priority::low, 3});
  CHECK(ack_of(from_headers.heard()[0]).reason == Reason::overloaded);
  REQUIRE(from_body.heard().size() == 1);
  CHECK(ack_of(from_body.heard()[0]).reason == Reason::overloaded);
  REQUIRE(critical.heard().size() == 1);
  CHECK(critical.heard()[0].status == 200);
  CHECK(world.total_of_shop() == 1);
}

TEST_CASE("while the open group is full and the disk hangs, HTTP is refused at once and nobody is held") {
  WorldOptions options;
  options.journal_by_hand = true;
  options.ledger.commit.group_bytes = 1'000;
  options.ledger.commit.slow_after_ns = 3'600 * ns_per_s;
  World world(options);
  std::vector<std::unique_ptr<HttpTalk>> talks;
  for (Sequence sequence = 1; sequence < 100 && world.lobby->door.ledger.has_room(); ++sequence) {
    talks.push_back(std::make_unique<HttpTalk>(world));
    talks.back()->send(post(keyed(world, sequence, 3), protobuf));
    if (sequence == 1) world.pass_ms(5);  // in flight, and stays there
  }
  REQUIRE_FALSE(world.lobby->door.ledger.has_room());
  for (const bool json : {false, true}) {
    HttpTalk late(world);
    const Heard heard =
        late.ask(json ? post(one_event()) : post(keyed(world, 200), protobuf, "Accept: application/json\r\n"));
    CHECK(heard.status == 503);
    CHECK(has(heard, "NO_ROOM"));
    CHECK(heard.head.find("Retry-After: ") != std::string::npos);
  }
  world.finish_commits();
  for (const auto& one : talks) {
    REQUIRE(one->heard().size() == 1);
    CHECK(ack_of(one->heard()[0]).status == wire::AckStatus::counted);
  }
  CHECK(world.total_of_shop() == 3 * talks.size());
}

TEST_CASE("a failed commit is 503 with journal, and the same batch counts later") {
  WorldOptions options;
  options.journal_by_hand = true;
  World world(options);
  HttpTalk talk(world);
  talk.send(post(keyed(world, 1), protobuf));
  world.pass_ms(5);
  CHECK(talk.heard().empty());
  world.finish_one(journal::CommitResult::unknown);
  REQUIRE(talk.heard().size() == 1);
  CHECK(talk.heard()[0].status == 503);
  CHECK(ack_of(talk.heard()[0]).reason == Reason::journal);
}

TEST_CASE("who waits too long for a commit is told journal_slow") {
  WorldOptions options;
  options.journal_by_hand = true;
  World world(options);
  HttpTalk talk(world);
  talk.send(post(one_event()));
  world.pass_ms(2'500);
  REQUIRE(talk.heard().size() == 1);
  CHECK(talk.heard()[0].status == 503);
  CHECK(has(talk.heard()[0], "JOURNAL_SLOW"));
  world.finish_one();
  CHECK(world.total_of_shop() == 1);  // counted at least once: it said so
}

TEST_CASE("hello tells limits, state and whether an epoch is known; goodbye ends it") {
  World world;
  HttpTalk talk(world);
  const auto get = [&](std::string target) { return talk.ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"); };
  CHECK(has(get("/v2/hello"), R"("max_events":1000)"));
  CHECK(has(get("/v2/hello"), R"("max_inflated_bytes":4194304,"max_json_bytes":65536)"));
  CHECK_FALSE(has(get("/v2/hello"), "epoch_known"));
  CHECK(has(get("/v2/hello?epoch=7"), R"("epoch_known":false)"));
  CHECK(talk.ask(post(keyed(world, 1), protobuf)).status == 200);
  CHECK(has(get("/v2/hello?epoch=0x7"), R"("epoch_known":true)"));
  CHECK(get("/v2/hello?epoch=seven").status == 400);
  const std::string seen =
      R"("epoch_seen":{"state_id":")" + std::to_string(world.disk.state_id) + R"(","running_ms":0})";
  const auto goodbye = [&](std::string body) {
    return talk.ask("POST /v2/goodbye HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  CHECK(goodbye("{\"epoch\":7}").status == 400);
  CHECK(goodbye("{\"epoch\":7," + seen + "}").status == 200);
  CHECK(has(get("/v2/hello?epoch=7"), R"("epoch_known":false)"));
  CHECK(ack_of(talk.ask(post(keyed(world, 2), protobuf))).reason == Reason::unknown_epoch);
}

TEST_CASE("when the server stops what is in hand is answered, and the connection is closed") {
  WorldOptions options;
  options.journal_by_hand = true;
  World world(options);
  HttpTalk talk(world);
  talk.send(post(keyed(world, 1), protobuf));
  world.pass_ms(5);
  world.begin_stop(ns_per_s);
  CHECK(talk.heard().empty());
  world.finish_one();
  REQUIRE(talk.heard().size() == 1);
  CHECK(ack_of(talk.heard()[0]).status == wire::AckStatus::counted);
  CHECK(talk.heard()[0].head.find("Connection: close") != std::string::npos);
  CHECK(talk.ended());
}
