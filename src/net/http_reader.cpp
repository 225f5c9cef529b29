#include "net/http_reader.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace nissa::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t room_bytes = 16 * 1024;
constexpr std::size_t least_room = 1024;
// "0", and two ends of lines: so much always follows. Beast (1.81) asserts that it has them all when it is asked for
// the second time about the last chunk, so it is not asked before.
constexpr std::size_t last_chunk_bytes = 5;
// Of a head or of a trailer. A field costs some 150 bytes beside its text, and 8 KiB hold two thousand.
constexpr std::size_t most_fields = 100;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

// The buffer and Beast's parser, which wants the unread bytes of a head in one piece.
template <bool is_request>
struct MessageReader {
  explicit MessageReader(std::size_t limit) : head_limit(limit) { restart(); }

  const std::size_t head_limit;
  std::optional<http::parser<is_request, http::string_body>> parser;
  std::size_t head_bytes = 0;  // Beast limits what is left over between two reads, not the sum
  bool begun = false;          // a byte of the message itself has come
  std::string fault;
  Bytes buffer;
  std::size_t begin = 0, end = 0;  // what is in the buffer and was not parsed

  void restart() {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(head_limit));
    parser->body_limit(boost::none);  // until accept_body
    head_bytes = 0;
    begun = false;
  }

  std::span<Byte> room() {
    if (begin == end) begin = end = 0;
    if (buffer.size() - end < least_room && begin > 0) {
      std::memmove(buffer.data(), buffer.data() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    if (buffer.size() - end < least_room) buffer.resize(std::max(room_bytes, end + least_room));
    return std::span<Byte>(buffer).subspan(end);
  }

  // What was read of a message that is refused is of no use, and its memory is given back.
  HttpProgress fail(HttpProgress progress, std::string why) {
    restart();
    fault = std::move(why);
    return progress;
  }

  // Some clients end a body with a line break that they do not count (RFC 9112, 2.2).
  void skip_empty_lines() {
    for (; !begun && end - begin >= 2 && buffer[begin] == '\r' && buffer[begin + 1] == '\n'; begin += 2)
      head_bytes += 2;
    begun = begun || (begin != end && (end - begin >= 2 || buffer[begin] != '\r'));
  }

  HttpProgress parse() {
    while (!parser->is_done()) {
      skip_empty_lines();
      if (begin == end || !begun) return HttpProgress::need_more;
      const bool in_head = !parser->is_header_done();
      if (!in_head && parser->chunked() && end - begin < last_chunk_bytes) return HttpProgress::need_more;
      boost::system::error_code error;
      const std::size_t used = parser->put({buffer.data() + begin, end - begin}, error);
      begin += used;
      if (in_head) head_bytes += used;
      // What Beast leaves has to come in one piece: a field, what is said of a chunk, or all behind the last one.
      const std::size_t unused = error == http::error::need_more ? end - begin : 0;
      if (error == http::error::header_limit || (in_head ? head_bytes : 0) + unused > head_limit)
        return fail(HttpProgress::head_too_large, "larger than " + std::to_string(head_limit) + " bytes");
      if (std::distance(parser->get().begin(), parser->get().end()) > static_cast<std::ptrdiff_t>(most_fields))
        return fail(HttpProgress::head_too_large, "of more than " + std::to_string(most_fields) + " fields");
      if (error == http::error::need_more) return HttpProgress::need_more;
      if (error == http::error::body_limit) return fail(HttpProgress::body_too_large, "");
      if (error) return fail(HttpProgress::bad, error.message());
      if (in_head && parser->is_header_done()) return HttpProgress::head_done;
    }
    return HttpProgress::complete;
  }

  HttpHeaders headers() const {
    HttpHeaders all;
    for (const auto& field : parser->get()) all.emplace_back(text(field.name_string()), text(field.value()));
    return all;
  }
};

}  // namespace

struct HttpRequestReader::Inside : MessageReader<true> {
  using MessageReader::MessageReader;
  HttpHead head;

  HttpProgress step() {
    const HttpProgress progress = parse();
    if (progress != HttpProgress::head_done) return progress;
    read_head();
    if (const char* const why = what_is_wrong()) return fail(HttpProgress::bad, why);
    parser->get().clear();  // all of it is in `head`
    return progress;
  }

  void read_head() {
    const auto& message = parser->get();
    head = {};
    head.request.method = text(message.method_string());
    read_target(text(message.target()));
    head.request.headers = headers();
    head.keep_alive = parser->keep_alive();
    head.expects_continue = boost::beast::iequals(message[http::field::expect], "100-continue");
    head.has_body = !parser->is_done();
    if (const auto length = parser->content_length()) head.content_length = *length;
  }

