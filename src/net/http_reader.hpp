// Bytes → HTTP messages, with every limit that protects the reader. No socket, no time, no Beast in this header.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "net/http_types.hpp"

namespace nissa::net {

enum class HttpProgress : std::uint8_t {
  need_more,       // read more into room()
  head_done,       // head() is there; say accept_body before anything else
  complete,        // the message is there
  bad,             // not HTTP/1.0 or 1.1, or of a form that proxies could read differently
  head_too_large,  // the bytes before the body, between two chunks or behind the last are more than allowed, or the
                   // fields
  body_too_large,  // more than accept_body allowed; known before they are read if Content-Length says so
};
constexpr const char* name_of(HttpProgress progress) {
  constexpr const char* names[] = {"need more", "head done", "complete", "bad", "head too large", "body too large"};
  return names[static_cast<int>(progress)];
}

struct HttpHead {
  HttpRequest request;   // without path, parameters, body and peer
  std::string raw_path;  // as sent, without the query
  bool keep_alive = false;
  bool expects_continue = false;
  bool has_body = false;
  std::optional<std::size_t> content_length = {};  // nothing: chunked, or no body
};

// Reads one request after the other off a connection; bytes of the next that came along are kept for it.
// Bounds, whatever comes: a head of `head_limit` bytes, 100 fields; as much again for what is said of a chunk and for
// what follows the last one; a buffer of 24 KiB; the body that was accepted.
class HttpRequestReader {
 public:
  explicit HttpRequestReader(std::size_t head_limit);
  ~HttpRequestReader();

  // Where the next bytes go: at least 1 KiB. The buffer exists from the first call until drop_buffer().
  std::span<Byte> room();
  // `size` bytes have come. With 0: look at what is there.
  HttpProgress feed(std::size_t size);
  const HttpHead& head() const;
  // After head_done, once: the request, whose headers head() does not keep.
  HttpRequest take_request();
  // After bad or head_too_large: what is wrong, in a few words.
  const std::string& fault() const;
  // After head_done: how many bytes the body may have.
  HttpProgress accept_body(std::size_t limit);
  // After complete, or after head_done for a request without a body.
  std::string take_body();
  // After head_done: of a body that is not wanted. `arrived` bytes more have come into room(); how many of it, `most`
  // at most, were dropped.
  std::size_t discard(std::size_t arrived, std::size_t most);
  // Begins the next request.
  void next();
  // Nothing of a next request is here yet: the connection is idle.
  bool empty() const;
  void drop_buffer();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// Reads one response.
class HttpResponseReader {
 public:
  // `to_head`: the answer to a HEAD has no body, whatever its Content-Length says.
  HttpResponseReader(std::size_t head_limit, std::size_t body_limit, bool to_head);
  ~HttpResponseReader();
  std::span<Byte> room();
  HttpProgress feed(std::size_t size);
  // The other side ended: complete, if that is how this response ends, else bad.
  HttpProgress end();
  HttpResponse take();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::net
