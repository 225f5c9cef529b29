// Requests of every kind, whole and broken, in random pieces, on several connections at once, some cut at a random
// byte: each gets the answer that it deserves, what is acknowledged is counted, and nothing stays behind.
#include <doctest/doctest.h>

#include <algorithm>

#include "http_talk.hpp"
#include "ingest/http_batch.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ingest;
using namespace nissa::ingest::test;

namespace {

using Random = std::mt19937_64;

// One request, and what it is to be told while there is room.
struct Request {
  std::string bytes;
  unsigned status = 200;
  std::size_t events = 0;
  bool repeated = false;  // under the key of the one before, so that it counts only if that was refused
};

// One agent: an epoch of its own, so that what it sends twice is its own.
class Sender {
 public:
  Sender(World& world, Random& random, Epoch epoch) : world_(world), random_(random), epoch_(epoch) {}

  Request next() {
    switch (random_() % 12) {
      case 0:
      case 1:
        return json();
      case 2:
      case 3:
        return protobuf();
      case 4:
        return again();
      case 5:
        return no_batch();
      case 6:
        return bad_header();
      case 7:
        return too_large();
      case 8:
        return bad_http();
      default:
        return bad_body();
    }
  }

 private:
  std::size_t some(std::size_t most) { return 1 + random_() % most; }
  bool once_in(unsigned n) { return random_() % n == 0; }

  std::string json_of(std::size_t events) {
    std::string body = R"({"events":[)";
    for (std::size_t i = 0; i < events; ++i)
      body += std::string(i == 0 ? "" : ",") +
              (once_in(2) ? R"({"service":"shop","outcome":"ERROR"})" : R"({"s\u0065rvice":"sh\u006fp","labels":[]})");
    return body + "]}";
  }

  // In one of the ways in which a body may be sent.
  std::string sent(std::string body, std::string_view type, std::string headers = "") {
    if (once_in(3)) {
      body = gzipped(body);
      headers += once_in(2) ? "Content-Encoding: gzip\r\n" : "content-encoding: X-GZIP\r\n";
    }
    if (once_in(4)) headers += "Expect: 100-continue\r\n";
    if (!once_in(3)) return (once_in(5) ? "\r\n" : "") + post(body, type, headers);
    return chunked(body, type, headers);
  }
  std::string chunked(std::string_view body, std::string_view type, const std::string& headers) {
    std::string out =
        "POST /v2/telemetry HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: " + std::string(type) +
        "\r\n" + headers + "\r\n";
    while (!body.empty()) {
      const std::string_view piece = body.substr(0, some(body.size()));
      char size[32];
      std::snprintf(size, sizeof size, "%zx%s\r\n", piece.size(), once_in(3) ? ";a=\"b\"" : "");
      out += size + std::string(piece) + "\r\n";
      body.remove_prefix(piece.size());
    }
    return out + "0\r\n" + (once_in(3) ? "X-Sum: 7\r\n" : "") + "\r\n";
  }

  Request json() {
    const std::size_t events = some(8);
    return {sent(json_of(events), "application/json"), 200, events};
  }
  Request protobuf() {
    const std::size_t events = some(20);
    wire::BatchHeader header = world_.header(++sequence_, events, all_priorities[random_() % priority_count]);
    header.epoch = epoch_;
    const std::string body(as_text(whole_batch(header, body_of(events))));
    const std::string named = "Nissa-Priority: " + std::string(name_of(header.priority)) +
                              "\r\nNissa-Key: " + std::to_string(epoch_) + "/" + std::to_string(sequence_) + "\r\n";
    last_ = {sent(body, "application/x-protobuf", once_in(2) ? named : ""), 200, events};
    return last_;
  }
  Request again() { return last_.bytes.empty() ? protobuf() : Request{last_.bytes, 200, last_.events, true}; }

