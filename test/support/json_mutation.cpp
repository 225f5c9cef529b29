#include "support/json_mutation.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <bit>

#include "support/wire_generator.hpp"

namespace nissa::test {
namespace {

using Tokens = std::vector<std::string>;

constexpr std::string_view marks = "{}[]:,", spaces = " \t\r\n";

const std::array<std::string, 30> number_spellings{"0",
                                                   "-0",
                                                   "1",
                                                   "-1",
                                                   "1.0",
                                                   "1e3",
                                                   "2.50E+1",
                                                   "1.5",
                                                   "1e-2",
                                                   "100e-2",
                                                   "4294967295",
                                                   "4294967296",
                                                   "9007199254740993.0",
                                                   "18446744073709551615",
                                                   "18446744073709551616",
                                                   "1e19",
                                                   "1e20",
                                                   "1e400",
                                                   "1e-400",
                                                   "1e99999999999999999999",
                                                   "-1e-99999999999999999999",
                                                   "01",
                                                   "1.",
                                                   "\"7\"",
                                                   "\"-0\"",
                                                   "\"1.5e3\"",
                                                   "\"007\"",
                                                   "\"Infinity\"",
                                                   "\"NaN\"",
                                                   "null"};

const std::array<std::string, 22> text_spellings{R"("")",
                                                 R"("\u0061\u00e9\u65e5")",
                                                 R"("\ud83d\ude80")",
                                                 R"("\ud83d")",
                                                 R"("\ude80\ud83d")",
                                                 R"("\ud83d\u0041")",
                                                 R"("\b\f\n\r\t\"\\\/")",
                                                 R"("\x41")",
                                                 R"("\u12")",
                                                 R"("\u0000")",
                                                 "\"\xc3\xa9\xf0\x9f\x9a\x80\"",
                                                 "\"\xc3\"",
                                                 "\"\xed\xa0\x80\"",
                                                 "\"tab\there\"",
                                                 R"("HIGH")",
                                                 R"("CLIENT_ERROR")",
                                                 R"("CRITICAL")",
                                                 R"("12")",
                                                 R"("-3")",
                                                 R"("NaN")",
                                                 "null",
                                                 "4"};

bool is_number(const std::string& token) {
  return token[0] == '-' || (token[0] >= '0' && token[0] <= '9') ||
         (token.size() > 2 && token[0] == '"' && token.find_first_not_of("0123456789", 1) == token.size() - 1);
}

std::string joined(const Tokens& tokens, Choices& choose) {
  const bool airy = choose.chance(20);
  std::string text;
  for (const std::string& token : tokens) {
    text += token;
    if (airy) text += spaces[choose.below(spaces.size())];
  }
  return text;
}

// A number or a text for another spelling of one: of the same kind mostly, so that much stays acceptable.
void respell(Tokens& tokens, Choices& choose) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const std::size_t at = choose.below(tokens.size());
    const bool is_key = at + 1 < tokens.size() && tokens[at + 1] == ":";
    if (marks.find(tokens[at][0]) != marks.npos || (is_key && !choose.chance(5))) continue;
    const bool as_number = is_number(tokens[at]) != choose.chance(5);
    tokens[at] = as_number ? number_spellings[choose.below(number_spellings.size())]
                           : text_spellings[choose.below(text_spellings.size())];
    return;
  }
}

void mutate_tokens(Tokens& tokens, Choices& choose) {
  const std::size_t at = choose.below(tokens.size());
  const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  switch (choose.below(4)) {
    case 0:
      tokens.insert(place, std::string(tokens[at]));
      break;
    case 1:
      tokens.erase(place);
      break;
    case 2:
      std::swap(tokens[at], tokens[choose.below(tokens.size())]);
      break;
    default: {
      static const std::array<std::string, 10> others{"{", "}", "[", "]", ":", ",", "null", "true", "/**/", "1"};
      tokens[at] = others[choose.below(others.size())];
    }
  }
}

// A whole value or member from elsewhere behind a comma, or instead of another.
void splice(Tokens& tokens, const Tokens& other, Choices& choose) {
  if (other.empty()) return;
  const std::size_t from = choose.below(other.size());
  std::size_t to = from;
  for (int depth = 0; to < other.size(); ++to) {
    depth += other[to] == "{" || other[to] == "[" ? 1 : other[to] == "}" || other[to] == "]" ? -1 : 0;
    if (depth < 0 || (depth == 0 && other[to] == ",")) break;
  }
  const std::size_t at = choose.below(tokens.size());
  const bool after_comma = tokens[at] == ",";
  Tokens piece(other.begin() + static_cast<std::ptrdiff_t>(from), other.begin() + static_cast<std::ptrdiff_t>(to));
  if (after_comma) piece.insert(piece.begin(), ",");
  const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  tokens.insert(after_comma ? place : tokens.erase(place), piece.begin(), piece.end());
}

void mutate_bytes(std::string& text, Choices& choose) {
  const std::size_t at = choose.below(text.size());
  switch (choose.below(4)) {
    case 0:
      text.resize(at);
      break;
    case 1:
      text[at] = static_cast<char>(text[at] ^ (1 << choose.below(8)));
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(choose.bits(1)));
      break;
    default:
      text.erase(at, 1);
  }
}

double some_double(Choices& choose) {
  static constexpr std::array<std::uint64_t, 8> bits{0x7ff8000000000000, 0x7ff0000000000000, 0xfff0000000000000, 1,
                                                     0x8000000000000000, 0x7fefffffffffffff, 0x3ff0000000000000, 0};
  return std::bit_cast<double>(bits[choose.below(bits.size())]);
}

}  // namespace

v2::TelemetryBatch make_json_batch(Choices& choose) {
  v2::TelemetryBatch batch = make_batch(choose);
  for (auto& metric : *batch.mutable_metrics())
    if (choose.chance(30)) metric.set_value(some_double(choose));
  if (choose.chance(30)) batch.clear_priority();
  if (choose.chance(30)) batch.clear_event_count();
  return batch;
}

std::string printed(const google::protobuf::Message& message, Choices& choose) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = choose.chance(40);
  options.preserve_proto_field_names = choose.chance(50);
  options.always_print_enums_as_ints = choose.chance(30);
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "not printed";
  return text;
}

std::vector<std::string> json_tokens(std::string_view text) {
  Tokens tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (spaces.find(text[at]) != spaces.npos) {
      at = end;
      continue;
    }
    if (text[at] == '"') {
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (marks.find(text[at]) == marks.npos) {
      end = std::min(text.find_first_of("{}[]:,\" \t\r\n", at), text.size());
    }
    tokens.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

std::string mutated_json(std::string_view text, std::string_view other, JsonMutation mode, Choices& choose) {
  if (mode == JsonMutation::bytes) {
    std::string bytes(text);
    for (std::uint64_t left = 1 + choose.below(2); left > 0 && !bytes.empty(); --left) mutate_bytes(bytes, choose);
    return bytes;
  }
  Tokens tokens = json_tokens(text);
  for (std::uint64_t left = 1 + choose.below(2); left > 0 && !tokens.empty(); --left) {
    if (mode == JsonMutation::tokens) mutate_tokens(tokens, choose);
    if (mode == JsonMutation::spellings) respell(tokens, choose);
    if (mode == JsonMutation::splices) splice(tokens, choose.chance(50) ? json_tokens(other) : Tokens(tokens), choose);
  }
  return joined(tokens, choose);
}

}  // namespace nissa::test
