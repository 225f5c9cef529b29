// Drives one stream by hand: what it sends is collected, what the server says is called.
#pragma once
#include <doctest/doctest.h>

#include <vector>

#include "client/explain.hpp"
#include "client/stream.hpp"

namespace nissa::client::test {

struct Harness {
  explicit Harness(StreamOptions options = {}) : stream(options, [n = 0ULL]() mutable { return ++n * 1'000'003; }) {}

  Stream stream;
  BootNs now = ns_per_s;
  EpochSeen server{77, 1'000'000};
  std::vector<wire::BatchHeader> sent;
  std::vector<std::uint64_t> sent_tags;
  std::vector<wire::Goodbye> goodbyes;
  std::vector<Settlement> settled;
  std::vector<std::string> said;  // notices
  int connects = 0, disconnects = 0;
  Action last;

  Taken enqueue(std::uint64_t tag, std::uint32_t size = 100) { return stream.enqueue(Body{{}, size, 1, tag}); }

  // Until the stream waits; collects what it sends. Answers Action::connect with a HelloAck if `reachable`.
  void run(bool reachable = true, std::optional<bool> epoch_known = std::nullopt) {
    for (;;) {
      last = stream.next(now);
      using Kind = Action::Kind;
      if (last.kind == Kind::wait) break;
      if (last.kind == Kind::connect) {
        ++connects;
        if (!reachable) {
          stream.connection_lost(now);
          continue;
        }
        wire::HelloAck ack = hello;
        ack.now = server;
        ack.epoch_known = epoch_known;
        stream.connected(ack);
      } else if (last.kind == Kind::send_batch) {
        sent.push_back(last.header);
        sent_tags.push_back(last.body->tag);
      } else if (last.kind == Kind::send_goodbye) {
        goodbyes.push_back(last.goodbye);
      } else {
        ++disconnects;
        stream.connection_lost(now);
      }
    }
    hear();
  }
  void hear() {
    stream.take_settlements(settled);
    std::vector<Notice> notices;
    stream.take_notices(now, notices);
    for (const Notice& one : notices) said.push_back(text_of(one));
  }
  void pass(std::int64_t ms) {
    now += ms * ns_per_ms;
    server.running_ms += static_cast<RunningMs>(ms);
  }
  void answer(const wire::BatchHeader& header, wire::AckStatus status, Reason reason = Reason::none,
              std::uint32_t retry_after_ms = 0) {
    wire::Ack ack;
    ack.key = header.key();
    ack.status = status;
    ack.reason = reason;
    ack.retry_after_ms = retry_after_ms;
    ack.now = server;
    ack.final = status == wire::AckStatus::refused && is_final(reason);
    stream.acked(ack, now);
    hear();
  }
  void counted(const wire::BatchHeader& header) { answer(header, wire::AckStatus::counted); }
  // The connection ends; the time of the next try comes.
  void lose_connection() {
    stream.connection_lost(now);
    pass(31'000);
  }
  wire::HelloAck hello{1U << 20, 1'000, 256, 1U << 20, {}, {}, {}, 0};
};

}  // namespace nissa::client::test
