#include "wire/json_batch.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "oracle/json_difference.hpp"
#include "oracle/literal_utf8.hpp"
#include "support/json_mutation.hpp"
#include "support/json_printers.hpp"
#include "support/seed.hpp"
#include "wire/header_peek.hpp"

using namespace nissa;
using namespace nissa::test;
using wire::JsonFault;

namespace {

constexpr std::uint32_t many = 1000;

JsonFault fault_of(std::string_view text, std::uint32_t max_events = many) {
  const auto read = wire::batch_from_json(text, max_events);
  return read ? JsonFault{} : read.error();
}

// The text with a ^ before the token at fault; the rest of the fault must be as told.
void check_fault(std::string text, Reason reason, const std::string& field, const std::string& message) {
  const std::size_t mark = text.find('^');
  REQUIRE(mark != text.npos);
  text.erase(mark, 1);
  CAPTURE(text);
  CHECK(fault_of(text) == JsonFault{reason, mark, field, message});
}

v2::TelemetryBatch decoded(std::string_view text) {
  const auto read = wire::batch_from_json(text, many);
  REQUIRE_MESSAGE(read, text << ": " << toString(read.error()));
  v2::TelemetryBatch batch;
  REQUIRE(batch.ParseFromArray(read->bytes.data(), static_cast<int>(read->bytes.size())));
  return batch;
}

// What stands in one metric's value.
double value_of(const std::string& token) {
  return decoded(R"({"metrics":[{"value":)" + token + "}]}").metrics(0).value();
}
std::uint64_t time_of(const std::string& token) {
  return decoded(R"({"events":[{"time_unix_ns":)" + token + "}]}").events(0).time_unix_ns();
}

}  // namespace

TEST_CASE("whatever protobuf prints of a batch becomes the bytes that protobuf writes of it") {
  auto random = random_for(60);
  RandomChoices choose(random);
  for (int round = 0; round < 3000; ++round) {
    const v2::TelemetryBatch batch = make_json_batch(choose);
    const std::string text = printed(batch, choose);
    const auto read = wire::batch_from_json(text, many);
    REQUIRE_MESSAGE(read, text << ": " << toString(read.error()));
    REQUIRE_MESSAGE(as_text(read->bytes) == normalised(batch), text);
    CHECK(wire::peek_header(read->bytes)->keyed == batch.has_epoch());
  }
}

TEST_CASE("fields that are given are kept, be they what an absent one would mean") {
  auto random = random_for(61);
  RandomChoices choose(random);
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  Agreement agreement;
  for (int round = 0; round < 1000; ++round) {
    const v2::TelemetryBatch batch = make_json_batch(choose);
    if (!batch.has_epoch() || !batch.has_event_count()) continue;  // an epoch or count of 0 would be printed
    options.preserve_proto_field_names = choose.chance(50);
    std::string text;
    REQUIRE(google::protobuf::util::MessageToJsonString(batch, &text, options).ok());
    const std::string difference = json_difference(text, agreement);
    REQUIRE_MESSAGE(difference.empty(), difference << "\n" << text);
  }
  CHECK(agreement.inputs > 100);
  CHECK(agreement.accepted == agreement.inputs);
  const auto event = decoded(R"({"events":[{"outcome":"OK","service":"","duration_ns":0,"labels":[]}]})").events(0);
  CHECK(event.has_outcome());
  CHECK(event.has_service());
  CHECK(event.has_duration_ns());
  CHECK_FALSE(event.has_time_unix_ns());
}

TEST_CASE("the order of the fields in the text does not matter") {
  const std::string ordered =
      R"({"priority":"HIGH","event_count":2,"agent":"a","events":[{"time_unix_ns":"1","outcome":"ERROR","service":"s",)"
      R"("operation":"o","labels":[{"key":"k","value":"v"}]}],"metrics":[{"value":1.5,"name":"m"}]})";
  const std::string shuffled =
      R"({"metrics":[{"name":"m","value":1.5}],"events":[{"labels":[{"value":"v","key":"k"}],"operation":"o",)"
      R"("service":"s","timeUnixNs":1,"outcome":1}],"agent":"a","eventCount":"2","priority":3})";
  CHECK(as_text(wire::batch_from_json(ordered, many)->bytes) == as_text(wire::batch_from_json(shuffled, many)->bytes));
}

