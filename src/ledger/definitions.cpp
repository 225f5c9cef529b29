#include "ledger/definitions.hpp"

#include <map>
#include <string_view>
#include <utility>

#include "base/violation.hpp"
#include "ledger/definition_bytes.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {

DefinedSlo* Definitions::slot(slo::SloId id) {
  if (id > highest_slo) {
    violation("ledger", "the id of an SLO is below 2^24");
    return nullptr;
  }
  if (id >= slos_.size()) slos_.resize(id + 1);
  return &slos_[id];
}

void Definitions::apply(const Record& record) {
  for (const Define& define : record.defines) {
    DefinedSlo* slo = slot(define.id);
    if (slo == nullptr) continue;
    slo->definition = std::make_shared<const slo::Definition>(define.definition);
    slo->sli_hash = identity_hash(define.definition.sli);
    slo->retired = false;
    slo->changed_lsn = changed_lsn_ = record.lsn;
  }
  for (const slo::SloId id : record.retired) {
    DefinedSlo* slo = slot(id);
    if (slo == nullptr) continue;
    if (slo->definition == nullptr) {
      violation("ledger", "only a defined SLO is retired");
      continue;
    }
    slo->retired = true;
    slo->changed_lsn = changed_lsn_ = record.lsn;
  }
}

const DefinedSlo* Definitions::find(slo::SloId id) const {
  return id < slos_.size() && slos_[id].definition != nullptr ? &slos_[id] : nullptr;
}

Result<DefinitionPlan> Definitions::plan(std::span<const slo::Definition> configured) const {
  using NameAndHash = std::pair<std::string_view, std::uint64_t>;
  std::map<NameAndHash, slo::SloId> known;
  for (slo::SloId id = 0; id < slos_.size(); ++id)
    if (slos_[id].definition != nullptr) known.emplace(NameAndHash(slos_[id].definition->name, slos_[id].sli_hash), id);
  DefinitionPlan plan;
  std::vector<bool> wanted(slos_.size());
  auto fresh = static_cast<slo::SloId>(slos_.size());
  for (const slo::Definition& definition : configured) {
    const auto found = known.find({definition.name, identity_hash(definition.sli)});
    if (found == known.end()) {
      if (fresh > highest_slo) return failure("all 16 777 216 ids of SLOs are used up; they are never used again");
      plan.defines.push_back({fresh, definition});
      plan.ids.push_back(fresh++);
      continue;
    }
    const slo::SloId id = found->second;
    if (wanted[id]) return failure("two SLOs are named \"" + definition.name + "\"");
    wanted[id] = true;
    plan.ids.push_back(id);
    if (slos_[id].retired || *slos_[id].definition != definition) plan.defines.push_back({id, definition});
  }
  for (slo::SloId id = 0; id < slos_.size(); ++id)
    if (slos_[id].definition != nullptr && !slos_[id].retired && !wanted[id]) plan.retired.push_back(id);
  return plan;
}

std::vector<slo::SloId> Definitions::changed_after(Lsn lsn) const {
  std::vector<slo::SloId> changed;
  if (changed_lsn_ <= lsn) return changed;
  for (slo::SloId id = 0; id < slos_.size(); ++id)
    if (slos_[id].definition != nullptr && slos_[id].changed_lsn > lsn) changed.push_back(id);
  return changed;
}

bool Definitions::encode(slo::SloId id, Bytes& out) const {
  const DefinedSlo* slo = find(id);
  if (slo == nullptr) return false;
  ByteWriter writer(out);
  writer.fixed<std::uint8_t>(slo->retired ? 1 : 0);
  append_definition(*slo->definition, writer);
  return true;
}

Status Definitions::load(slo::SloId id, ByteView value, Lsn lsn) {
  ByteReader in(value);
  const auto retired = in.fixed<std::uint8_t>();
  Result<slo::Definition> definition = read_definition(in);
  if (!definition) return std::unexpected(definition.error());
  if (!in.at_end() || retired > 1 || id > highest_slo) return failure("an SLO's row is not what was written");
  DefinedSlo& slo = *slot(id);
  slo.sli_hash = identity_hash(definition->sli);
  slo.definition = std::make_shared<const slo::Definition>(std::move(*definition));
  slo.retired = retired == 1;
  slo.changed_lsn = lsn;
  changed_lsn_ = std::max(changed_lsn_, lsn);
  return {};
}

}  // namespace nissa::ledger
