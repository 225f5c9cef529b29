#include "ledger/record.hpp"

#include <doctest/doctest.h>

#include <random>

#include "base/crc32c.hpp"
#include "ledger/record_bytes.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

using Random = std::mt19937_64;

// Numbers of every length of varint.
std::uint64_t any_number(Random& random) { return random() >> random() % 64; }

std::string any_text(Random& random) {
  std::string text(random() % 20, ' ');
  for (char& letter : text) letter = static_cast<char>(random());
  return text;
}

EpochSeen any_seen(Random& random) { return {random(), any_number(random)}; }

slo::Definition any_definition(Random& random) {
  slo::Definition definition;
  definition.name = any_text(random);
  definition.service = any_text(random);
  definition.objective = *slo::Objective::from_parts(1 + random() % (slo::objective_scale - 1));
  definition.period_ms = static_cast<std::int64_t>(any_number(random) >> 1);
  slo::Criterion& criterion = definition.sli.criterion;
  criterion.kind = random() % 2 == 0 ? slo::SliKind::availability : slo::SliKind::latency;
  criterion.good = slo::OutcomeMask::from_bits(static_cast<std::uint8_t>(random()));
  criterion.ignore = slo::OutcomeMask::from_bits(static_cast<std::uint8_t>(random()));
  criterion.failures = random() % 2 == 0 ? slo::Failures::ignored : slo::Failures::bad;
  criterion.threshold_ns = static_cast<std::int64_t>(any_number(random) >> 1);
  definition.sli.selector.service = any_text(random);
  definition.sli.selector.operation = any_text(random);
  for (std::uint64_t i = random() % 3; i > 0; --i)
    definition.sli.selector.labels.push_back({any_text(random), any_text(random)});
  return definition;
}