TEST_CASE("what we accept of broken texts, protobuf accepts too, and it means the same") {
  auto random = random_for(62);
  RandomChoices choose(random);
  double best_share = 0;
  for (const JsonMutation mode :
       {JsonMutation::bytes, JsonMutation::tokens, JsonMutation::spellings, JsonMutation::splices}) {
    Agreement agreement;
    for (int round = 0; round < 4000; ++round) {
      const std::string text = printed(make_json_batch(choose), choose);
      const std::string other = mode == JsonMutation::splices ? printed(make_json_batch(choose), choose) : "";
      const std::string broken = mutated_json(text, other, mode, choose);
      const std::string difference = json_difference(broken, agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << broken);
    }
    MESSAGE("mode " << static_cast<int>(mode) << ", accepted by both: " << agreement.accepted << " of "
                    << agreement.inputs);
    CHECK(agreement.accepted > 0);
    best_share = std::max(best_share, agreement.share());
  }
  CHECK(best_share >= 0.2);
}

TEST_CASE("a batch from curl needs nothing but its events: the rest of the header is filled in") {
  const v2::TelemetryBatch batch =
      decoded(R"({"events": [{"service": "shop"}, {}], "alerts": [{"state": "RESOLVED"}]})");
  CHECK(batch.priority() == v2::NORMAL);
  CHECK(batch.event_count() == 3);
  CHECK_FALSE(batch.has_epoch());
  CHECK(batch.events(0).service() == "shop");
  CHECK(decoded(R"({"events":[{}],"priority":null,"event_count":null,"agent":null,"metrics":null})").event_count() ==
        1);
}

TEST_CASE("the examples of docs/protocol.md are taken, and refused, as it says") {
  const v2::TelemetryBatch batch = decoded(R"({"agent": "shell", "events": [
  {"service": "shop", "operation": "GET /", "duration_ns": 12000000, "outcome": "ERROR",
   "labels": [{"key": "region", "value": "eu-1"}]},
  {"service": "shop", "timeUnixNs": "1700000000000000000"}
]})");
  CHECK(batch.events(0).labels(0).value() == "eu-1");
  CHECK(batch.events(1).time_unix_ns() == 1'700'000'000'000'000'000);
  CHECK(fault_of(R"({"events":[{"servce":"shop"}]})") ==
        JsonFault{Reason::field_unknown, 12, "events[0].servce",
                  R"(expected a field of TelemetryEvent, found "servce"; did you mean "service"?)"});
}

TEST_CASE("numbers: whole ones in any spelling that comes to one, also as texts of digits") {
  CHECK(time_of("18446744073709551615") == 18446744073709551615u);
  CHECK(time_of("\"18446744073709551615\"") == 18446744073709551615u);
  CHECK(time_of("1e3") == 1000);
  CHECK(time_of("1.0") == 1);
  CHECK(time_of("2.50E+1") == 25);
  CHECK(time_of("100e-2") == 1);
  CHECK(time_of("-0") == 0);
  CHECK(time_of("-0.0") == 0);
  CHECK(time_of("\"\\u0031\\u0032\"") == 12);
  CHECK(value_of("-1.5e-3") == -1.5e-3);
  CHECK(value_of("\"2.5\"") == 2.5);
  CHECK(value_of("7") == 7);
  CHECK(value_of("1e-400") == 0);
  CHECK(value_of("5e-324") == 5e-324);
  CHECK(value_of("1e-99999999999999999999") == 0);
  CHECK(value_of("0." + std::string(1'000'000, '0') + "1") == 0);
  CHECK(fault_of(R"({"metrics":[{"value":)" + std::string(1'000'000, '9') + "}]}").reason ==
        Reason::value_out_of_range);
  CHECK(value_of("\"-Infinity\"") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(value_of("\"NaN\"")));
  CHECK(std::signbit(value_of("-0")));
}

