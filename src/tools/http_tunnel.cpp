#include "tools/http_tunnel.hpp"

#include <algorithm>
#include <deque>

#include "async/coroutine.hpp"
#include "net/http_reader.hpp"
#include "wire/frame.hpp"
#include "wire/json_print.hpp"
#include "wire/messages.hpp"

namespace nissa::tools {
namespace {

constexpr std::size_t head_limit = 8 * 1024;
constexpr std::size_t most_answer = 64 * 1024;
constexpr std::size_t most_frame = std::size_t{64} << 20;  // the server's limit is what counts

class HttpTunnel final : public ByteStream {
 public:
  HttpTunnel(std::shared_ptr<ByteStream> inner, HttpBody body) : inner_(std::move(inner)), body_(body) {}

  Task<std::expected<void, StreamEnd>> wait_readable() override {
    if (!frames_.empty()) co_return std::expected<void, StreamEnd>();
    co_return co_await inner_->wait_readable();
  }
  Task<std::expected<std::size_t, StreamEnd>> read_some(std::span<Byte> buffer) override;
  Task<std::expected<void, StreamEnd>> write(ByteView bytes) override;
  void close() override { inner_->close(); }

 private:
  struct Request {
    wire::FrameKind kind;
    std::uint64_t sent_at_unix_ns = 0;  // of a Heartbeat, to be said back
    std::string bytes;
  };
  Request request_of(wire::FrameKind kind, ByteView message);
  Task<std::expected<void, StreamEnd>> send_next();
  bool take(net::HttpResponse response);

  const std::shared_ptr<ByteStream> inner_;
  const HttpBody body_;
  Bytes written_;                 // frames that are not whole yet
  std::deque<Request> requests_;  // the first is under way, if `asked_`
  bool asked_ = false;
  std::unique_ptr<net::HttpResponseReader> reader_;
  Bytes frames_;  // from begin_ on: not read yet
  std::size_t begin_ = 0;
};

HttpTunnel::Request HttpTunnel::request_of(wire::FrameKind kind, ByteView message) {
  const std::string end = "\r\nHost: nissa\r\nAccept: application/x-protobuf\r\n";
  Request request{.kind = kind};
  if (kind == wire::FrameKind::hello) {
    const auto hello = wire::decode_hello(message);
    const std::string epoch = hello && hello->epoch ? "?epoch=" + std::to_string(*hello->epoch) : "";
    request.bytes = "GET /v2/hello" + epoch + " HTTP/1.1" + end + "\r\n";
  } else if (kind == wire::FrameKind::heartbeat) {
    if (const auto beat = wire::decode_heartbeat(message)) request.sent_at_unix_ns = beat->sent_at_unix_ns;
    request.bytes = "GET /v2/hello HTTP/1.1" + end + "\r\n";
  } else {
    const bool json = body_ == HttpBody::json && kind == wire::FrameKind::batch;
    const std::string text = json ? wire::print_json(wire::schema::telemetry_batch, message) : "";
    const std::string_view body = json ? std::string_view(text) : as_text(message);
    request.bytes = std::string("POST /v2/") + (kind == wire::FrameKind::goodbye ? "goodbye" : "telemetry") +
                    " HTTP/1.1" + end + "Content-Type: application/" + (json ? "json" : "x-protobuf") +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    request.bytes += body;
  }
  return request;
}

Task<std::expected<void, StreamEnd>> HttpTunnel::write(ByteView bytes) {
  written_.insert(written_.end(), bytes.begin(), bytes.end());
  std::size_t used = 0;
  for (;;) {
    const auto step = wire::next_client_frame(ByteView(written_).subspan(used), most_frame);
    if (step.status != wire::FrameStatus::complete) break;
    requests_.push_back(request_of(step.kind, step.payload));
    used += step.size;
  }
  written_.erase(written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(used));
  co_return co_await send_next();
}

Task<std::expected<void, StreamEnd>> HttpTunnel::send_next() {
  if (asked_ || requests_.empty()) co_return std::expected<void, StreamEnd>();
  asked_ = true;
  reader_ = std::make_unique<net::HttpResponseReader>(head_limit, most_answer, false);
  co_return co_await inner_->write(as_bytes(requests_.front().bytes));
}

Task<std::expected<std::size_t, StreamEnd>> HttpTunnel::read_some(std::span<Byte> buffer) {
  while (begin_ == frames_.size()) {
    if (const auto readable = co_await inner_->wait_readable(); !readable) co_return std::unexpected(readable.error());
    Bytes unasked(1);  // nothing comes that was not asked for, but the end
    const auto size = co_await inner_->read_some(reader_ ? reader_->room() : std::span<Byte>(unasked));
    if (!size) co_return std::unexpected(size.error());
    if (!reader_) co_return std::unexpected(StreamEnd::broken);
    const net::HttpProgress progress = reader_->feed(*size);
    if (progress == net::HttpProgress::need_more) continue;
    if (progress != net::HttpProgress::complete || !take(reader_->take())) co_return std::unexpected(StreamEnd::broken);
    if (const auto sent = co_await send_next(); !sent) co_return std::unexpected(sent.error());
  }
  const std::size_t taken = std::min(buffer.size(), frames_.size() - begin_);
  std::copy_n(frames_.begin() + static_cast<std::ptrdiff_t>(begin_), taken, buffer.begin());
  begin_ += taken;
  if (begin_ == frames_.size()) frames_.clear(), begin_ = 0;
  co_return taken;
}

// A response becomes the frame that TCP would have brought. False: it is none.
bool HttpTunnel::take(net::HttpResponse response) {
  const Request request = std::move(requests_.front());
  requests_.pop_front();
  asked_ = false;
  reader_.reset();
  switch (request.kind) {
    case wire::FrameKind::goodbye:
      return true;  // TCP answers none
    case wire::FrameKind::hello:
      if (response.status == 200) append_frame(frames_, wire::ServerFrameKind::hello_ack, as_bytes(response.body));
      return response.status == 200;
    case wire::FrameKind::heartbeat: {
      const auto hello = wire::decode_hello_ack(as_bytes(response.body));
      if (response.status != 200 || !hello) return false;
      wire::append_message(frames_, wire::HeartbeatAck{request.sent_at_unix_ns, hello->now});
      return true;
    }
    default:
      if (response.content_type != "application/x-protobuf") return false;
      append_frame(frames_, wire::ServerFrameKind::ack, as_bytes(response.body));
      return true;
  }
}

}  // namespace

std::shared_ptr<ByteStream> http_tunnel(std::shared_ptr<ByteStream> inner, HttpBody body) {
  return std::make_shared<HttpTunnel>(std::move(inner), body);
}

}  // namespace nissa::tools
