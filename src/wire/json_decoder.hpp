// JSON in protobuf's own mapping (https://protobuf.dev/programming-guides/json) → the canonical bytes of a message, in
// one pass, by the tables of schema.hpp; no protobuf objects, no tree. Stricter than the mapping where docs/protocol.md
// says so: nothing is passed over, nothing is said twice. (That only one of a oneof is there is not looked at.)
// Recursion as deep as the schema, whatever the text. Pure. About 140 ns for an event, 430 with five labels.
//
// Memory: the canonical bytes are at most as many as the text has, for each field's name and quotes take more room than
// its tag and its bytes (the least: "value":1, nine bytes each); while decoding up to four times the text.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/json_buffer.hpp"
#include "wire/json_fault.hpp"
#include "wire/json_reader.hpp"
#include "wire/schema.hpp"

namespace nissa::wire {

// The fields of one message, by their index in its rule, as they were met.
struct JsonMembers {
  static constexpr std::size_t most_fields = 32;  // a rule has fewer; test/wire/schema_test.cpp knows
  std::uint32_t named = 0;                        // bit i: field i was there, be it null
  std::uint32_t given = 0;                        // bit i: it had a value
  bool ascending = true;                          // so far
  std::size_t begin = 0;                          // of the message's bytes
  const char* brace = nullptr;                    // where its text begins
  std::uint32_t items = 0;                        // elements of all its repeated fields
  std::uint32_t most_items = std::numeric_limits<std::uint32_t>::max();
  std::array<JsonBuffer::Piece, most_fields> pieces;  // of those given: its bytes, all its elements together
  std::array<const char*, most_fields> tokens;        // of those named: where its value begins

  bool has(std::size_t field) const { return (given >> field & 1) != 0; }
};

class JsonDecoder {
 public:
  explicit JsonDecoder(std::string_view text) : reader_(text), out_(text.size() / 2 + 32) {}

  // The one object that is all of the text. Its fields stay in the order of the text until settle().
  bool read(const MessageRule& rule, JsonMembers& members);
  // A field of a number that the text did not give, by its index.
  void add(const MessageRule& rule, JsonMembers& members, std::size_t field, std::uint64_t value);
  // Puts the fields in order.
  void settle(const MessageRule& rule, const JsonMembers& members);
  Bytes take_bytes() { return out_.take(); }

  // For what only the caller knows to be wrong; `at` from the members. Returns false.
  bool fail(Reason reason, const char* at, std::string message) { return reader_.fail(reason, at, std::move(message)); }
  // The same, in a field.
  bool fail_in(const FieldRule& field, Reason reason, const char* at, std::string message);
  // After one of the above returned false.
  JsonFault fault();

 private:
  static constexpr std::size_t max_depth = 6;  // the schema nests four messages; a seventh would be a change of it
  static constexpr std::uint32_t no_index = ~std::uint32_t{0};
  // How a fault was reached, innermost first.
  struct Step {
    std::string_view name;
    std::uint32_t index;  // of the element, or no_index
  };
  bool through(std::string_view name, std::uint32_t index) {
    if (depth_ < max_depth) steps_[depth_++] = {name, index};
    return false;
  }

  bool object(const MessageRule& rule, JsonMembers& members);
  bool member(const MessageRule& rule, JsonMembers& members, std::size_t& guess);
  bool key(const MessageRule& rule, std::size_t& field);
  bool unknown_key(const MessageRule& rule, std::string_view key, const char* at);
  bool missing(const MessageRule& rule, const JsonMembers& members, std::size_t field);
  bool array(const FieldRule& field, JsonMembers& members);
  bool value(const FieldRule& field);
  bool message(const FieldRule& field);
  bool quoted(std::string_view& said);
  bool text(const FieldRule& field);
  bool enumeration(const FieldRule& field);
  bool whole_number(const FieldRule& field);
  bool any_number(const FieldRule& field);
  static bool quoted_number(const FieldRule& field, std::string_view said, JsonNumber& number);
  bool boolean(const FieldRule& field);
  bool not_a_value(const FieldRule& field, Reason reason, const char* at, std::string_view found);

  JsonReader reader_;
  JsonBuffer out_;
  std::string unescaped_;  // the last text that had escapes
  std::string unknown_;    // the name of no field
  std::size_t depth_ = 0;
  std::array<Step, max_depth> steps_;
};

}  // namespace nissa::wire