void add_counts(Random& random, Record& record) {
  slo::SloId slo = 0;
  for (std::uint64_t slos = random() % 20; slos > 0; --slos) {
    slo += static_cast<slo::SloId>(random() % (random() % 8 == 0 ? 10'000 : 3));
    Bucket bucket = static_cast<Bucket>(random() % (highest_bucket / 2));
    for (std::uint64_t buckets = 1 + random() % 5; buckets > 0; --buckets) {
      const std::uint64_t total = 1 + any_number(random) % highest_count;
      record.counts.push_back({slo, bucket, any_number(random) % (total + 1), total});
      bucket += 1 + static_cast<Bucket>(random() % (random() % 8 == 0 ? 100'000 : 2));
    }
    ++slo;
  }
}

Record any_record(Random& random) {
  Record record{.lsn = any_number(random),
                .ledger_ms = static_cast<UnixMs>(any_number(random) % static_cast<std::uint64_t>(highest_ledger_ms)),
                .running_ms = any_number(random),
                .floor = any_number(random)};
  for (std::uint64_t i = random() % 4; i > 0; --i)
    record.new_epochs.push_back({random(), any_seen(random), any_text(random), any_text(random)});
  for (std::uint64_t i = random() % 10; i > 0; --i) {
    CountedBatch batch;
    batch.key = {random() % 3 != 0 && !record.batches.empty() ? record.batches.back().key.epoch : random(),
                 all_priorities[random() % priority_count], any_number(random)};
    batch.settled_below = random() % 8 == 0 ? random() : batch.key.sequence - random() % 300;
    batch.print = {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random())};
    record.batches.push_back(batch);
  }
  for (std::uint64_t i = random() % 3; i > 0; --i) record.ended.push_back({random(), any_seen(random)});
  for (std::uint64_t i = random() % 3; i > 0; --i) record.forgotten.push_back(random());
  if (random() % 2 == 0) add_counts(random, record);
  for (std::uint64_t i = random() % 3; i > 0; --i)
    record.defines.push_back({static_cast<slo::SloId>(random() % (highest_slo + 1u)), any_definition(random)});
  for (std::uint64_t i = random() % 3; i > 0; --i)
    record.retired.push_back(static_cast<slo::SloId>(random() % (highest_slo + 1u)));
  return record;
}

// With a CRC that is right: what comes behind it must hold by itself.
Bytes sealed(Bytes body) {
  ByteWriter(body).fixed(crc32c(body));
  return body;
}

}  // namespace

TEST_CASE("what is encoded is decoded again, whatever stands in it") {
  auto random = test::random_for(0x4ec);
  for (int round = 0; round < 3'000; ++round) {
    const Record record = any_record(random);
    const Result<Record> decoded = decode_record(encode(record));
    REQUIRE_MESSAGE(decoded.has_value(), decoded.error().message);
    CHECK(*decoded == record);
  }
}

TEST_CASE("any damage is an error: a flipped bit, a cut, bytes behind the end") {
  auto random = test::random_for(0xda3);
  for (int round = 0; round < 300; ++round) {
    const Bytes sound = encode(any_record(random));
    Bytes damaged = sound;
    damaged[random() % damaged.size()] ^= static_cast<Byte>(1u << random() % 8);
    CHECK(!decode_record(damaged).has_value());
    damaged = sound;
    damaged.resize(random() % damaged.size());
    CHECK(!decode_record(damaged).has_value());
    damaged = sound;
    damaged.push_back(0);
    CHECK(!decode_record(damaged).has_value());
  }
}

TEST_CASE("damage under a CRC that is right never crashes, and what is accepted is a record like any other") {
  auto random = test::random_for(0xda4);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes body = encode(any_record(random));
    body.resize(body.size() - 4);
    for (std::uint64_t i = 1 + random() % 3; i > 0; --i) {
      switch (random() % 3) {
        case 0:
          body[random() % body.size()] = static_cast<Byte>(random());
          break;
        case 1:
          body.erase(body.begin() + static_cast<std::ptrdiff_t>(random() % body.size()));
          break;
        default:
          body.insert(body.begin() + static_cast<std::ptrdiff_t>(random() % body.size()), static_cast<Byte>(random()));
      }
      if (body.empty()) break;
    }
    const Result<Record> decoded = decode_record(sealed(body));
    if (!decoded) continue;
    ++accepted;
    CHECK(*decode_record(encode(*decoded)) == *decoded);
  }
  CHECK(accepted > 0);
}

TEST_CASE("a hostile count reserves no memory") {
  Bytes body{record_version, 1, 1, 1, 1};
  ByteWriter out(body);
  for (const Byte tag : {Byte{1}, Byte{2}, Byte{4}, Byte{5}}) {
    Bytes hostile = body;
    hostile.push_back(tag);
    ByteWriter(hostile).varint(std::uint64_t{1} << 60);
    CHECK(!decode_record(sealed(hostile)).has_value());
  }
}

TEST_CASE("a later version and an unknown section are refused by name") {
  CHECK(decode_record(sealed({record_version + 1, 1, 1, 1, 1, 0})).error().message.contains("version 2"));
  CHECK(decode_record(sealed({record_version, 1, 1, 1, 1, 9, 1, 0})).error().message.contains("unknown"));
  CHECK(decode_record(sealed({record_version, 1, 1, 1, 1, 7, 1, 3, 4, 1, 0})).error().message.contains("order"));
}

TEST_CASE("a TICK is at most 25 bytes, a group of 1 000 SLOs with one bucket each 6 bytes an SLO") {
  Record record{.lsn = 1'000'000, .ledger_ms = 1'700'000'000'000, .running_ms = 10'000'000'000};
  CHECK(encode(record).size() <= 25);
  for (slo::SloId slo = 0; slo < 1'000; ++slo)
    record.counts.push_back({slo * 10, bucket_of(record.ledger_ms), 9'990, 10'000});
  CHECK(encode(record).size() <= 6'030);
}

TEST_CASE("the example of docs/journal-format.md") {
  Record record{.lsn = 5, .ledger_ms = 1'700'000'000'000, .running_ms = 60'000};
  record.batches = {{{0x1122334455667788, Priority::normal, 3}, 2, {300, 0xDEADBEEF}}};
  record.counts = {{7, 170'000'000, 9, 10}};
  std::string hex;
  for (const Byte byte : encode(record)) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  CHECK(hex ==
        "010580d095ffbc31e0d40300"
        "02010288776655443322110302ac02efbeadde"
        "0501070100010a"
        "00e52e54ba");
}

TEST_CASE("counts out of order are put in order rather than written unreadable") {
  const test::ExpectViolations expected;
  Record record{.lsn = 1, .ledger_ms = 1'700'000'000'000};
  record.counts = {{5, 10, 1, 2}, {3, 11, 1, 1}, {5, 10, 2, 2}};
  const Result<Record> decoded = decode_record(encode(record));
  REQUIRE(decoded.has_value());
  CHECK(decoded->counts == std::vector<BucketCount>{{3, 11, 1, 1}, {5, 10, 3, 4}});
  CHECK(expected.seen() == 1);
}