  // "/path?query", or the same behind "http://host" (RFC 9112, 3.2.2).
  void read_target(std::string target) {
    constexpr std::string_view scheme = "http://";
    if (boost::beast::iequals(target.substr(0, scheme.size()), scheme))
      target.erase(0, std::min(target.find_first_of("/?", scheme.size()), target.size()));
    const auto question = target.find('?');
    if (question != std::string::npos) head.request.query = target.substr(question + 1);
    head.raw_path = target.substr(0, question);
    if (head.raw_path.empty()) head.raw_path = "/";
  }

  // What Beast lets pass, and RFC 9112 (3.2 and 6.1) does not, because of what proxies may make of it.
  const char* what_is_wrong() const {
    const auto& message = parser->get();
    const auto hosts = message.count(http::field::host);
    if (hosts > 1) return "more than one Host";
    if (hosts == 0 && message.version() >= 11) return "no Host";
    if (message.count(http::field::transfer_encoding) == 0) return nullptr;
    if (message.version() < 11) return "Transfer-Encoding in HTTP/1.0";
    // A coding that we do not undo would make us take the body for something else, or for the next request.
    const bool only_chunked = message.count(http::field::transfer_encoding) == 1 &&
                              boost::beast::iequals(message[http::field::transfer_encoding], "chunked");
    return only_chunked ? nullptr : "Transfer-Encoding is not \"chunked\" alone";
  }
};

HttpRequestReader::HttpRequestReader(std::size_t head_limit) : inside_(std::make_unique<Inside>(head_limit)) {}
HttpRequestReader::~HttpRequestReader() = default;

std::span<Byte> HttpRequestReader::room() { return inside_->room(); }

HttpProgress HttpRequestReader::feed(std::size_t size) {
  inside_->end += size;
  return inside_->step();
}

const HttpHead& HttpRequestReader::head() const { return inside_->head; }
const std::string& HttpRequestReader::fault() const { return inside_->fault; }

HttpRequest HttpRequestReader::take_request() {
  HttpRequest& request = inside_->head.request;
  HttpRequest taken = std::move(request);
  request = {.method = taken.method};
  return taken;
}

HttpProgress HttpRequestReader::accept_body(std::size_t limit) {
  const auto length = inside_->parser->content_length();
  if (length && *length > limit) return HttpProgress::body_too_large;
  inside_->parser->body_limit(limit);
  // Of unknown length: once and untouched, for growing by doubling would take up to three times the limit.
  if (!length) inside_->parser->get().body().reserve(limit);
  return inside_->step();
}

std::string HttpRequestReader::take_body() { return std::move(inside_->parser->get().body()); }

std::size_t HttpRequestReader::discard(std::size_t arrived, std::size_t most) {
  inside_->end += arrived;
  const std::size_t dropped = std::min(most, inside_->end - inside_->begin);
  inside_->begin += dropped;
  return dropped;
}

void HttpRequestReader::next() {
  inside_->restart();
  inside_->head = {};  // a request that cannot be read must not look like the one before
}

bool HttpRequestReader::empty() const { return inside_->begin == inside_->end && inside_->head_bytes == 0; }

void HttpRequestReader::drop_buffer() {
  inside_->begin = inside_->end = 0;
  Bytes().swap(inside_->buffer);
}

struct HttpResponseReader::Inside : MessageReader<false> {
  using MessageReader::MessageReader;
  HttpProgress step() {
    HttpProgress progress = parse();
    if (progress == HttpProgress::head_done) progress = parse();
    return progress;
  }
};

HttpResponseReader::HttpResponseReader(std::size_t head_limit, std::size_t body_limit, bool to_head)
    : inside_(std::make_unique<Inside>(head_limit)) {
  inside_->parser->body_limit(body_limit);
  inside_->parser->skip(to_head);
}
HttpResponseReader::~HttpResponseReader() = default;

std::span<Byte> HttpResponseReader::room() { return inside_->room(); }

HttpProgress HttpResponseReader::feed(std::size_t size) {
  inside_->end += size;
  return inside_->step();
}

HttpProgress HttpResponseReader::end() {
  boost::system::error_code error;
  if (!inside_->parser->got_some()) return HttpProgress::bad;
  inside_->parser->put_eof(error);
  return error ? HttpProgress::bad : HttpProgress::complete;
}

HttpResponse HttpResponseReader::take() {
  auto& message = inside_->parser->get();
  HttpResponse response{.status = message.result_int(),
                        .content_type = text(message[http::field::content_type]),
                        .body = std::move(message.body()),
                        .headers = inside_->headers()};
  return response;
}

}  // namespace nissa::net