TEST_CASE("texts: escapes and surrogates become UTF-8") {
  const auto service_of = [](const std::string& token) {
    return decoded(R"({"events":[{"service":)" + token + "}]}").events(0).service();
  };
  CHECK(service_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(service_of(R"("\u00e9\u65E5\ud83d\ude80!")") == "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x9a\x80!");
  CHECK(service_of(R"("\u0000")") == std::string(1, '\0'));
  CHECK(service_of("\"\xf0\x9f\x9a\x80\x7f\"") == "\xf0\x9f\x9a\x80\x7f");
  CHECK(decoded(R"({"\u0065vents":[{"servi\u0063e":"s"}]})").events(0).service() == "s");
  // Every length and place of a quote, a backslash and an escape relative to the eight bytes that are looked at
  // together.
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string plain(size, 'x');
    CHECK(service_of("\"" + plain + "\"") == plain);
    CHECK(service_of("\"" + plain + "\\n" + plain + "\"") == plain + "\n" + plain);
  }
}

TEST_CASE("faults of the text are told by reason, place, field and message") {
  check_fault(R"(^)", Reason::truncated, "", "expected an object, found the end of the text");
  check_fault(R"({"events":[{"service":"shop"}^)", Reason::truncated, "events",
              "expected a comma or ], found the end of the text");
  check_fault(R"({"events":[{"service":^"sho)", Reason::truncated, "events[0].service",
              "expected a closing quote, found the end of the text");
  check_fault(R"({"events":[{},^]})", Reason::bad_json, "events[1]",
              "expected an object, found ] behind a comma (JSON has no trailing comma)");
  check_fault(R"({"events":[{}], ^})", Reason::bad_json, "",
              "expected a field's name in double quotes, found } behind a comma (JSON has no trailing comma)");
  check_fault(R"({^// all of them)", Reason::bad_json, "",
              "expected a field's name in double quotes, found / (JSON has no comments)");
  check_fault(R"({^'events':[]})", Reason::bad_json, "",
              "expected a field's name in double quotes, found ' (JSON has double quotes only)");
  check_fault(R"({^events:[]})", Reason::bad_json, "", "expected a field's name in double quotes, found \"events\"");
  check_fault(R"({"events" ^[{}]})", Reason::bad_json, "events", "expected a colon, found an array");
  check_fault(R"({"events":[{} ^{}]})", Reason::bad_json, "events", "expected a comma or ], found an object");
  check_fault(R"({"events":[{"outcome":1^]}]})", Reason::bad_json, "events[0]", "expected a comma or }, found ]");
  check_fault(R"({"events":[{}]} ^{})", Reason::bad_json, "",
              "expected the end of the text behind its one object, found an object");
  check_fault("{\"events\":[{\"service\":^\"a\nb\"}]}", Reason::bad_json, "events[0].service",
              "expected an escape as \\n, found a control character in a text");
  check_fault(R"({"events":[{"service":^"\x41"}]})", Reason::bad_json, "events[0].service",
              R"(expected an escape as \n or \u00e9, found "\x41")");
  check_fault(R"({"events":[{"time_unix_ns":^012}]})", Reason::bad_json, "events[0].time_unix_ns",
              R"(expected a number as 12, -3 or 1.5e3 (no leading zeros), found "012")");
  check_fault(R"({"events":[{"time_unix_ns":^1x}]})", Reason::bad_json, "events[0].time_unix_ns",
              R"(expected a number as 12, -3 or 1.5e3 (no leading zeros), found "1x")");
  check_fault(R"({"events":[{"time_unix_ns":^-)", Reason::truncated, "events[0].time_unix_ns",
              "expected a number, found the end of the text");
  check_fault(R"({"events":^True})", Reason::bad_json, "events", R"(expected an array of objects, found "True")");
  check_fault("^\xef\xbb\xbf{}", Reason::bad_json, "", "expected an object, found a byte order mark (JSON has none)");
  check_fault("{\"agent\":^\"\xc3(\"}", Reason::bad_utf8, "agent", "expected UTF-8, found \"?(\"");
  check_fault(R"({"agent":^"\ud83d"})", Reason::bad_utf8, "agent",
              R"(expected two surrogates, one behind the other, found a lone one: \ud83d)");
}

