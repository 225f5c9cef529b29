#include "client/batcher.hpp"

#include <algorithm>
#include <utility>

namespace nissa::client {

Batcher::Added Batcher::add(const wire::EventHead& head, ByteView identity, BootNs now) {
  Added added = Added::grew;
  if (open_.event_count > 0 && open_.bytes.size() + wire::event_size(head, identity) > max_bytes_) {
    close_open();
    added = Added::closed;
  }
  if (open_.event_count == 0) {
    opened_at_ = now;
    if (added == Added::grew) added = Added::opened;
  }
  wire::append_event(open_.bytes, head, identity);
  ++open_.event_count;
  if (open_.event_count < max_events_ && open_.bytes.size() < max_bytes_) return added;
  close_open();
  return Added::closed;
}

void Batcher::limit(std::uint32_t max_events, std::uint32_t max_bytes) {
  max_events_ = std::max(1U, std::min(options_.max_events, max_events));
  max_bytes_ = std::max(1U, std::min(options_.max_bytes, max_bytes));
  if (open_.event_count >= max_events_ || open_.bytes.size() >= max_bytes_) close_open();
}

void Batcher::close_open() {
  if (open_.event_count == 0) return;
  open_.size = static_cast<std::uint32_t>(open_.bytes.size());
  open_.tag = next_tag_++;
  const std::size_t like_this = open_.bytes.size();
  if (open_.bytes.capacity() - like_this > like_this / 4) open_.bytes.shrink_to_fit();  // held bytes are bounded
  ready_.push_back(std::exchange(open_, Body{}));
  open_.bytes.reserve(like_this);  // the next one will be as large
}

void Batcher::close_due(BootNs now) {
  if (open_.event_count > 0 && now - opened_at_ >= options_.max_age_ns) close_open();
}

std::optional<Body> Batcher::take() {
  if (ready_.empty()) return std::nullopt;
  Body body = std::move(ready_.front());
  ready_.pop_front();
  return body;
}

std::optional<BootNs> Batcher::due() const {
  if (open_.event_count == 0) return std::nullopt;
  return opened_at_ + options_.max_age_ns;
}

}  // namespace nissa::client
