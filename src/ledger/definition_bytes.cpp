#include "ledger/definition_bytes.hpp"

namespace nissa::ledger {
namespace {

// The text as it was written, not its canonical form: an operator sees it again.
void append_sli(const slo::Sli& sli, ByteWriter& out) {
  out.fixed(static_cast<std::uint8_t>(sli.criterion.kind));
  out.fixed(sli.criterion.good.bits());
  out.fixed(sli.criterion.ignore.bits());
  out.fixed(static_cast<std::uint8_t>(sli.criterion.failures));
  out.zigzag(sli.criterion.threshold_ns);
  out.text(sli.selector.service);
  out.text(sli.selector.operation);
  out.varint(sli.selector.labels.size());
  for (const slo::LabelGlob& label : sli.selector.labels) {
    out.text(label.key);
    out.text(label.glob);
  }
}

Result<slo::OutcomeMask> read_mask(ByteReader& in) {
  const auto bits = in.fixed<std::uint8_t>();
  const slo::OutcomeMask mask = slo::OutcomeMask::from_bits(bits);
  if (mask.bits() != bits) return failure("a set of outcomes has bits that no outcome has");
  return mask;
}

Result<slo::Sli> read_sli(ByteReader& in) {
  slo::Sli sli;
  const auto kind = in.fixed<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(slo::SliKind::latency)) return failure("unknown kind of SLI");
  sli.criterion.kind = static_cast<slo::SliKind>(kind);
  for (slo::OutcomeMask* mask : {&sli.criterion.good, &sli.criterion.ignore}) {
    const Result<slo::OutcomeMask> read = read_mask(in);
    if (!read) return std::unexpected(read.error());
    *mask = *read;
  }
  const auto failures = in.fixed<std::uint8_t>();
  if (failures > static_cast<std::uint8_t>(slo::Failures::bad)) return failure("unknown rule for failures");
  sli.criterion.failures = static_cast<slo::Failures>(failures);
  sli.criterion.threshold_ns = in.zigzag();
  sli.selector.service = in.text();
  sli.selector.operation = in.text();
  for (std::size_t left = in.count(); left > 0 && !in.failed(); --left) {
    slo::LabelGlob& label = sli.selector.labels.emplace_back();
    label.key = in.text();
    label.glob = in.text();
  }
  return sli;
}

}  // namespace

void append_definition(const slo::Definition& definition, ByteWriter& out) {
  out.text(definition.name);
  out.text(definition.service);
  append_sli(definition.sli, out);
  out.varint(definition.objective.parts());
  out.zigzag(definition.period_ms);
}

Result<slo::Definition> read_definition(ByteReader& in) {
  slo::Definition definition;
  definition.name = in.text();
  definition.service = in.text();
  Result<slo::Sli> sli = read_sli(in);
  if (!sli) return std::unexpected(sli.error());
  definition.sli = std::move(*sli);
  const std::uint64_t parts = in.varint();
  definition.period_ms = in.zigzag();
  if (in.failed()) return failure("a definition is cut short");
  const Result<slo::Objective> objective = slo::Objective::from_parts(parts);
  if (!objective) return std::unexpected(objective.error());
  definition.objective = *objective;
  return definition;
}

}  // namespace nissa::ledger
