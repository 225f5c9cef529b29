#include "wire/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/seed.hpp"
#include "wire/header_peek.hpp"

using namespace nissa;
using wire::FrameKind;
using wire::FrameStatus;

namespace {

constexpr std::size_t max_frame = 4096;

Bytes payload_of(std::size_t size, Byte fill = 0x55) { return Bytes(size, fill); }

Bytes frame_of(FrameKind kind, std::size_t size) {
  Bytes out;
  wire::append_frame(out, kind, payload_of(size));
  return out;
}

// How a session reads: what is there is looked at after every piece; malformed frames are skipped, also in pieces.
struct Seen {
  FrameStatus status;
  FrameKind kind;
  Reason reason;
  Bytes payload;
  bool operator==(const Seen&) const = default;
};
std::vector<Seen> read_in_pieces(ByteView stream, std::size_t (*piece)(std::mt19937_64&), std::mt19937_64& random) {
  std::vector<Seen> seen;
  Bytes buffer;
  std::size_t skip = 0;
  while (!stream.empty()) {
    const ByteView part = stream.first(std::min(stream.size(), piece(random)));
    stream = stream.subspan(part.size());
    buffer.insert(buffer.end(), part.begin(), part.end());
    while (true) {
      const std::size_t skipped = std::min(skip, buffer.size());
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(skipped));
      skip -= skipped;
      const auto step = wire::next_client_frame(buffer, max_frame);
      if (skip > 0 || step.status == FrameStatus::need_more) {
        if (skip == 0 && step.wanted <= buffer.size()) FAIL("wants what is there");
        break;
      }
      const bool whole = step.status == FrameStatus::complete;
      seen.push_back(
          {step.status, step.kind, step.reason, whole ? Bytes(step.payload.begin(), step.payload.end()) : Bytes{}});
      if (step.status == FrameStatus::lost) return seen;
      skip = step.size;
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("frames come out as they went in, however the stream is cut; bad ones leave their neighbours alone") {
  auto random = test::random_for(10);
  for (int round = 0; round < 300; ++round) {
    Bytes stream;
    std::vector<Seen> expected;
    for (int count = static_cast<int>(random() % 12); count > 0; --count) {
      const auto kind = static_cast<FrameKind>(1 + random() % 5);
      switch (random() % 6) {
        case 0: {  // an envelope that does not exist
          const Bytes strange{3, 0x32, 1, 0};
          ByteWriter(stream).raw(strange);
          expected.push_back({FrameStatus::malformed, FrameKind::unknown, Reason::frame_unknown, {}});
          break;
        }
        case 1: {  // too large
          ByteWriter(stream).raw(frame_of(kind, max_frame + random() % 4000));
          expected.push_back({FrameStatus::malformed, kind, Reason::frame_too_large, {}});
          break;
        }
        case 2: {  // the message does not fill the frame
          ByteWriter(stream).raw(Bytes{4, 0x12, 1, 0, 0});
          expected.push_back({FrameStatus::malformed, FrameKind::batch, Reason::frame_unknown, {}});
          break;
        }
        default: {
          const std::size_t size = random() % 2 == 0 ? random() % 8 : random() % (max_frame - 8);
          ByteWriter(stream).raw(frame_of(kind, size));
          expected.push_back({FrameStatus::complete, kind, Reason::none, payload_of(size)});
        }
      }
    }
    const auto whole = [](std::mt19937_64&) -> std::size_t { return 1 << 20; };
    const auto byte = [](std::mt19937_64&) -> std::size_t { return 1; };
    const auto pieces = [](std::mt19937_64& dice) -> std::size_t { return 1 + dice() % 700; };
    CHECK(read_in_pieces(stream, whole, random) == expected);
    CHECK(read_in_pieces(stream, pieces, random) == expected);
    if (round < 30) CHECK(read_in_pieces(stream, byte, random) == expected);
  }
}

TEST_CASE("of an incomplete frame it is told what is known: how much to make room for, and the batch's first bytes") {
  const Bytes bytes = frame_of(FrameKind::batch, 1000);
  auto step = wire::next_client_frame(ByteView(bytes).first(1), max_frame);
  CHECK(step.status == FrameStatus::need_more);
  CHECK(step.size == 0);
  CHECK(step.wanted == 2);
  step = wire::next_client_frame(ByteView(bytes).first(300), max_frame);
  CHECK(step.status == FrameStatus::need_more);
  CHECK(step.kind == FrameKind::batch);
  CHECK(step.size == bytes.size());
  CHECK(step.wanted == bytes.size());
  CHECK(step.payload_size == 1000);
  CHECK(step.payload.size() == 300 - (bytes.size() - 1000));
  CHECK(wire::can_peek(step.payload.size(), step.payload_size));
}

TEST_CASE("a batch beyond the bound is refused once its header can be peeked, and tells how much to skip") {
  const Bytes bytes = frame_of(FrameKind::batch, 100'000);
  auto step = wire::next_client_frame(ByteView(bytes).first(100), max_frame);
  CHECK(step.status == FrameStatus::need_more);
  CHECK(step.wanted < 300);
  step = wire::next_client_frame(ByteView(bytes).first(step.wanted), max_frame);
  CHECK(step.status == FrameStatus::malformed);
  CHECK(step.reason == Reason::frame_too_large);
  CHECK(step.size == bytes.size());
  CHECK(wire::can_peek(step.payload.size(), step.payload_size));
  // The bound counts what the length counts.
  Bytes largest;
  wire::append_frame(largest, FrameKind::batch, payload_of(max_frame - 3));
  CHECK(wire::next_client_frame(largest, max_frame).status == FrameStatus::complete);
  CHECK(wire::next_client_frame(largest, max_frame - 1).reason == Reason::frame_too_large);
}

TEST_CASE("only a length that has no end loses the framing") {
  const Bytes endless{0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
  CHECK(wire::next_client_frame(endless, max_frame).status == FrameStatus::lost);
  CHECK(wire::next_client_frame(ByteView(endless).first(4), max_frame).status == FrameStatus::need_more);
  const Bytes beyond{0xff, 0xff, 0xff, 0xff, 0x10};
  CHECK(wire::next_client_frame(beyond, max_frame).status == FrameStatus::lost);

  const Bytes padded{0x82, 0x00, 0x22, 0x00};  // a heartbeat whose length is written too long
  auto step = wire::next_client_frame(padded, max_frame);
  CHECK(step.status == FrameStatus::malformed);
  CHECK(step.reason == Reason::varint_not_minimal);
  CHECK(step.size == 4);
  step = wire::next_client_frame(Bytes{0x00}, max_frame);
  CHECK(step.reason == Reason::frame_unknown);
  CHECK(step.size == 1);
}

TEST_CASE("the message's own length must fill the frame and be minimal") {
  CHECK(wire::next_client_frame(Bytes{3, 0x22, 2, 0}, max_frame).reason == Reason::truncated);
  const Bytes padded{3, 0x22, 0x80, 0x00};
  const auto step = wire::next_client_frame(padded, max_frame);
  CHECK(step.reason == Reason::varint_not_minimal);
  CHECK(step.offset == 2);
  CHECK(wire::next_client_frame(Bytes{1, 0x22}, max_frame).reason == Reason::truncated);
  CHECK(wire::next_client_frame(Bytes{3, 0x22, 0x80}, max_frame).status == FrameStatus::need_more);
  CHECK(wire::next_client_frame(Bytes{2, 0x20, 0x00}, max_frame).reason == Reason::frame_unknown);
}

TEST_CASE("frames of the server are read the same way") {
  Bytes bytes;
  wire::append_frame(bytes, wire::ServerFrameKind::go_away, payload_of(5));
  const auto step = wire::next_server_frame(bytes, max_frame);
  CHECK(step.status == FrameStatus::complete);
  CHECK(step.kind == wire::ServerFrameKind::go_away);
  CHECK(step.payload.size() == 5);
  CHECK(step.size == bytes.size());
}

TEST_CASE("noise never reads outside, and always says how to go on") {
  auto random = test::random_for(11);
  for (int round = 0; round < 50'000; ++round) {
    Bytes noise(random() % 10);
    for (Byte& byte : noise) byte = static_cast<Byte>(random() % (random() % 2 == 0 ? 256 : 48));
    const auto step = wire::next_client_frame(noise, max_frame);
    if (step.status == FrameStatus::need_more) CHECK(step.wanted > noise.size());
    if (step.status == FrameStatus::complete) CHECK(step.size <= noise.size());
    if (step.status == FrameStatus::malformed) CHECK(step.size >= 1);
  }
}
