// What a batch's request says before its body is read: the form of both bodies, and by whom it will be refused if it
// has to be. Pure.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/batch_key.hpp"
#include "net/http_types.hpp"
#include "wire/header_peek.hpp"

namespace nissa::ingest {

enum class HttpForm : std::uint8_t { protobuf, json };

struct HttpHead {
  HttpForm form = HttpForm::protobuf;    // of the body, by Content-Type
  HttpForm answer = HttpForm::protobuf;  // of the answer: what Accept asks for, else as the body
  bool gzip = false;                     // Content-Encoding
  std::optional<Priority> priority;      // Nissa-Priority: what the batch must then bear too
  BatchKey key;                          // Nissa-Key and Nissa-Priority: what a refusal from the headers names
  std::optional<std::size_t> length;     // Content-Length
};

// Fails with the answer: 415 for another type or coding, 400 for a Nissa- header that cannot be read.
std::expected<HttpHead, net::HttpResponse> read_http_head(const net::HttpRequest& request);

// What the request's own headers say of the batch and is not so. `message`: for people, one cause.
struct HeadMismatch {
  std::string_view header;  // its name
  std::string message;
};
std::optional<HeadMismatch> head_mismatch(const HttpHead& head, const wire::BatchHeader& batch);

// What Accept asks for; `usual` where it names neither.
HttpForm answer_form(const net::HttpRequest& request, HttpForm usual);

// A 64-bit number as the JSON mapping writes it, in decimal, or in hex behind 0x.
std::optional<std::uint64_t> parse_id(std::string_view text);

}  // namespace nissa::ingest
