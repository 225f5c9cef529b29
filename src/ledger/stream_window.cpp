#include "ledger/stream_window.hpp"

#include <algorithm>
#include <bit>

#include "base/violation.hpp"

namespace nissa::ledger {
namespace {

constexpr std::size_t least_capacity = 2;

std::uint64_t packed(Fingerprint print) { return static_cast<std::uint64_t>(print.length) << 32 | print.crc32c; }

}  // namespace

std::size_t StreamWindow::heap_bytes(std::size_t capacity) {
  return capacity == 0 ? 0 : (capacity + words_for(capacity)) * sizeof(std::uint64_t) + 16;  // 16: the heap's own
}

std::size_t StreamWindow::capacity_for(Sequence span) {
  return std::max(least_capacity, std::bit_ceil(static_cast<std::size_t>(span)));
}

Fingerprint StreamWindow::print_at(Sequence sequence) const {
  const std::uint64_t raw = block_[slot(sequence)];
  return {static_cast<std::uint32_t>(raw >> 32), static_cast<std::uint32_t>(raw)};
}

Judgement StreamWindow::judge(Sequence sequence, Sequence settled_below, Fingerprint print) const {
  if (sequence < low_) return Judgement::below_low;
  // By subtraction: numbers near 2^64 must not wrap.
  if (sequence - low_ >= width && (sequence < settled_below || sequence - settled_below >= width))
    return Judgement::window_full;
  if (sequence - low_ >= span_ || !has(sequence)) return Judgement::absent;
  return print_at(sequence) == print ? Judgement::duplicate : Judgement::conflict;
}

void StreamWindow::make_room(Sequence sequence, Sequence settled_below) {
  const Sequence base = std::max(low_, settled_below);
  if (sequence < base) return;
  const Sequence span = std::min(sequence - base, width - 1) + 1;
  if (span > capacity_) resize(capacity_for(span));
}

// An eighth, not a half: a window that breathes with its agent's bursts must not be moved with each of them.
void StreamWindow::trim() {
  if (capacity_ > least_capacity && span_ * 8u <= capacity_) resize(capacity_for(span_ * 2u));
}

void StreamWindow::settle(Sequence sequence, Sequence settled_below, Fingerprint print) {
  if (settled_below > sequence) {
    violation("ledger", "a batch does not declare its own number settled");
    settled_below = sequence;
  }
  if (settled_below > low_) advance(settled_below);
  if (sequence < low_) return;  // it is below low: settled, whatever its body
  if (sequence - low_ >= width) {
    violation("ledger", "a counted batch lies in its window");
    advance(sequence - width + 1);  // what is forgotten here is answered as settled: lost rather than counted twice
  }
  const Sequence span = sequence - low_ + 1;
  if (span > capacity_) resize(capacity_for(span));
  put(sequence, packed(print));
  span_ = std::max(span_, static_cast<std::uint16_t>(span));
}

std::size_t StreamWindow::growth(Sequence sequence, Sequence settled_below) const {
  const Sequence base = std::max(low_, settled_below);
  if (sequence < base || sequence - base >= width) return 0;
  const std::size_t capacity = capacity_for(sequence - base + 1);
  return capacity > capacity_ && sequence != base ? heap_bytes(capacity) - heap_bytes(capacity_) : 0;
}

void StreamWindow::put(Sequence sequence, std::uint64_t print) {
  block_[slot(sequence)] = print;
  block_[capacity_ + slot(sequence) / 64] |= 1ULL << (slot(sequence) % 64);
}

void StreamWindow::advance(Sequence to) {
  const Sequence distance = to - low_;
  const Sequence passed = std::min<Sequence>(distance, span_);
  for (Sequence offset = 0; offset < passed; ++offset) {
    const std::size_t at = slot(low_ + offset);
    block_[capacity_ + at / 64] &= ~(1ULL << (at % 64));
  }
  low_ = to;
  span_ = static_cast<std::uint16_t>(span_ - passed);
}

void StreamWindow::resize(std::size_t capacity) {
  auto bigger = std::make_unique<std::uint64_t[]>(capacity + words_for(capacity));
  StreamWindow moved;
  moved.low_ = low_;
  moved.block_ = std::move(bigger);
  moved.capacity_ = static_cast<std::uint16_t>(capacity);
  moved.span_ = span_;
  for_each_settled([&](Sequence sequence, Fingerprint print) { moved.put(sequence, packed(print)); });
  *this = std::move(moved);
}

void StreamWindow::encode(ByteWriter& out) const {
  std::uint64_t settled = 0;
  for_each_settled([&](Sequence, Fingerprint) { ++settled; });
  out.varint(low_);
  out.varint(settled);
  Sequence next = low_;
  for_each_settled([&](Sequence sequence, Fingerprint print) {
    out.varint(sequence - next);
    out.varint(print.length);
    out.fixed(print.crc32c);
    next = sequence + 1;
  });
}

bool StreamWindow::decode(ByteReader& in) {
  *this = StreamWindow();
  low_ = in.varint();
  const std::uint64_t settled = in.varint();
  if (low_ == 0 || settled > width) return false;
  Sequence offset = 0;
  for (std::uint64_t i = 0; i < settled; ++i) {
    const std::uint64_t gap = in.varint();
    const std::uint64_t length = in.varint();
    const auto crc = in.fixed<std::uint32_t>();
    if (in.failed() || gap >= width - offset || length > ~std::uint32_t{0} || low_ + offset + gap < low_) return false;
    offset += gap;
    settle(low_ + offset, low_, {static_cast<std::uint32_t>(length), crc});
    if (++offset == width && i + 1 < settled) return false;
  }
  return !in.failed();
}

bool StreamWindow::operator==(const StreamWindow& other) const {
  if (low_ != other.low_ || span_ != other.span_) return false;
  for (Sequence offset = 0; offset < span_; ++offset) {
    const Sequence sequence = low_ + offset;
    if (has(sequence) != other.has(sequence)) return false;
    if (has(sequence) && print_at(sequence) != other.print_at(sequence)) return false;
  }
  return true;
}

}  // namespace nissa::ledger
