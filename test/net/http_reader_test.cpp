#include "net/http_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::net;

namespace {

// Feeds `bytes` in pieces until something is to be said.
template <class Reader>
HttpProgress feed(Reader& reader, std::string_view& bytes, std::size_t piece) {
  HttpProgress progress = HttpProgress::need_more;
  while (progress == HttpProgress::need_more && !bytes.empty()) {
    const auto room = reader.room();
    const std::size_t size = std::min({piece, bytes.size(), room.size()});
    std::ranges::copy(as_bytes(bytes.substr(0, size)), room.begin());
    bytes.remove_prefix(size);
    progress = reader.feed(size);
  }
  return progress;
}

HttpProgress judged(std::string_view bytes, std::size_t piece = 1'000'000, std::size_t body_limit = 10) {
  HttpRequestReader reader(8192);
  HttpProgress progress = feed(reader, bytes, piece);
  if (progress != HttpProgress::head_done) return progress;
  if (!reader.head().has_body) return HttpProgress::complete;
  progress = reader.accept_body(body_limit);
  return progress == HttpProgress::need_more ? feed(reader, bytes, piece) : progress;
}

}  // namespace

TEST_CASE("a request is read the same in pieces of any size, with the next one behind it") {
  const std::string both =
      "POST /v2/telemetry?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "GET /metrics HTTP/1.0\r\n\r\n";
  for (std::size_t piece : {1UL, 2UL, 3UL, 7UL, 50UL, 1000UL}) {
    CAPTURE(piece);
    HttpRequestReader reader(8192);
    std::string_view rest = both;
    REQUIRE(feed(reader, rest, piece) == HttpProgress::head_done);
    CHECK(reader.head().request.method == "POST");
    CHECK(reader.head().raw_path == "/v2/telemetry");
    CHECK(reader.head().request.query == "x=1");
    CHECK(reader.head().keep_alive);
    CHECK(reader.head().has_body);
    auto progress = reader.accept_body(5);
    if (progress == HttpProgress::need_more) progress = feed(reader, rest, piece);
    REQUIRE(progress == HttpProgress::complete);
    CHECK(reader.take_body() == "hello");
    reader.next();
    progress = reader.feed(0);
    if (progress == HttpProgress::need_more) progress = feed(reader, rest, piece);
    REQUIRE(progress == HttpProgress::head_done);
    CHECK(reader.head().raw_path == "/metrics");
    CHECK(!reader.head().keep_alive);
    CHECK(!reader.head().has_body);
    reader.next();
    CHECK(reader.empty());
  }
}

TEST_CASE("an oversized header is refused, whether it comes at once, byte by byte or field by field") {
  const std::string one_long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 1000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  const std::string long_target = "GET /" + std::string(9000, 'a');
  for (const auto& bytes : {one_long, many, long_target})
    for (std::size_t piece : {1UL, 11UL, 1'000'000UL}) CHECK(judged(bytes, piece) == HttpProgress::head_too_large);
}

TEST_CASE("a body beyond the limit is refused, by its length before it is read, by its chunks when they say so") {
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n") == HttpProgress::body_too_large);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789") == HttpProgress::complete);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n") ==
        HttpProgress::complete);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n0123456789abcde\r\n0\r\n\r\n") ==
        HttpProgress::body_too_large);
}

TEST_CASE("what two servers could read differently is refused") {
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd") ==
        HttpProgress::bad);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        HttpProgress::bad);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc") == HttpProgress::bad);
  CHECK(judged("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n") == HttpProgress::bad);
  CHECK(judged("GET / HTTP/2.0\r\n\r\n") == HttpProgress::bad);
  CHECK(judged("GET /\r\n\r\n") == HttpProgress::bad);
  CHECK(judged("G@T / HTTP/1.1\r\nHost: a\r\n\r\n") == HttpProgress::bad);
  CHECK(judged("GET / HTTP/1.1\nHost: a\n\n") == HttpProgress::bad);
}

TEST_CASE("what RFC 9112 refuses and Beast does not is refused, and it is said what it was") {
  const auto fault_of = [](std::string_view bytes) {
    HttpRequestReader reader(8192);
    return feed(reader, bytes, 7) == HttpProgress::bad ? reader.fault() : std::string();
  };
  CHECK(fault_of("GET / HTTP/1.1\r\n\r\n") == "no Host");
  CHECK(fault_of("GET / HTTP/1.1\r\nHost:\r\n\r\n") == "");
  CHECK(fault_of("GET / HTTP/1.0\r\n\r\n") == "");
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == "more than one Host");
  CHECK(fault_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == "more than one Host");
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ";
  CHECK(fault_of(post + "Chunked\r\n\r\n") == "");
  for (const auto* coding : {"gzip, chunked", "gzip\r\nTransfer-Encoding: chunked", "identity"})
    CHECK(fault_of(post + coding + "\r\n\r\n") == "Transfer-Encoding is not \"chunked\" alone");
  CHECK(fault_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == "Transfer-Encoding in HTTP/1.0");
  CHECK(fault_of("GET / HTTP/2.0\r\n\r\n") == "bad version");
}

