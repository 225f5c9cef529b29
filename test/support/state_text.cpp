#include "support/state_text.hpp"

#include <sstream>

#include "slo/block.hpp"

namespace nissa::test {
namespace {

void slo_lines(const ledger::Ledger& ledger, std::ostream& out) {
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id) {
    const ledger::DefinedSlo* defined = ledger.definitions().find(id);
    if (defined == nullptr) continue;
    const slo::Definition& definition = *defined->definition;
    out << "slo " << id << " name=" << definition.name << " service=" << definition.sli.selector.service
        << " objective=" << definition.objective.parts() << " period_ms=" << definition.period_ms
        << " retired=" << defined->retired << " quarantined=" << ledger.quarantined(id) << '\n';
    const slo::Block* block = ledger.block(slo::block_of(id));
    if (block == nullptr) continue;
    const slo::Counts life = block->life(slo::lane_of(id)).lifetime;
    out << "lifetime " << id << ' ' << life.good << " of " << life.total << '\n';
    const Bucket head = bucket_of(block->head_ms());
    block->ring(0).for_each(head - 361, head + slo::buckets_ahead + 1, [&](const slo::Row& row) {
      const slo::Counts counts = row.at(slo::lane_of(id));
      if (counts.total != 0)
        out << "bucket " << id << ' ' << row.period() << ' ' << counts.good << " of " << counts.total << '\n';
    });
  }
}

void epoch_lines(const ledger::Epochs& epochs, std::ostream& out) {
  for (const ledger::EpochObject& object : epochs.objects()) {
    const ledger::EpochState* state = epochs.find(object.epoch);
    if (state == nullptr) {
      out << "tombstone " << object.epoch << '\n';
      continue;
    }
    out << "epoch " << object.epoch << " agent=" << state->agent << " principal=" << state->principal
        << " seen=" << state->seen.running_ms << " last=" << state->last_running_ms << '\n';
    for (const Priority priority : all_priorities) {
      const ledger::StreamWindow& window = state->stream(priority);
      if (window.untouched()) continue;
      out << "stream " << object.epoch << ' ' << name_of(priority) << " low=" << window.low();
      window.for_each_settled([&](Sequence sequence, const Fingerprint& print) {
        out << ' ' << sequence << ':' << print.length << ':' << print.crc32c;
      });
      out << '\n';
    }
  }
}

}  // namespace

std::string state_text(const ledger::Ledger& ledger) {
  std::ostringstream out;
  out << "state_id " << ledger.now().state_id << '\n';
  out << "state_hash " << ledger.state_hash() << '\n';
  out << "lsn " << ledger.applied() << '\n';
  out << "ledger_ms " << ledger.ledger_ms() << '\n';
  out << "running_ms " << ledger.running_ms() << '\n';
  out << "floor_running_ms " << ledger.epochs().floor() << '\n';
  for (const slo::Gap& gap : ledger.gaps().all()) out << "gap " << gap.from_ms << ' ' << gap.to_ms << '\n';
  slo_lines(ledger, out);
  epoch_lines(ledger.epochs(), out);
  return out.str();
}

}  // namespace nissa::test