TEST_CASE("faults of meaning are told by reason, place, field and message") {
  const std::string whole = "a whole number from 0 to 18446744073709551615 (or its digits as a text)";
  check_fault(R"({"events":[{},{^"servce":"shop"}]})", Reason::field_unknown, "events[1].servce",
              R"(expected a field of TelemetryEvent, found "servce"; did you mean "service"?)");
  check_fault(R"({"events":[{"labels":[{"key":"k","value":"v",^"note":{"a":1}}]}]})", Reason::field_unknown,
              "events[0].labels[0].note", R"(expected a field of Label, found "note"; it has key value)");
  check_fault(R"({"events":[{"timeUnixNs":1,^"time_unix_ns":1}]})", Reason::field_repeated, "events[0].time_unix_ns",
              "expected each field once in an object (snake_case and camelCase name the same), found it again");
  check_fault(R"({"agent":null,^"agent":"a","events":[{}]})", Reason::field_repeated, "agent",
              "expected each field once in an object (snake_case and camelCase name the same), found it again");
  check_fault(R"({"events":[{"service":^7}]})", Reason::wrong_wire_type, "events[0].service",
              "expected a text, found the number 7");
  check_fault(R"({"events":[{"service":^["shop"]}]})", Reason::wrong_wire_type, "events[0].service",
              "expected a text, found an array");
  check_fault(R"({"events":^{"service":"shop"}})", Reason::wrong_wire_type, "events",
              "expected an array of objects, found an object");
  check_fault(R"({"events":[{"labels":^{"region":"eu-1"}}]})", Reason::wrong_wire_type, "events[0].labels",
              R"(expected an array such as [{"key": "region", "value": "eu-1"}], found an object)");
  check_fault(R"({"events":[{},^null]})", Reason::wrong_wire_type, "events[1]", "expected an object, found null");
  check_fault(R"(^[{}])", Reason::wrong_wire_type, "", "expected an object, found an array");
  check_fault(R"({"events":[{"time_unix_ns":^true}]})", Reason::wrong_wire_type, "events[0].time_unix_ns",
              "expected " + whole + ", found true");
  check_fault(R"({"events":[{"time_unix_ns":^"12 ms"}]})", Reason::wrong_wire_type, "events[0].time_unix_ns",
              "expected " + whole + ", found the text \"12 ms\"");
  check_fault(R"({"events":[{"time_unix_ns":^"1e3"}]})", Reason::wrong_wire_type, "events[0].time_unix_ns",
              "expected " + whole + ", found the text \"1e3\"");
  check_fault(R"({"events":[{"duration_ns":^12.5}]})", Reason::value_out_of_range, "events[0].duration_ns",
              "expected " + whole + ", found 12.5");
  check_fault(R"({"events":[{"duration_ns":^-1}]})", Reason::value_out_of_range, "events[0].duration_ns",
              "expected " + whole + ", found -1");
  check_fault(R"({"events":[{"duration_ns":^"18446744073709551616"}]})", Reason::value_out_of_range,
              "events[0].duration_ns", "expected " + whole + ", found 18446744073709551616");
  check_fault(R"({"event_count":^4294967296})", Reason::value_out_of_range, "event_count",
              "expected a whole number from 0 to 4294967295 (or its digits as a text), found 4294967296");
  check_fault(R"({"metrics":[{"value":^1e400}]})", Reason::value_out_of_range, "metrics[0].value",
              R"(expected a number (or it as a text), "NaN", "Infinity" or "-Infinity", found 1e400)");
  check_fault(R"({"metrics":[{"value":^"inf"}]})", Reason::wrong_wire_type, "metrics[0].value",
              R"(expected a number (or it as a text), "NaN", "Infinity" or "-Infinity", found the text "inf")");
  check_fault(R"({"priority":^"urgent"})", Reason::enum_unknown, "priority",
              "expected LOW, NORMAL, HIGH, CRITICAL, or the number of one of them, found urgent");
  check_fault(R"({"priority":^0})", Reason::enum_unknown, "priority",
              "expected LOW, NORMAL, HIGH, CRITICAL, or the number of one of them, found 0");
  check_fault(R"({"events":[{"labels":[{"key":"k","value":"v"},^{"key":"k"}]}]})", Reason::field_missing,
              "events[0].labels[1].value", R"(expected "value" in each Label, found an object without it)");
  check_fault(R"({"epoch_seen":^{"state_id":null,"running_ms":1}})", Reason::field_missing, "epoch_seen.state_id",
              R"(expected "state_id" in each EpochSeen, found an object without it)");
}

