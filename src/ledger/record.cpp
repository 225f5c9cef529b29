// docs/journal-format.md, "The record".
#include "ledger/record.hpp"

#include <algorithm>
#include <limits>

#include "base/crc32c.hpp"
#include "base/violation.hpp"
#include "ledger/definition_bytes.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {
namespace {

void append_seen(const EpochSeen& seen, ByteWriter& out) {
  out.fixed(seen.state_id);
  out.varint(seen.running_ms);
}

void append_new_epochs(const Record& record, ByteWriter& out) {
  for (const NewEpoch& fresh : record.new_epochs) {
    out.fixed(fresh.epoch);
    append_seen(fresh.seen, out);
    out.text(fresh.agent);
    out.text(fresh.principal);
  }
}

// Batches of a connection come one after another: its epoch is written once.
void append_batches(const Record& record, ByteWriter& out) {
  Epoch before = 0;
  for (const CountedBatch& batch : record.batches) {
    const bool same = batch.key.epoch == before;
    const auto priority = static_cast<std::uint8_t>(batch.key.priority);
    out.fixed(static_cast<std::uint8_t>(same ? priority | same_epoch : priority));
    if (!same) out.fixed(batch.key.epoch);
    out.varint(batch.key.sequence);
    out.zigzag(static_cast<std::int64_t>(batch.key.sequence - batch.settled_below));
    out.varint(batch.print.length);
    out.fixed(batch.print.crc32c);
    before = batch.key.epoch;
  }
}

// By SLO: gap to the SLO before, number of buckets; by bucket: distance, bad, total.
void append_counts(std::span<const BucketCount> counts, UnixMs ledger_ms, ByteWriter& out) {
  std::int64_t slo_before = -1;
  for (std::size_t at = 0; at < counts.size();) {
    std::size_t end = at + 1;
    while (end < counts.size() && counts[end].slo == counts[at].slo) ++end;
    out.varint(static_cast<std::uint64_t>(counts[at].slo - slo_before - 1));
    out.varint(end - at);
    slo_before = counts[at].slo;
    std::int64_t bucket_before = bucket_of(ledger_ms);
    for (; at < end; ++at) {
      out.zigzag(counts[at].bucket - bucket_before);
      out.varint(counts[at].total - counts[at].good);
      out.varint(counts[at].total);
      bucket_before = counts[at].bucket;
    }
  }
}

std::size_t distinct_slos(std::span<const BucketCount> counts) {
  std::size_t slos = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) slos += i == 0 || counts[i].slo != counts[i - 1].slo ? 1 : 0;
  return slos;
}

bool in_order(const BucketCount& a, const BucketCount& b) {
  return a.slo != b.slo ? a.slo < b.slo : a.bucket < b.bucket;
}

// What decode would refuse must not be written: a record that cannot be read again is worth less than a wrong order.
std::vector<BucketCount> put_in_order(std::vector<BucketCount> counts) {
  std::ranges::sort(counts, in_order);
  std::vector<BucketCount> merged;
  for (const BucketCount& count : counts) {
    if (merged.empty() || merged.back().slo != count.slo || merged.back().bucket != count.bucket) {
      merged.push_back(count);
    } else {
      merged.back().good += count.good;
      merged.back().total += count.total;
    }
  }
  return merged;
}

template <class Fn>
void section(ByteWriter& out, Section tag, std::size_t count, Fn&& content) {
  if (count == 0) return;
  out.fixed(static_cast<std::uint8_t>(tag));
  out.varint(count);
  content();
}

void append_sections(const Record& record, std::span<const BucketCount> counts, ByteWriter& out) {
  section(out, Section::new_epochs, record.new_epochs.size(), [&] { append_new_epochs(record, out); });
  section(out, Section::batches, record.batches.size(), [&] { append_batches(record, out); });
  section(out, Section::ended, record.ended.size(), [&] {
    for (const EndedEpoch& ended : record.ended) {
      out.fixed(ended.epoch);
      append_seen(ended.seen, out);
    }
  });
  section(out, Section::forgotten, record.forgotten.size(), [&] {
    for (const Epoch epoch : record.forgotten) out.fixed(epoch);
  });
  section(out, Section::counts, distinct_slos(counts), [&] { append_counts(counts, record.ledger_ms, out); });
  section(out, Section::defines, record.defines.size(), [&] {
    for (const Define& define : record.defines) {
      out.varint(define.id);
      append_definition(define.definition, out);
    }
  });
  section(out, Section::retired, record.retired.size(), [&] {
    for (const slo::SloId id : record.retired) out.varint(id);
  });
}

}  // namespace

Bytes encode(const Record& record) {
  Bytes bytes;
  bytes.reserve(64 + record.batches.size() * 24 + record.counts.size() * 6);
  ByteWriter out(bytes);
  out.fixed(record_version);
  out.varint(record.lsn);
  out.varint(static_cast<std::uint64_t>(record.ledger_ms));
  out.varint(record.running_ms);
  out.varint(record.floor);
  const auto out_of_order = [](const BucketCount& a, const BucketCount& b) { return !in_order(a, b); };
  if (std::ranges::adjacent_find(record.counts, out_of_order) == record.counts.end()) {
    append_sections(record, record.counts, out);
  } else {
    violation("ledger", "the counts of a record are in order of SLO and bucket, each once");
    append_sections(record, put_in_order(record.counts), out);
  }
  out.fixed(static_cast<std::uint8_t>(Section::end));
  out.fixed(crc32c(bytes));
  return bytes;
}

}  // namespace nissa::ledger
