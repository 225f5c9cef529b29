#include "support/memory_stream.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include "async/parked.hpp"

namespace nissa::test {
namespace {

// One direction. Chunks become readable when their time has come, in order.
struct Pipe {
  Timers& timers;
  const LinkOptions options;
  std::mt19937_64& random;
  struct Chunk {
    BootNs ready_at;
    Bytes bytes;
  };
  std::deque<Chunk> chunks = {};
  std::size_t in_flight = 0;
  BootNs last_ready_at = 0;
  bool stalled = false;
  std::optional<BootNs> finished_at = {};    // the writer closed: the reader gets to the end of what was sent
  std::optional<StreamEnd> reader_end = {};  // what the reader gets at once
  std::optional<StreamEnd> writer_end = {};
  std::optional<Parked<bool>> reader = {};
  std::optional<Parked<bool>> writer = {};

  static void wake(std::optional<Parked<bool>>& waiting) {
    if (!waiting) return;
    Parked<bool> parked = std::move(*waiting);
    waiting.reset();
    parked.wake(true);
  }
  void wake_both() {
    wake(reader);
    wake(writer);
  }

  BootNs arrival() {
    const auto spread = static_cast<std::uint64_t>(options.most_delay_ns - options.least_delay_ns + 1);
    const BootNs ready = timers.now() + options.least_delay_ns + static_cast<BootNs>(random() % spread);
    return last_ready_at = std::max(last_ready_at, ready);
  }

  bool readable() const {
    if (reader_end) return true;
    if (stalled) return false;
    if (!chunks.empty()) return chunks.front().ready_at <= timers.now();
    return finished_at && *finished_at <= timers.now();
  }
  std::optional<BootNs> next_arrival() const {
    if (stalled) return std::nullopt;
    return chunks.empty() ? finished_at : chunks.front().ready_at;
  }

  std::expected<std::size_t, StreamEnd> take(std::span<Byte> buffer) {
    if (reader_end) return std::unexpected(*reader_end);
    if (chunks.empty()) return std::unexpected(StreamEnd::finished);
    std::size_t most = buffer.size();
    if (options.longest_piece > 0)
      most = std::min(most, 1 + static_cast<std::size_t>(random() % options.longest_piece));
    std::size_t taken = 0;
    while (taken < most && !chunks.empty() && chunks.front().ready_at <= timers.now()) {
      Bytes& front = chunks.front().bytes;
      const std::size_t size = std::min(most - taken, front.size());
      std::copy_n(front.begin(), size, buffer.begin() + static_cast<std::ptrdiff_t>(taken));
      front.erase(front.begin(), front.begin() + static_cast<std::ptrdiff_t>(size));
      taken += size;
      if (front.empty()) chunks.pop_front();
    }
    in_flight -= taken;
    wake(writer);
    return taken;
  }

  void put(ByteView bytes) {
    chunks.push_back({arrival(), Bytes(bytes.begin(), bytes.end())});
    in_flight += bytes.size();
    wake(reader);
  }
};

struct Link final : MemoryLink, std::enable_shared_from_this<Link> {
  Link(Timers& timers, const LinkOptions& options)
      : random(options.seed), pipes{{timers, options, random}, {timers, options, random}} {}
  std::mt19937_64 random;
  Pipe pipes[2];

  void cut() override {
    for (Pipe& pipe : pipes) {
      pipe.chunks.clear();
      if (!pipe.reader_end) pipe.reader_end = StreamEnd::broken;
      if (!pipe.writer_end) pipe.writer_end = StreamEnd::broken;
      pipe.wake_both();
    }
  }
  void stall() override {
    for (Pipe& pipe : pipes) pipe.stalled = true;
  }
  void resume() override {
    for (Pipe& pipe : pipes) {
      pipe.stalled = false;
      pipe.wake_both();
    }
  }
};

class MemoryStream final : public ByteStream {
 public:
  MemoryStream(std::shared_ptr<Link> link, int side)
      : link_(std::move(link)), in_(link_->pipes[side]), out_(link_->pipes[1 - side]) {}
  ~MemoryStream() override { MemoryStream::close(); }

  Task<std::expected<void, StreamEnd>> wait_readable() override {
    while (!in_.readable()) co_await wait(in_.reader, in_.next_arrival());
    if (in_.reader_end) co_return std::unexpected(*in_.reader_end);
    co_return std::expected<void, StreamEnd>();
  }

  Task<std::expected<std::size_t, StreamEnd>> read_some(std::span<Byte> buffer) override {
    while (!in_.readable()) co_await wait(in_.reader, in_.next_arrival());
    co_return in_.take(buffer);
  }

  Task<std::expected<void, StreamEnd>> write(ByteView bytes) override {
    while (!bytes.empty()) {
      if (out_.writer_end) co_return std::unexpected(*out_.writer_end);
      const std::size_t room = out_.options.most_in_flight - std::min(out_.in_flight, out_.options.most_in_flight);
      if (room == 0) {
        co_await wait(out_.writer, std::nullopt);
        continue;
      }
      out_.put(bytes.first(std::min(room, bytes.size())));
      bytes = bytes.subspan(std::min(room, bytes.size()));
    }
    if (out_.writer_end) co_return std::unexpected(*out_.writer_end);
    co_return std::expected<void, StreamEnd>();
  }

  void close() override {
    if (!in_.reader_end) in_.reader_end = StreamEnd::closed;
    if (!in_.writer_end) in_.writer_end = StreamEnd::broken;  // the other side writes to nobody
    if (!out_.writer_end) out_.writer_end = StreamEnd::closed;
    if (!out_.finished_at) out_.finished_at = out_.arrival();
    in_.wake_both();
    out_.wake_both();
  }

 private:
  // Until something changes on this side of the pipe, or until `arrival`.
  Task<void> wait(std::optional<Parked<bool>>& place, std::optional<BootNs> arrival) {
    (void)co_await park<bool>([&](Parked<bool> parked) {
      place.emplace(std::move(parked));
      if (!arrival) return;
      link_->pipes[0].timers.call_at(*arrival, [link = link_, &place](Slept slept) {
        if (slept == Slept::cancelled) return link->cut();  // time has ended: nothing will arrive
        Pipe::wake(place);
      });
    });
  }

  const std::shared_ptr<Link> link_;
  Pipe& in_;
  Pipe& out_;
};

}  // namespace

MemoryPair memory_pair(Timers& timers, LinkOptions options) {
  const auto link = std::make_shared<Link>(timers, options);
  return {std::make_shared<MemoryStream>(link, 0), std::make_shared<MemoryStream>(link, 1), link};
}

}  // namespace nissa::test