TEST_CASE("a target may be absolute, in any case of the scheme; its path ends at the query") {
  const auto target = [](std::string_view target) {
    HttpRequestReader reader(8192);
    const std::string bytes = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    std::string_view rest = bytes;
    REQUIRE(feed(reader, rest, 100) == HttpProgress::head_done);
    return reader.head().raw_path + '|' + reader.head().request.query;
  };
  CHECK(target("http://a:7441/v2/hello?x=1") == "/v2/hello|x=1");
  CHECK(target("HTTP://a/v2/hello") == "/v2/hello|");
  CHECK(target("http://a?x/v2/hello") == "/|x/v2/hello");
  CHECK(target("http://a") == "/|");
  CHECK(target("http:///x") == "/x|");
  CHECK(target("/http://a/b") == "/http://a/b|");
}

TEST_CASE("empty lines before a request are skipped, however they are cut; half a one is none") {
  for (const std::size_t piece : {1UL, 2UL, 3UL, 100UL}) {
    CHECK(judged("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", piece) == HttpProgress::complete);
    CHECK(judged("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", piece) == HttpProgress::bad);
    CHECK(judged("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", piece) == HttpProgress::bad);
  }
}

TEST_CASE("a hundred fields are taken, of a head and of a trailer; one more is not") {
  const auto fields = [](int n) {
    std::string all;
    for (int i = 0; i < n; ++i) all += "a:\r\n";
    return all;
  };
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
  for (const std::size_t piece : {5UL, 1'000'000UL}) {
    CHECK(judged(get + fields(99) + "\r\n", piece) == HttpProgress::complete);
    CHECK(judged(get + fields(100) + "\r\n", piece) == HttpProgress::head_too_large);
    CHECK(judged(post + fields(100) + "\r\n", piece) == HttpProgress::complete);
    CHECK(judged(post + fields(101) + "\r\n", piece) == HttpProgress::head_too_large);
  }
}

TEST_CASE("chunks, and the last one alone, are read in any pieces") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"0\r\n\r\n", "0\r\nA: b\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "3;a=b\r\nxyz\r\n00\r\n\r\n"})
    for (std::size_t first = 1; first < body.size(); ++first)
      for (std::size_t second = first; second < body.size(); ++second) {
        CAPTURE(body);
        HttpRequestReader reader(8192);
        std::string_view rest = head;
        REQUIRE(feed(reader, rest, 1'000) == HttpProgress::head_done);
        HttpProgress progress = reader.accept_body(10);
        for (std::string_view piece :
             {std::string_view(body).substr(0, first), std::string_view(body).substr(first, second - first),
              std::string_view(body).substr(second)}) {
          REQUIRE(progress == HttpProgress::need_more);
          if (!piece.empty()) progress = feed(reader, piece, 1'000);
        }
        CHECK(progress == HttpProgress::complete);
        CHECK(reader.take_body().size() == (body[0] == '0' ? 0 : static_cast<std::size_t>(body[0] - '0')));
      }
}

TEST_CASE("what is said of a chunk, and what follows the last one, takes no more room than a head") {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t piece : {11UL, 1'000'000UL}) {
    CHECK(judged(post + "4;a=" + std::string(8000, 'b') + "\r\nabcd\r\n0\r\n\r\n", piece) == HttpProgress::complete);
    CHECK(judged(post + "4;a=" + std::string(100'000, 'b'), piece) == HttpProgress::head_too_large);
    CHECK(judged(post + "4\r\nabcd\r\n0\r\nX: " + std::string(8000, 'b') + "\r\n\r\n", piece) ==
          HttpProgress::complete);
    CHECK(judged(post + "4\r\nabcd\r\n0\r\nX: " + std::string(100'000, 'b'), piece) == HttpProgress::head_too_large);
  }
}

TEST_CASE("random damage to a request is judged, never a crash or a hang") {
  auto random = nissa::test::random_for(102);
  const std::string good =
      "POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes = good;
    for (auto n = random() % 4; n > 0; --n) {
      const auto at = random() % bytes.size();
      if (random() % 2 == 0)
        bytes[at] = static_cast<char>(random());
      else
        bytes.erase(at, random() % 5);
    }
    (void)judged(bytes, 1 + random() % 20);
  }
}

TEST_CASE("a response ends by its length, by its chunks, or by the end of the connection") {
  const auto read = [](std::string_view bytes, bool to_head) {
    HttpResponseReader reader(8192, 100, to_head);
    auto progress = feed(reader, bytes, 3);
    if (progress == HttpProgress::need_more) progress = reader.end();
    if (progress != HttpProgress::complete) return std::string(name_of(progress));
    const HttpResponse response = reader.take();
    return std::to_string(response.status) + " " + response.body;
  };
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false) == "200 ok");
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true) == "200 ");
  CHECK(read("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", false) == "503 no");
  CHECK(read("HTTP/1.0 200 OK\r\n\r\nto the end", false) == "200 to the end");
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", false) == "bad");
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", false) == "body too large");
  CHECK(read("", false) == "bad");
}
