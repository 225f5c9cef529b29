#include "slo/sli.hpp"

#include <algorithm>

namespace nissa::slo {

Verdict verdict_of(const Criterion& criterion, Outcome outcome, std::int64_t duration_ns) {
  if (criterion.ignore.has(outcome)) return Verdict::ignored;
  const bool good = criterion.good.has(outcome);
  if (criterion.kind == SliKind::availability) return good ? Verdict::good : Verdict::bad;
  const bool failures_count = criterion.failures == Failures::bad;
  const bool timed = good && (outcome == Outcome::ok || failures_count);
  if (!timed) return failures_count ? Verdict::bad : Verdict::ignored;
  if (duration_ns == no_duration) return Verdict::ignored;
  return duration_ns <= criterion.threshold_ns ? Verdict::good : Verdict::bad;
}

void append_canonical(const Sli& sli, Bytes& out) {
  const Criterion& criterion = sli.criterion;
  const bool latency = criterion.kind == SliKind::latency;
  ByteWriter writer(out);
  writer.fixed<std::uint8_t>(1);
  writer.fixed(static_cast<std::uint8_t>(criterion.kind));
  writer.fixed(static_cast<std::uint8_t>(criterion.good.bits() & ~criterion.ignore.bits()));
  writer.fixed(criterion.ignore.bits());
  writer.fixed(latency ? static_cast<std::uint8_t>(criterion.failures) : std::uint8_t{0});
  writer.fixed(latency ? static_cast<std::uint64_t>(criterion.threshold_ns) : std::uint64_t{0});
  writer.text(sli.selector.service);
  writer.text(sli.selector.operation);
  std::vector<LabelGlob> labels = sli.selector.labels;
  std::ranges::sort(labels);
  labels.erase(std::ranges::unique(labels).begin(), labels.end());
  writer.varint(labels.size());
  for (const LabelGlob& label : labels) {
    writer.text(label.key);
    writer.text(label.glob);
  }
}

std::uint64_t identity_hash(const Sli& sli) {
  Bytes canonical;
  append_canonical(sli, canonical);
  // http://www.isthe.com/chongo/tech/comp/fnv/: offset basis and prime of 64 bits.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const Byte byte : canonical) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

}  // namespace nissa::slo
