#include "net/http_client.hpp"

#include "async/watchdog.hpp"
#include "net/http_reader.hpp"
#include "net/tcp_connect.hpp"

namespace nissa::net {
namespace {

constexpr std::size_t head_limit = 64 * 1024;

std::string request_bytes(const HttpCall& call) {
  const bool v6 = call.host.find(':') != std::string::npos;
  std::string out = call.method + ' ' + call.target + " HTTP/1.1\r\nHost: " + (v6 ? '[' + call.host + ']' : call.host) +
                    ':' + std::to_string(call.port) + "\r\nConnection: close\r\n";
  if (!call.body.empty() || call.method != "GET") out += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  for (const auto& [name, value] : call.headers) out += name + ": " + value + "\r\n";
  return out + "\r\n" + call.body;
}

// complete, or what stood in the way; nothing if the connection broke.
Task<HttpProgress> read_response(ByteStream& stream, HttpResponseReader& reader) {
  HttpProgress progress = HttpProgress::need_more;
  while (progress == HttpProgress::need_more) {
    const auto size = co_await stream.read_some(reader.room());
    if (!size && size.error() != StreamEnd::finished) co_return HttpProgress::need_more;
    progress = size ? reader.feed(*size) : reader.end();
  }
  co_return progress;
}

}  // namespace

Task<Result<HttpResponse>> http_fetch(Strand strand, Timers& timers, HttpCall call, BootNs deadline) {
  const auto connected = co_await tcp_connect(strand, timers, call.host, call.port, deadline);
  if (!connected) co_return std::unexpected(connected.error());
  const std::shared_ptr<ByteStream> stream = *connected;
  Watchdog watchdog(timers, stream);
  watchdog.expect_within(deadline - timers.now());
  const std::string bytes = request_bytes(call);
  // A server that refuses early may stop reading: what it has to say counts, not that our write ended.
  (void)co_await stream->write(as_bytes(bytes));
  HttpResponseReader reader(head_limit, call.max_response, call.method == "HEAD");
  const HttpProgress progress = co_await read_response(*stream, reader);
  stream->close();
  if (progress == HttpProgress::complete) co_return reader.take();
  const std::string from = "from " + call.host + ":" + std::to_string(call.port);
  if (watchdog.has_bitten()) co_return failure("no answer in time " + from);
  if (progress == HttpProgress::need_more) co_return failure("the connection broke before the answer " + from);
  co_return failure(std::string("the answer cannot be read (") + name_of(progress) + ") " + from);
}

}  // namespace nissa::net
