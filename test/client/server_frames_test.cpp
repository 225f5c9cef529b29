#include "client/server_frames.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/seed.hpp"
#include "wire/frame.hpp"

namespace nissa::client::test {
namespace {

// What comes out of `bytes` when it is read in pieces of at most `piece`.
std::vector<std::size_t> kinds(ByteView bytes, std::size_t piece, bool& lost, std::size_t capacity = 512) {
  ServerFrames frames(capacity);
  std::vector<std::size_t> out;
  while (!bytes.empty() && !frames.lost()) {
    const auto space = frames.space();
    REQUIRE(!space.empty());
    const std::size_t size = std::min({piece, space.size(), bytes.size()});
    std::copy_n(bytes.begin(), size, space.begin());
    bytes = bytes.subspan(size);
    frames.filled(size);
    ServerFrame frame;
    while (frames.next(frame)) out.push_back(frame.index());
  }
  lost = frames.lost();
  return out;
}

TEST_CASE("any cutting into reads gives the same messages, and unknown kinds are passed over") {
  Bytes bytes;
  std::vector<std::size_t> expected;
  for (int i = 0; i < 40; ++i) {
    wire::append_message(bytes, wire::HelloAck{});
    wire::Ack ack;
    ack.key = BatchKey{7, Priority::high, 3};
    wire::append_message(bytes, ack);
    // Kind 9, which only a newer server knows; longer than the whole buffer.
    ByteWriter writer(bytes);
    writer.varint(3 + 1'000);
    bytes.push_back(9 << 3 | 2);
    writer.varint(1'000);
    bytes.resize(bytes.size() + 1'000);
    wire::append_message(bytes, wire::GoAway{Reason::shutting_down, "later"});
    for (const std::size_t index : {1U, 2U, 4U}) expected.push_back(index);
  }
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 511U, 512U}) {
    CAPTURE(piece);
    bool lost = true;
    CHECK(kinds(bytes, piece, lost) == expected);
    CHECK_FALSE(lost);
  }
}

TEST_CASE("an HTTP answer is recognised in any cutting, and only where a connection begins with it") {
  const auto told = [](std::string_view text, std::size_t piece) {
    ServerFrames frames(512);
    ServerFrame frame;
    for (std::size_t at = 0; at < text.size() && !frames.lost(); at += piece) {
      const auto part = as_bytes(text.substr(at, piece));
      std::ranges::copy(part, frames.space().begin());
      frames.filled(part.size());
      while (frames.next(frame)) continue;
    }
    CHECK(frames.http() <= frames.lost());
    return frames.http();
  };
  Bytes hello;
  wire::append_message(hello, wire::HelloAck{});
  const std::string answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t piece = 1; piece < 40; ++piece) {
    CAPTURE(piece);
    CHECK(told(answer, piece));
    CHECK_FALSE(told(std::string(as_text(hello)) + answer, piece));
    CHECK_FALSE(told("HTTP", piece));
    CHECK_FALSE(told("HTTQ/1.1 400 Bad Request\r\n\r\n", piece));
  }
}

TEST_CASE("garbage never hangs nor reads beyond its bytes") {
  auto random = nissa::test::random_for(31);
  for (int round = 0; round < 2'000; ++round) {
    Bytes bytes(1 + random() % 3'000);
    for (Byte& byte : bytes) byte = static_cast<Byte>(random());
    bool lost = false;
    (void)kinds(bytes, 1 + random() % 600, lost);
  }
}

}  // namespace
}  // namespace nissa::client::test
