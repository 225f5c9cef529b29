#include "http_talk.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include "net/connection.hpp"

namespace nissa::ingest::test {

HttpTalk::HttpTalk(World& world, PeerAddress peer, std::size_t longest_piece) : world_(world) {
  auto pair = memory_pair(world.hand.timers,
                          {.seed = 1, .most_in_flight = std::size_t{64} << 20, .longest_piece = longest_piece});
  stream_ = pair.near;
  const Strand strand(world.hand.loop);
  spawn_on(strand, serve(*world.http, pair.far, std::move(peer), strand, state_));
  world.hand.loop.spawn(read(stream_, state_));
  world.hand.settle();
}

HttpTalk::~HttpTalk() {
  stream_->close();
  world_.hand.settle();
  CHECK(state_->served);
}

Task<void> HttpTalk::serve(HttpIngestComponent& door, std::shared_ptr<ByteStream> stream, PeerAddress peer,
                           Strand strand, std::shared_ptr<State> state) {
  co_await door.serve({stream, std::move(peer), strand});
  stream->close();
  state->served = true;
}

Task<void> HttpTalk::read(std::shared_ptr<ByteStream> stream, std::shared_ptr<State> state) {
  Bytes buffer(64 * 1024);
  while (const auto size = co_await stream->read_some(buffer)) state->bytes.append(as_text({buffer.data(), *size}));
  state->ended = true;
}

Task<void> HttpTalk::write(std::shared_ptr<ByteStream> stream, std::string bytes) {
  (void)co_await stream->write(as_bytes(bytes));
}

void HttpTalk::begin(std::string bytes) { world_.hand.loop.spawn(write(stream_, std::move(bytes))); }

void HttpTalk::send(std::string bytes) {
  begin(std::move(bytes));
  world_.hand.settle();
}

void HttpTalk::hang_up() {
  stream_->close();
  world_.hand.settle();
}

std::vector<Heard> HttpTalk::heard() const {
  std::vector<Heard> all;
  std::string_view rest = state_->bytes;
  for (auto end = rest.find("\r\n\r\n"); end != rest.npos; end = rest.find("\r\n\r\n")) {
    Heard one;
    one.head = std::string(rest.substr(0, end + 2));
    one.status = static_cast<unsigned>(std::stoul(one.head.substr(9, 3)));
    rest.remove_prefix(end + 4);
    if (one.status == 100) continue;
    const auto length = one.head.find("Content-Length: ");
    REQUIRE(length != std::string::npos);
    one.body = std::string(rest.substr(0, std::stoul(one.head.substr(length + 16))));
    rest.remove_prefix(one.body.size());
    all.push_back(std::move(one));
  }
  return all;
}

Heard HttpTalk::ask(std::string bytes) {
  const std::size_t before = heard().size();
  send(std::move(bytes));
  world_.pass_ms(10);
  const auto all = heard();
  REQUIRE(all.size() == before + 1);
  return all.back();
}

std::string post(std::string_view body, std::string_view type, std::string_view headers) {
  return "POST /v2/telemetry HTTP/1.1\r\nHost: nissa\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" +
         std::string(body);
}

std::string gzipped(std::string_view raw) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, raw.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

Bytes whole_batch(const wire::BatchHeader& header, ByteView body) {
  Bytes out;
  wire::append_header(out, header);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace nissa::ingest::test
