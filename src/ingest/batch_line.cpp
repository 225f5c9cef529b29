#include "ingest/batch_line.hpp"

#include "base/memory.hpp"
#include "ingest/door_log.hpp"

namespace nissa::ingest {
namespace {

// A second or two, by the batch: those who are refused together do not come back together.
NotTaken no_memory(const wire::BatchHeader& header) {
  return {.refused = Reason::no_room,
          .retry_after_ms = 1'000 + static_cast<std::uint32_t>((header.epoch ^ header.sequence) % 1'000)};
}

}  // namespace

std::optional<NotTaken> add_batch(ledger::Submission& submission, fold::BatchFold& fold, ByteView bytes,
                                  const wire::BatchHeader& header, const fold::FoldContext& context,
                                  std::uint32_t token) {
  const std::size_t first_cell = submission.cells.size();
  // Its line first: what is folded is in hand then.
  if (!had_memory([&] { submission.lines.emplace_back(); })) return no_memory(header);
  auto folded = fold.fold(bytes, header, context, submission.cells);
  if (!folded) {
    submission.lines.pop_back();
    if (folded.error().reason == Reason::no_room) return no_memory(header);
    return NotTaken{.malformed = std::move(folded.error())};
  }
  if (folded->metrics != 0 || folded->alerts != 0) {
    submission.lines.pop_back();
    submission.cells.resize(first_cell);
    return NotTaken{.refused = Reason::not_supported};
  }
  log_match_sets_full(*folded, fold.sets());
  ledger::BatchLine& line = submission.lines.back();
  line.key = header.key();
  line.settled_below = header.settled_below;
  line.print = wire::fingerprint_of(bytes.subspan(header.header_size));
  line.first_cell = static_cast<std::uint32_t>(first_cell);
  line.cell_count = static_cast<std::uint32_t>(submission.cells.size() - first_cell);
  line.event_count = header.event_count;
  line.accepted = folded->accepted;
  line.late = folded->late;
  line.rejected = folded->rejected;
  line.unmatched = folded->unmatched;
  line.fanout_dropped = folded->fanout_dropped;
  line.token = token;
  return std::nullopt;
}

}  // namespace nissa::ingest
