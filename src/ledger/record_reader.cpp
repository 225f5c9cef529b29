// docs/journal-format.md, "The record". Nothing that a damaged count says is reserved: vectors grow with what is there.
#include <string>

#include "base/crc32c.hpp"
#include "ledger/definition_bytes.hpp"
#include "ledger/record.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {
namespace {

// Why a section is not what encode writes; empty: it is.
using Fault = std::string;

EpochSeen read_seen(ByteReader& in) {
  EpochSeen seen;
  seen.state_id = in.fixed<std::uint64_t>();
  seen.running_ms = in.varint();
  return seen;
}

Fault read_new_epochs(ByteReader& in, std::size_t count, Record& record) {
  for (; count > 0 && !in.failed(); --count) {
    NewEpoch& fresh = record.new_epochs.emplace_back();
    fresh.epoch = in.fixed<std::uint64_t>();
    fresh.seen = read_seen(in);
    fresh.agent = in.text();
    fresh.principal = in.text();
  }
  return {};
}

Fault read_batches(ByteReader& in, std::size_t count, Record& record) {
  Epoch before = 0;
  for (; count > 0 && !in.failed(); --count) {
    CountedBatch& batch = record.batches.emplace_back();
    const auto first = in.fixed<std::uint8_t>();
    const bool same = (first & same_epoch) != 0;
    const auto priority = static_cast<std::uint8_t>(first & ~same_epoch);
    if (!is_priority(priority)) return "a batch of no known class";
    batch.key.priority = static_cast<Priority>(priority);
    batch.key.epoch = same ? before : in.fixed<std::uint64_t>();
    if (same != (batch.key.epoch == before)) return "an epoch written twice";
    batch.key.sequence = in.varint();
    batch.settled_below = batch.key.sequence - static_cast<std::uint64_t>(in.zigzag());
    const std::uint64_t length = in.varint();
    if (length > UINT32_MAX) return "a batch longer than 4 GiB";
    batch.print.length = static_cast<std::uint32_t>(length);
    batch.print.crc32c = in.fixed<std::uint32_t>();
    before = batch.key.epoch;
  }
  return {};
}

Fault read_buckets(ByteReader& in, slo::SloId slo, std::size_t count, Record& record) {
  std::int64_t bucket = bucket_of(record.ledger_ms);
  bool first = true;
  for (; count > 0 && !in.failed(); --count) {
    const std::int64_t distance = in.zigzag();
    if (distance > highest_bucket || distance < -std::int64_t{highest_bucket}) return "a bucket out of range";
    if (!first && distance <= 0) return "buckets out of order";
    first = false;
    bucket += distance;
    if (bucket < 0 || bucket > highest_bucket) return "a bucket out of range";
    const std::uint64_t bad = in.varint();
    const std::uint64_t total = in.varint();
    if (total == 0 || total > highest_count || bad > total) return "a count that is none";
    record.counts.push_back({slo, static_cast<Bucket>(bucket), total - bad, total});
  }
  return {};
}

Fault read_counts(ByteReader& in, std::size_t slos, Record& record) {
  std::uint64_t next = 0;
  for (; slos > 0 && !in.failed(); --slos) {
    const std::uint64_t gap = in.varint();
    if (gap > highest_slo || next + gap > highest_slo) return "an SLO out of range";
    const std::uint64_t slo = next + gap;
    const std::size_t buckets = in.count();
    if (buckets == 0) return "an SLO without buckets";
    Fault fault = read_buckets(in, static_cast<slo::SloId>(slo), buckets, record);
    if (!fault.empty()) return fault;
    next = slo + 1;
  }
  return {};
}

Fault read_slo(ByteReader& in, slo::SloId& slo) {
  const std::uint64_t id = in.varint();
  if (id > highest_slo) return "an SLO out of range";
  slo = static_cast<slo::SloId>(id);
  return {};
}

Fault read_defines(ByteReader& in, std::size_t count, Record& record) {
  for (; count > 0 && !in.failed(); --count) {
    Define& define = record.defines.emplace_back();
    if (Fault fault = read_slo(in, define.id); !fault.empty()) return fault;
    Result<slo::Definition> definition = read_definition(in);
    if (!definition) return definition.error().message;
    define.definition = std::move(*definition);
  }
  return {};
}

Fault read_section(ByteReader& in, Section tag, Record& record) {
  std::size_t count = in.count();
  if (count == 0) return "an empty section";
  switch (tag) {
    case Section::new_epochs:
      return read_new_epochs(in, count, record);
    case Section::batches:
      return read_batches(in, count, record);
    case Section::ended:
      for (; count > 0 && !in.failed(); --count) {
        EndedEpoch& ended = record.ended.emplace_back();
        ended.epoch = in.fixed<std::uint64_t>();
        ended.seen = read_seen(in);
      }
      return {};
    case Section::forgotten:
      for (; count > 0 && !in.failed(); --count) record.forgotten.push_back(in.fixed<std::uint64_t>());
      return {};
    case Section::counts:
      return read_counts(in, count, record);
    case Section::defines:
      return read_defines(in, count, record);
    case Section::retired:
      for (; count > 0 && !in.failed(); --count)
        if (Fault fault = read_slo(in, record.retired.emplace_back()); !fault.empty()) return fault;
      return {};
    case Section::end:
      break;
  }
  return "a section unknown to this version";
}

Fault read_head(ByteReader& in, Record& record) {
  record.lsn = in.varint();
  const std::uint64_t ledger_ms = in.varint();
  if (ledger_ms > static_cast<std::uint64_t>(highest_ledger_ms)) return "a ledger time out of range";
  record.ledger_ms = static_cast<UnixMs>(ledger_ms);
  record.running_ms = in.varint();
  record.floor = in.varint();
  return {};
}

Fault read_sections(ByteReader& in, Record& record) {
  std::uint8_t before = 0;
  while (!in.failed()) {
    const auto tag = in.fixed<std::uint8_t>();
    if (tag == static_cast<std::uint8_t>(Section::end)) break;
    if (tag <= before) return "sections out of order";
    before = tag;
    Fault fault = read_section(in, static_cast<Section>(tag), record);
    if (!fault.empty()) return fault;
  }
  if (in.failed()) return "it is cut short";
  if (!in.at_end()) return "bytes after its end";
  return {};
}

}  // namespace

Result<Record> decode_record(ByteView bytes) {
  constexpr std::size_t crc_size = 4;
  if (bytes.size() < 1 + crc_size) return failure("a record of " + std::to_string(bytes.size()) + " bytes");
  const ByteView body = bytes.first(bytes.size() - crc_size);
  if (ByteReader(bytes.last(crc_size)).fixed<std::uint32_t>() != crc32c(body))
    return failure("a record whose CRC32C is not that of its bytes");
  ByteReader in(body);
  const auto version = in.fixed<std::uint8_t>();
  if (version != record_version)
    return failure("a record of version " + std::to_string(version) + "; this nissad reads version " +
                   std::to_string(record_version));
  Record record;
  Fault fault = read_head(in, record);
  if (fault.empty()) fault = read_sections(in, record);
  if (fault.empty()) return record;
  return failure("record " + std::to_string(record.lsn) + ", byte " + std::to_string(1 + in.offset()) + ": " + fault);
}

}  // namespace nissa::ledger