TEST_CASE("faults of the header are told where they stand in the text") {
  const std::string seen = R"("epoch_seen":{"state_id":1,"running_ms":2},"events":[{}]})";
  check_fault(R"(^{"epoch":5,"sequence":1,)" + seen, Reason::field_missing, "settled_below",
              "expected epoch, sequence, settled_below and epoch_seen together, or none of them; found some without "
              "\"settled_below\"");
  check_fault(R"({"epoch":^0,"sequence":1,"settled_below":1,)" + seen, Reason::header_invalid, "epoch",
              "expected a random number that is not 0");
  check_fault(R"({"epoch":1,"sequence":^"0","settled_below":0,)" + seen, Reason::header_invalid, "sequence",
              "expected a number from 1 on");
  check_fault(R"({"epoch":1,"sequence":1,"settled_below":^2,)" + seen, Reason::header_invalid, "settled_below",
              "expected at most what `sequence` says");
  check_fault(R"({"events":[{}],"agent":^")" + std::string(97, 'n') + "\"}", Reason::header_invalid, "agent",
              "expected at most 96 bytes");
  check_fault(R"({"event_count":^2,"events":[{}],"alerts":[{},{}]})", Reason::event_count_wrong, "event_count",
              "expected 3, as many events, metrics and alerts as there are, found 2");
  check_fault(R"(^{"events":[],"metrics":null})", Reason::empty_batch, "events",
              "expected at least one event, metric or alert, found none");
}

TEST_CASE("nothing is read behind the first event that is one too many") {
  CHECK(fault_of(R"({"events":[{},{}],"metrics":[{},nonsense)", 3) ==
        JsonFault{Reason::too_many_events, 32, "metrics[1]", "expected at most 3 in one batch, found more"});
  CHECK(fault_of(R"({"events":[{},{}],"metrics":[{}]})", 3) == JsonFault{});
}

TEST_CASE("what a fault quotes of the text is short and is text") {
  const std::string long_key(1'000'000, 'k');
  const JsonFault unknown = fault_of("{\"" + long_key + "\":1}");
  CHECK(unknown.reason == Reason::field_unknown);
  CHECK(unknown.field == std::string(37, 'k') + "...");
  CHECK(unknown.message.size() < 400);
  const JsonFault cut = fault_of("{\"priority\":\"" + std::string(36, 'x') + "\xf0\x9f\x9a\x80\x01\"}");
  CHECK(literal_utf8(cut.message));
  CHECK(literal_utf8(fault_of("{\"events\":\xff\xfe}").message));
}

TEST_CASE("the shortest texts of all fields make no more bytes than the text has") {
  std::string text = R"({"epoch":1,"sequence":1,"settled_below":0,"sent_at_unix_ns":0,"dropped_events":0,)"
                     R"("epoch_seen":{"state_id":0,"running_ms":0},"metrics":[)";
  for (int i = 0; i < 900; ++i) text += R"({"value":1},)";
  text += R"({"value":1}]})";
  const auto read = wire::batch_from_json(text, many);
  REQUIRE(read);
  CHECK(read->bytes.size() <= text.size() + wire::json_batch_growth);
  CHECK(read->bytes.capacity() <= text.size() + 64);
}
