#include "net/gzip.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>

#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::net;

namespace {

// What gzip would make of it.
Bytes zipped(ByteView raw, int window = 15 + 16) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(::deflateBound(&stream, raw.size()) + 64);
  stream.next_in = const_cast<Byte*>(raw.data());
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

struct Inflated {
  InflateStep end = InflateStep::more;
  std::size_t steps = 0;
  Bytes bytes;
};
Inflated inflated(ByteView compressed, std::size_t limit) {
  Gunzip gunzip(compressed, limit);
  Inflated all;
  for (all.end = InflateStep::more; all.end == InflateStep::more; ++all.steps) all.end = gunzip.step();
  if (all.end == InflateStep::done) all.bytes = gunzip.take();
  return all;
}

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  const bool dull = random() % 2 == 0;
  for (Byte& one : bytes) one = static_cast<Byte>(dull ? random() % 4 : random());
  return bytes;
}

}  // namespace

TEST_CASE("what was compressed comes back, at any size up to the limit, in slices") {
  std::mt19937_64 random(test::seed());
  for (const std::size_t size : {0ul, 1ul, 1000ul, Gunzip::slice_bytes - 1, Gunzip::slice_bytes,
                                 Gunzip::slice_bytes + 1, 10 * Gunzip::slice_bytes}) {
    CAPTURE(size);
    const Bytes raw = random_bytes(random, size);
    const Inflated whole = inflated(zipped(raw), size);
    CHECK(whole.end == InflateStep::done);
    CHECK(whole.bytes == raw);
    CHECK(whole.steps <= size / Gunzip::slice_bytes + 2);
  }
}

TEST_CASE("one byte beyond the limit is too large, and a bomb is noticed after the limit, not at its end") {
  const Bytes raw(10'000'000, 0);
  const Bytes bomb = zipped(raw);
  CHECK(bomb.size() < 20'000);
  CHECK(inflated(bomb, raw.size()).end == InflateStep::done);
  CHECK(inflated(bomb, raw.size() - 1).end == InflateStep::too_large);
  const Inflated small = inflated(bomb, 100'000);
  CHECK(small.end == InflateStep::too_large);
  CHECK(small.steps == 1);
}

TEST_CASE("what is cut off, damaged, followed by something or in another form is broken") {
  std::mt19937_64 random(test::seed());
  const Bytes raw = random_bytes(random, 5'000);
  const Bytes whole = zipped(raw);
  for (std::size_t size = 0; size < whole.size(); size += 1 + random() % 50)
    CHECK(inflated(ByteView(whole).first(size), raw.size()).end == InflateStep::broken);
  Bytes longer = whole;
  longer.push_back(0);
  CHECK(inflated(longer, raw.size()).end == InflateStep::broken);
  CHECK(inflated(zipped(raw, 15), raw.size()).end == InflateStep::broken);   // zlib's own form
  CHECK(inflated(zipped(raw, -15), raw.size()).end == InflateStep::broken);  // bare deflate
  CHECK(inflated(raw, raw.size()).end == InflateStep::broken);
  for (int i = 0; i < 300; ++i) {  // a flipped bit is noticed, for gzip bears a checksum; or it was one of the padding
    Bytes damaged = whole;
    damaged[10 + random() % (damaged.size() - 10)] ^= static_cast<Byte>(1u << random() % 8);
    const Inflated got = inflated(damaged, raw.size());
    if (got.end == InflateStep::done)
      CHECK(got.bytes == raw);
    else
      CHECK((got.end == InflateStep::broken || got.end == InflateStep::too_large));
  }
}
