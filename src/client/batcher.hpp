// Events → bodies of batches: closed by count, by bytes or by age. Pure; not synchronised; about 30 ns an event.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "client/stream_types.hpp"
#include "wire/event_writer.hpp"

namespace nissa::client {

struct BatcherOptions {
  std::uint32_t max_events = 1'000;           // ≥ 1
  std::uint32_t max_bytes = 256 * 1024;       // of a body; one event alone may be larger
  std::int64_t max_age_ns = 100 * ns_per_ms;  // of a body's first event
};

class Batcher {
 public:
  explicit Batcher(BatcherOptions options) : options_(options) {}

  enum class Added : std::uint8_t {
    grew,    // an open body
    opened,  // a new one: due() is new
    closed,  // one or two bodies are ready now
  };
  Added add(const wire::EventHead& head, ByteView identity, BootNs now);
  // What the server said; the options hold where they are lower. Of bodies closed from now on; what is open and beyond
  // it is closed as it is.
  void limit(std::uint32_t max_events, std::uint32_t max_bytes);
  // Closes the open body, whatever its age.
  void close_open();
  // Closes it if its time has come.
  void close_due(BootNs now);
  // The next body that is closed; its tag is its number, from 1.
  std::optional<Body> take();
  // When the time of the open body comes; absent if there is none.
  std::optional<BootNs> due() const;
  // Tags: all below are closed; all below the second are taken.
  std::uint64_t first_open() const { return next_tag_; }
  std::uint64_t first_untaken() const { return ready_.empty() ? next_tag_ : ready_.front().tag; }

 private:
  BatcherOptions options_;
  std::uint32_t max_events_ = options_.max_events, max_bytes_ = options_.max_bytes;
  Body open_;
  BootNs opened_at_ = 0;
  std::deque<Body> ready_;
  std::uint64_t next_tag_ = 1;  // of the open body
};

}  // namespace nissa::client
