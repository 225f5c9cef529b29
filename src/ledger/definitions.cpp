#include "ledger/definitions.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/violation.hpp"
#include "ledger/definition_bytes.hpp"
#include "ledger/record_bytes.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {

DefinedSlo* Definitions::slot(slo::SloId id) {
  if (id > highest_slo) {
    violation("ledger", "the id of an SLO is below 2^24");
    return nullptr;
  }
  if (id >= slos_.size()) slos_.resize(id + 1);
  return &slos_[id];
}

Definitions::Made Definitions::make(const slo::Definition& definition) {
  return {std::make_shared<const slo::Definition>(definition), identity_hash(definition.sli)};
}

void Definitions::reserve(const Record& record) {
  reserved_.clear();
  make_room(reserved_, record.defines.size());
  std::size_t slos = slos_.size();
  for (const Define& define : record.defines) {
    reserved_.push_back(make(define.definition));
    if (define.id <= highest_slo) slos = std::max<std::size_t>(slos, define.id + 1);
  }
  make_room(slos_, slos - slos_.size());
}

void Definitions::apply(const Record& record) {
  for (std::size_t i = 0; i < record.defines.size(); ++i) {
    const Define& define = record.defines[i];
    DefinedSlo* slo = slot(define.id);
    if (slo == nullptr) continue;
    const bool reserved = i < reserved_.size() && *reserved_[i].definition == define.definition;
    Made made = reserved ? std::move(reserved_[i]) : make(define.definition);
    slo->definition = std::move(made.definition);
    slo->sli_hash = made.sli_hash;
    slo->retired = false;
    slo->changed_lsn = changed_lsn_ = record.lsn;
  }
  reserved_.clear();
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
