#include "admin/streams_page.hpp"

#include "admin/json_text.hpp"
#include "net/http_types.hpp"

namespace nissa::admin {
namespace {

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  out.append("\"").append(name).append("\":");
  append_number(out, value);
}

void append_epoch(std::string& out, const ledger::EpochView& epoch, RunningMs running_ms) {
  out.append(R"({"epoch":)").append(hex_quoted(epoch.epoch));
  out.append(R"(,"agent":)").append(net::json_quoted(epoch.agent));
  out.append(R"(,"principal":)").append(net::json_quoted(epoch.principal)).append(",");
  append_field(out, "seen_running_ms", epoch.seen.running_ms);
  out += ',';
  append_field(out, "last_counted_ago_ms", running_ms - epoch.last_running_ms);
  out += R"(,"streams":[)";
  const char* comma = "";
  for (const Priority priority : all_priorities) {
    const ledger::StreamView& stream = epoch.streams[index_of(priority)];
    if (!stream.used) continue;
    out.append(comma).append(R"({"priority":)").append(net::json_quoted(name_of(priority))).append(",");
    append_field(out, "settled_below", stream.low);
    out += ',';
    append_field(out, "next_sequence", stream.top);
    out += '}';
    comma = ",";
  }
  out += "]}";
}

}  // namespace

std::string streams_page(const ledger::StreamList& list) {
  std::string out = "{";
  append_field(out, "epochs_remembered", list.epochs);
  out += ',';
  append_field(out, "bytes", list.bytes);
  out += ',';
  append_field(out, "tombstones", list.tombstones);
  out += ',';
  append_field(out, "running_ms", list.running_ms);
  out += ',';
  append_field(out, "floor_running_ms", list.floor);
  out += R"(,"epochs":[)";
  const char* comma = "";
  for (const ledger::EpochView& epoch : list.latest) {
    out += comma;
    append_epoch(out, epoch, list.running_ms);
    comma = ",";
  }
  out += "]}\n";
  return out;
}

}  // namespace nissa::admin