  Request no_batch() {
    switch (random_() % 4) {
      case 0:
        return {"GET /v2/hello HTTP/1.1\r\nHost: a\r\n\r\n"};
      case 1:
        return {"GET /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404};
      case 2:
        return {"PUT /v2/telemetry HTTP/1.1\r\nHost: a\r\n\r\n", 405};
      default:
        return {"POST /v2/goodbye HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
                400};
    }
  }
  Request bad_header() {
    const std::string body = json_of(1);
    switch (random_() % 4) {
      case 0:
        return {post(body, "text/plain"), 415};
      case 1:
        return {post(body, "application/json", "Content-Encoding: br\r\n"), 415};
      case 2:
        return {post(body, "application/json", "Nissa-Priority: URGENT\r\n"), 400};
      default:
        return {post(body, "application/json", "Nissa-Key: 1/2\r\nNissa-Key: 1/2\r\n"), 400};
    }
  }
  Request too_large() {
    const std::string spaces(world_.options.ingest.max_json_bytes + some(3'000), ' ');
    switch (random_() % 3) {
      case 0:
        return {post(json_of(1) + spaces), 413};
      case 1:
        return {post(gzipped(spaces), "application/json", "Content-Encoding: gzip\r\n"), 413};
      default:
        return {chunked(json_of(1) + spaces, "application/json", ""), 413};
    }
  }
  // After these the connection is closed.
  Request bad_http() {
    const std::string start = "POST /v2/telemetry HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    switch (random_() % 6) {
      case 0:
        return {start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", 400};
      case 1:
        return {start + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", 400};
      case 2:
        return {start + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400};
      case 3:
        return {"GET / HTTP/1.1\r\n\r\n", 400};
      case 4:
        return {start + "X: " + std::string(9'000, 'x') + "\r\n\r\n", 431};
      default:
        return {std::string("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11) + "\r\n\r\n", 400};
    }
  }
  Request bad_body() {
    std::string body = json_of(some(5));
    switch (random_() % 5) {
      case 0:
        body.resize(random_() % body.size());
        return {sent(body, "application/json"), 400};
      case 1:
        body[random_() % body.size()] = '\x01';
        return {sent(body, "application/json"), 400};
      case 2:
        return {sent(std::string(some(3'000), '['), "application/json"), 400};
      case 3:
        return {sent(body, "application/x-protobuf"), 400};
      default:
        return {post(body, "application/json", "Content-Encoding: gzip\r\n"), 400};
    }
  }

  World& world_;
  Random& random_;
  const Epoch epoch_;
  Sequence sequence_ = 0;
  Request last_;
};

std::size_t accepted_in(const Heard& heard) {
  if (heard.head.find("x-protobuf") != std::string::npos) {
    const auto ack = wire::decode_ack(as_bytes(heard.body));
    REQUIRE(ack.has_value());
    return ack->status == wire::AckStatus::counted ? ack->accepted : 0;
  }
  const auto at = heard.body.find(R"("accepted":)");
  return heard.body.find(R"("status":"COUNTED")") == std::string::npos ? 0 : std::stoul(heard.body.substr(at + 11));
}

// One connection: what it sends, how far it has come, and where it ends.
struct Visitor {
  std::unique_ptr<HttpTalk> talk;
  std::vector<Request> requests;
  std::string bytes;
  std::size_t at = 0, end = 0;
  bool hangs_up = false;
};

Visitor visitor(World& world, Random& random, Epoch epoch) {
  const PeerAddress peer{"10.0.0." + std::to_string(random() % 3), 1, false};
  Visitor made{std::make_unique<HttpTalk>(world, peer, random() % 2 == 0 ? 0 : 1 + random() % 100)};
  Sender sender(world, random, epoch);
  for (auto n = 1 + random() % 6; n > 0; --n) {
    made.requests.push_back(sender.next());
    made.bytes += made.requests.back().bytes;
  }
  const bool whole = random() % 2 == 0;
  made.end = whole ? made.bytes.size() : random() % made.bytes.size();
  made.hangs_up = !whole && random() % 2 == 0;
  return made;
}

// Returns what it was told is counted; adds what was sent and not answered to `uncertain`.
std::size_t judge(const Visitor& visitor, bool tight, std::size_t& uncertain) {
  std::size_t counted = 0;
  std::size_t begin = 0;
  bool closed = false;
  const auto heard = visitor.talk->heard();
  for (std::size_t i = 0; i < visitor.requests.size() && !closed; ++i) {
    const Request& request = visitor.requests[i];
    begin += request.bytes.size();
    if (i >= heard.size()) {
      CHECK((begin > visitor.end || visitor.hangs_up));
      if (begin <= visitor.end && (tight || !request.repeated)) uncertain += request.events;
      continue;
    }
    INFO(request.bytes.substr(0, 600), "\nis told\n", heard[i].head, heard[i].body);
    CHECK((heard[i].status == request.status || (tight && heard[i].status == 503)));
    const std::size_t accepted = accepted_in(heard[i]);
    const bool counts = heard[i].status == 200 && !request.repeated;
    CHECK((accepted == (counts ? request.events : 0) || (tight && request.repeated && accepted == request.events)));
    counted += accepted;
    closed = heard[i].head.find("Connection: close") != std::string::npos;
    if (closed) CHECK(heard.size() == i + 1);
  }
  CHECK(heard.size() <= visitor.requests.size());
  return counted;
}

void one_round(Random& random, bool tight) {
  WorldOptions options;
  options.ingest.max_frame_bytes = 16 * 1024;
  options.ingest.max_inflated_bytes = 16 * 1024;
  options.ingest.max_json_bytes = 4 * 1024;
  if (tight) options.overload.ingest_bytes = options.overload.critical_bytes = 48 * 1024;
  World world(options);
  std::vector<Visitor> visitors;
  for (Epoch epoch = 100; epoch < 104; ++epoch) visitors.push_back(visitor(world, random, epoch));
  for (std::size_t open = visitors.size(); open > 0;) {
    Visitor& one = visitors[random() % visitors.size()];
    if (one.at > one.end) continue;  // it is done
    const std::size_t size = std::min(one.end - one.at, random() % 3 == 0 ? one.bytes.size() : random() % 300);
    one.talk->send(one.bytes.substr(one.at, size));
    one.at += size;
    if (random() % 4 == 0) world.pass_ms(1 + static_cast<std::int64_t>(random() % 20));
    if (one.at < one.end) continue;
    if (one.hangs_up) one.talk->hang_up();
    one.at = one.end + 1;
    --open;
  }
  world.pass_ms(500);
  world.pass_ms(options.ingest.frame_timeout_ms);  // who stands still in the middle is closed
  world.pass_ms(1'000);
  CHECK(world.bytes_in_use() == 0);
  std::size_t counted = 0;
  std::size_t uncertain = 0;
  for (const Visitor& one : visitors) counted += judge(one, tight, uncertain);
  CHECK(world.total_of_shop() >= counted);
  CHECK(world.total_of_shop() <= counted + uncertain);
  for (const Priority priority : all_priorities) CHECK(world.books.unkeyed[index_of(priority)].in_hand.value() == 0);
}

}  // namespace

TEST_CASE(
    "any requests, in any pieces, cut anywhere: all is answered, what is acknowledged is counted, no room is kept") {
  auto random = nissa::test::random_for(410);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    one_round(random, round % 4 == 3);
  }
}
