#include "fold/match_memo.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::fold;

Bytes identity(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(number >> (8 * (i % 8)));
  return bytes;
}

}  // namespace

TEST_CASE("the memory answers what it was told last, or nothing, and stays within both bounds") {
  auto random = nissa::test::random_for(711);
  for (int round = 0; round < 30; ++round) {
    const std::size_t most_entries = 1 + random() % 5000;
    const std::size_t most_bytes = 40'000 + random() % 1'000'000;
    MatchMemo memo(most_entries, most_bytes, {random(), random()});
    std::map<Bytes, Known> told;
    for (int step = 0; step < 20'000; ++step) {
      const std::uint64_t number = random() % 8000;
      const Bytes bytes = identity(number, number % 200 + (number % 997 == 0 ? 10'000 : 0));
      const std::uint64_t hash = memo.hash(bytes);
      const auto* found = memo.find(hash, bytes);
      if (found != nullptr) {
        REQUIRE(told.contains(bytes));
        REQUIRE(found->known == told.at(bytes));
        continue;
      }
      const Known known = number % 7 == 0 ? Known::rejected(EventFault::name_too_long)
                                          : Known::matches(static_cast<slo::MatchSetId>(random() % (1u << 24)));
      memo.remember(hash, bytes, known);
      told.insert_or_assign(bytes, known);
      REQUIRE(memo.find(hash, bytes) != nullptr);
      REQUIRE(memo.entries() <= most_entries);
      REQUIRE(memo.bytes() <= most_bytes + 2 * MatchMemo::segment_bytes);
    }
  }
}

TEST_CASE("of two identities with one hash the later is remembered, and neither is taken for the other") {
  MatchMemo memo(100, 1 << 20, {1, 2});
  const Bytes one = identity(1, 50), other = identity(2, 50);
  memo.remember(42, one, Known::matches(1));
  CHECK(memo.find(42, other) == nullptr);
  memo.remember(42, other, Known::matches(2));
  CHECK(memo.find(42, one) == nullptr);
  REQUIRE(memo.find(42, other) != nullptr);
  CHECK(memo.find(42, other)->known.set() == 2);
  CHECK(memo.entries() == 1);
}

TEST_CASE("two hashes that differ only where the index does not look are like one hash") {
  MatchMemo memo(100, 1 << 20, {1, 2});
  const Bytes one = identity(1, 50), other = identity(2, 50);
  const std::uint64_t hash = 42, like_it = hash | std::uint64_t{1} << 40;
  memo.remember(hash, one, Known::matches(1));
  CHECK(memo.find(like_it, other) == nullptr);
  memo.remember(like_it, other, Known::matches(2));
  CHECK(memo.find(hash, one) == nullptr);
  REQUIRE(memo.find(like_it, other) != nullptr);
  CHECK(memo.find(like_it, other)->known.set() == 2);
  CHECK(memo.entries() == 1);
}

TEST_CASE("the oldest go first") {
  constexpr std::size_t most = 10'000;
  MatchMemo memo(most, std::size_t{64} << 20, {3, 4});
  for (std::uint64_t n = 0; n < 3 * most; ++n) {
    const Bytes bytes = identity(n, 100);
    memo.remember(memo.hash(bytes), bytes, Known::matches(1));
  }
  std::uint64_t oldest = 3 * most;
  for (std::uint64_t n = 0; n < 3 * most; ++n) {
    const Bytes bytes = identity(n, 100);
    const bool there = memo.find(memo.hash(bytes), bytes) != nullptr;
    if (there && n < oldest) oldest = n;
    if (n >= oldest) REQUIRE(there);
  }
  CHECK(memo.entries() == 3 * most - oldest);
  CHECK(memo.entries() > most - 2000);
}

TEST_CASE(
    "the bound of bytes holds for segments, spare ones and index together, also when long names give way to short "
    "ones") {
  constexpr std::size_t most_bytes = std::size_t{8} << 20;
  MatchMemo memo(1'000'000, most_bytes, {5, 6});
  for (const std::size_t size : {15'000, 20, 3'000, 20}) {
    for (std::uint64_t n = 0; n < 100'000; ++n) {
      const Bytes bytes = identity(n * 31 + size, size);
      memo.remember(memo.hash(bytes), bytes, Known::matches(1));
      if (n % 1000 == 0) REQUIRE(memo.bytes() <= most_bytes + 2 * MatchMemo::segment_bytes);
    }
  }
}

TEST_CASE("the hash tells close identities apart, of every length, and by the seed") {
  const IdentityHash hash({1, 2}), other({1, 3});
  std::set<std::uint64_t> seen;
  std::size_t made = 0;
  for (std::size_t size = 0; size <= 200; ++size) {
    Bytes bytes(size);
    seen.insert(hash(bytes));
    ++made;
    for (std::size_t i = 0; i < size; ++i) {
      for (const unsigned bit : {0u, 7u}) {
        bytes[i] ^= static_cast<Byte>(1u << bit);
        seen.insert(hash(bytes));
        ++made;
        CHECK(hash(bytes) != other(bytes));
        bytes[i] ^= static_cast<Byte>(1u << bit);
      }
    }
  }
  CHECK(seen.size() == made);
}

TEST_CASE("the low bits of the hash spread identities that differ in one digit") {
  const IdentityHash hash({9, 9});
  std::array<int, 256> low{}, high{};
  for (int n = 0; n < 25'600; ++n) {
    const std::string text = "shop GET /cart/:id region=eu-west-1 host=" + std::to_string(n);
    const std::uint64_t value = hash(as_bytes(text));
    ++low[value & 255];
    ++high[value >> 56];
  }
  for (const auto& counts : {low, high})
    for (const int count : counts) {
      CHECK(count > 50);
      CHECK(count < 160);
    }
}

TEST_CASE("forgotten is forgotten") {
  MatchMemo memo(100, 1 << 20, {1, 2});
  const Bytes one = identity(1, 50);
  memo.remember(memo.hash(one), one, Known::matches(1));
  memo.clear();
  CHECK(memo.find(memo.hash(one), one) == nullptr);
  CHECK(memo.entries() == 0);
}
