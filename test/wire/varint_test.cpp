#include "wire/varint.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/seed.hpp"

using namespace nissa;

namespace {

Reason read(std::string_view text, std::uint64_t& value, std::size_t& used) {
  const ByteView bytes = as_bytes(text);
  const Byte* at = bytes.data();
  const Reason reason = wire::read_varint(at, bytes.data() + bytes.size(), value);
  used = static_cast<std::size_t>(at - bytes.data());
  return reason;
}

}  // namespace

TEST_CASE("every number is read back from its shortest form, and from no cut of it") {
  auto random = test::random_for(7);
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t number = random() >> (random() % 64);
    Bytes bytes;
    ByteWriter(bytes).varint(number);
    CHECK(bytes.size() == wire::varint_size(number));
    std::uint64_t value = 0;
    std::size_t used = 0;
    CHECK(read(as_text(bytes), value, used) == Reason::none);
    CHECK(value == number);
    CHECK(used == bytes.size());
    CHECK(read(as_text(ByteView(bytes).first(bytes.size() - 1)), value, used) == Reason::truncated);
    CHECK(used == 0);
  }
}

TEST_CASE("a longer form than need be, and more than 64 bits, are refused") {
  using namespace std::string_literals;
  std::uint64_t value = 0;
  std::size_t used = 0;
  CHECK(read("\x80\x00"s, value, used) == Reason::varint_not_minimal);
  CHECK(read("\xff\x80\x00"s, value, used) == Reason::varint_not_minimal);
  CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, value, used) == Reason::none);
  CHECK(value == ~std::uint64_t{0});
  CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, value, used) == Reason::value_out_of_range);
  CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"s, value, used) == Reason::value_out_of_range);
  CHECK(used == 0);
}
