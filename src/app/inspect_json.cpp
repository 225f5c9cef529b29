#include <string>

#include "admin/definition_text.hpp"
#include "admin/json_text.hpp"
#include "app/inspected.hpp"
#include "base/json_quoted.hpp"

namespace nissa::app {
namespace {

using admin::hex_quoted;

std::string quoted(std::string_view text) { return json_quoted(text); }
template <class Integer>
  requires std::is_integral_v<Integer>
std::string number(Integer value) {
  return std::to_string(value);
}

// "name":value; a comma before it unless it is the first of its object.
void add(std::string& out, std::string_view name, const std::string& value) {
  if (!out.empty() && out.back() != '{') out += ',';
  out.append("\"").append(name).append("\":").append(value);
}

// Of any range; text_of(element) is its JSON.
template <class Range, class TextOf>
std::string list_of(const Range& range, TextOf text_of) {
  std::string out = "[";
  for (const auto& one : range) {
    if (out.size() > 1) out += ',';
    out += text_of(one);
  }
  return out + ']';
}

std::string damage_object(const journal::JournalError& damage) {
  std::string out = "{";
  add(out, "name", quoted(name_of(damage.damage)));
  add(out, "message", quoted(damage.message));
  return out + '}';
}

std::string slot_object(const StateFacts::Slot& slot) {
  std::string out = "{";
  add(out, "sound", admin::json_bool(slot.has_value()));
  add(out, "says", quoted(slot_text(slot)));
  if (!slot) return out + '}';
  add(out, "generation", number(slot->generation));
  add(out, "state_id", hex_quoted(slot->state_id));
  add(out, "lsn", number(slot->last_lsn));
  add(out, "database", quoted(slot->database));
  return out + '}';
}

std::string snapshot_object(const ledger::KeptSnapshot& snapshot) {
  std::string out = "{";
  add(out, "generation", number(snapshot.generation));
  add(out, "begin_lsn", number(snapshot.begin_lsn));
  add(out, "complete_lsn", number(snapshot.complete_lsn));
  return out + '}';
}

std::string file_object(const FileSize& file) {
  std::string out = "{";
  add(out, "name", quoted(file.name));
  add(out, "bytes", number(file.bytes));
  return out + '}';
}

void add_facts(std::string& out, const Inspected& found) {
  const StateFacts& facts = found.facts;
  add(out, "state_id", hex_quoted(facts.state_id));
  add(out, "backup", admin::json_bool(facts.backup));
  add(out, "format_version", number(journal::format_version));
  add(out, "generation", number(facts.generation));
  add(out, "database", quoted(facts.database));
  add(out, "first_lsn", number(facts.first_lsn));
  add(out, "lsn", number(facts.last_lsn));
  add(out, "damage", found.damage ? damage_object(*found.damage) : "null");
  add(out, "anchor", list_of(facts.slots, slot_object));
  add(out, "files", list_of(facts.files, file_object));
  add(out, "records", number(facts.records.sound));
  add(out, "record_bytes", number(facts.records.bytes));
  add(out, "sound_records", list_of(facts.records.ranges, [](const SoundRecords& range) {
        return '[' + number(range.first) + ',' + number(range.last) + ']';
      }));
  add(out, "rows", number(facts.rows.sound));
  add(out, "row_bytes", number(facts.rows.bytes));
  add(out, "snapshots", list_of(found.recovered ? found.recovered->catalog.kept() : facts.complete, snapshot_object));
}

std::string epoch_object(Epoch epoch, const ledger::EpochState& state) {
  std::string out = "{";
  add(out, "epoch", hex_quoted(epoch));
  add(out, "agent", quoted(state.agent));
  add(out, "principal", quoted(state.principal));
  add(out, "seen_state_id", hex_quoted(state.seen.state_id));
  add(out, "seen_running_ms", number(state.seen.running_ms));
  add(out, "last_running_ms", number(state.last_running_ms));
  std::string classes = "[";
  for (const Priority priority : all_priorities) {
    const ledger::StreamWindow& window = state.stream(priority);
    if (window.untouched()) continue;
    std::string stream = classes.size() > 1 ? ",{" : "{";
    add(stream, "class", quoted(name_of(priority)));
    add(stream, "settled_below", number(window.low()));
    add(stream, "settled_above", number(settled_above(window)));
    add(stream, "next_sequence", number(window.top()));
    classes += stream + '}';
  }
  add(out, "classes", classes + ']');
  return out + '}';
}

void print_epochs(std::FILE* out, const ledger::Epochs& epochs) {
  std::string streams = "[";
  std::string tombstones = "[";
  for (const ledger::EpochObject& object : epochs.objects()) {
    if (object.kind == ledger::EpochObject::Kind::tombstone)
      tombstones += (tombstones.size() > 1 ? "," : "") + hex_quoted(object.epoch);
    else if (const ledger::EpochState* state = epochs.find(object.epoch))
      streams += (streams.size() > 1 ? "," : "") + epoch_object(object.epoch, *state);
  }
  std::fprintf(out, ",\"streams\":%s],\"tombstones\":%s]", streams.c_str(), tombstones.c_str());
}

std::string bucket_list(const slo::Block* block, slo::SloId id) {
  std::string out = "[";
  if (block == nullptr) return out + ']';
  for_each_bucket(*block, id, [&](Bucket bucket, slo::Counts counts) {
    std::string one = out.size() > 1 ? ",{" : "{";
    add(one, "bucket", number(bucket));
    add(one, "good", number(counts.good));
    add(one, "total", number(counts.total));
    out += one + '}';
  });
  return out + ']';
}

void print_slos(std::FILE* out, const ledger::Ledger& ledger) {
  const char* comma = "";
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id) {
    const ledger::DefinedSlo* slo = ledger.definitions().find(id);
    if (slo == nullptr) continue;
    const slo::Block* block = ledger.block(slo::block_of(id));
    const slo::Counts life = lifetime_of(block, id);
    std::string one = "{";
    add(one, "id", number(id));
    one += ',';
    admin::append_definition(one, *slo->definition);
    add(one, "retired", admin::json_bool(slo->retired));
    add(one, "quarantined", admin::json_bool(ledger.quarantined(id)));
    add(one, "lifetime", R"({"good":)" + number(life.good) + R"(,"total":)" + number(life.total) + '}');
    add(one, "buckets", bucket_list(block, id));
    std::fprintf(out, "%s%s}", comma, one.c_str());
    comma = ",";
  }
}

}  // namespace

void print_json(std::FILE* out, const Inspected& found) {
  std::string head = "{";
  add_facts(head, found);
  if (!found.recovered) {
    std::fprintf(out, "%s}\n", head.c_str());
    return;
  }
  const ledger::Ledger& ledger = *found.recovered->ledger;
  add(head, "snapshot", number(found.recovered->snapshot));
  add(head, "state_hash", hex_quoted(ledger.state_hash()));
  add(head, "ledger_time_ms", number(ledger.ledger_ms()));
  add(head, "running_ms", number(ledger.running_ms()));
  add(head, "floor_running_ms", number(ledger.epochs().floor()));
  add(head, "gaps", list_of(ledger.gaps().all(), [](const slo::Gap& gap) {
        return R"({"from_ms":)" + number(gap.from_ms) + R"(,"to_ms":)" + number(gap.to_ms) + '}';
      }));
  add(head, "epochs", number(ledger.epochs().size()));
  std::fputs(head.c_str(), out);
  print_epochs(out, ledger.epochs());
  std::fputs(",\"slos\":[", out);
  print_slos(out, ledger);
  std::fputs("]}\n", out);
}

}  // namespace nissa::app
