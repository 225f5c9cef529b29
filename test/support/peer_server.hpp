// The model server behind a byte stream: frames in, acks out. The body of a batch begins with the tag of
// an event and its length (2 bytes), then the batch's tag, 8 bytes.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>

#include "async/byte_stream.hpp"
#include "async/coroutine.hpp"
#include "support/model_server.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace nissa::test {

class PeerServer {
 public:
  ModelServer model;
  wire::HelloAck hello{1U << 20, 1'000, 256, 1U << 20, {}, {}, {}, 0};
  Reason refuse_hello = Reason::none;
  bool mute = false;  // answers no hello
  std::vector<wire::Hello> hellos;
  std::vector<wire::Heartbeat> heartbeats;
  std::vector<wire::Goodbye> goodbyes;
  std::vector<std::string> agents;
  std::uint64_t writes_seen = 0, batches_seen = 0, events_seen = 0;
  // Before a batch gets to the model: true swallows it, and its answer.
  std::function<bool(const wire::BatchHeader&)> swallow;
  // After each read; by default the group is committed.
  std::function<void()> after_read = [this] { model.commit(); };

  // To the latest connection, which stays open.
  Task<void> say_go_away(Reason reason) {
    Bytes out;
    wire::append_message(out, wire::GoAway{reason, {}});
    if (const auto stream = latest_.lock()) (void)co_await stream->write(out);
  }

  // One connection, to its end. Strange frames end it too.
  Task<void> serve(std::shared_ptr<ByteStream> stream) {
    const int connection = ++connections_;
    latest_ = stream;
    Bytes unread, buffer(64 * 1024), out;
    for (;;) {
      const auto got = co_await stream->read_some(buffer);
      if (!got) break;
      ++writes_seen;
      unread.insert(unread.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
      if (!take_frames(connection, unread, out)) break;
      after_read();
      collect_answers(connection, out);
      if (!out.empty() && !co_await stream->write(out)) break;
      out.clear();
    }
    stream->close();
  }

 private:
  bool take_frames(int connection, Bytes& unread, Bytes& out) {
    std::size_t at = 0;
    for (;;) {
      const auto step = wire::next_client_frame(ByteView(unread).subspan(at), 2U << 20);
      if (step.status == wire::FrameStatus::need_more) break;
      if (step.status != wire::FrameStatus::complete) return false;
      take(connection, step, out);
      at += step.size;
    }
    unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  void take(int connection, const wire::FrameStep<wire::FrameKind>& frame, Bytes& out) {
    if (frame.kind == wire::FrameKind::hello) {
      if (const auto said = wire::decode_hello(frame.payload)) greet(*said, out);
    } else if (frame.kind == wire::FrameKind::heartbeat) {
      if (const auto said = wire::decode_heartbeat(frame.payload)) {
        heartbeats.push_back(*said);
        wire::append_message(out, wire::HeartbeatAck{said->sent_at_unix_ns, model.now});
      }
    } else if (frame.kind == wire::FrameKind::goodbye) {
      if (const auto said = wire::decode_goodbye(frame.payload)) {
        goodbyes.push_back(*said);
        model.goodbye(*said);
      }
    } else if (frame.kind == wire::FrameKind::batch) {
      batch(connection, frame.payload);
    }
  }

  void greet(const wire::Hello& said, Bytes& out) {
    hellos.push_back(said);
    if (mute) return;
    if (refuse_hello != Reason::none) return wire::append_message(out, wire::GoAway{refuse_hello, {}});
    wire::HelloAck ack = hello;
    ack.now = model.now;
    ack.sent_at_unix_ns = said.sent_at_unix_ns;
    if (said.epoch) ack.epoch_known = model.knows(*said.epoch);
    wire::append_message(out, ack);
  }

  void batch(int connection, ByteView payload) {
    const auto header = wire::peek_header(payload);
    if (!header) return model.offences.emplace_back("a malformed header"), void();
    ++batches_seen;
    events_seen += header->event_count;
    agents.emplace_back(header->agent);
    const ByteView body = payload.subspan(header->header_size);
    std::uint64_t tag = 0;
    if (body.size() >= 10) std::memcpy(&tag, body.data() + 2, sizeof tag);
    model.sent(*header, tag);
    if (!swallow || !swallow(*header)) model.receive(connection, *header, tag);
  }

  void collect_answers(int connection, Bytes& out) {
    for (const Answered& answer : model.answers)
      if (answer.connection == connection) wire::append_message(out, answer.ack);
    model.answers.clear();
  }

  int connections_ = 0;
  std::weak_ptr<ByteStream> latest_;
};

}  // namespace nissa::test
