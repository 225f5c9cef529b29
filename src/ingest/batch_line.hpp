// A batch folded into a submission: what both doors, TCP and HTTP, do with a batch whose turn it is.
#pragma once
#include <optional>

#include "fold/batch_fold.hpp"
#include "ledger/submission.hpp"
#include "wire/header_peek.hpp"

namespace nissa::ingest {

// Why a batch adds nothing: one of both.
struct NotTaken {
  std::optional<wire::Malformed> malformed;
  Reason refused = Reason::none;     // not_supported; no_room: there was no memory for it
  std::uint32_t retry_after_ms = 0;  // of a refusal that is not final
};

// Appends the batch's line and its cells, or nothing. `bytes`: the whole batch; `token` comes back in the answer.
// Holding what guards the fold (Lobby::folding). 30 ns an event.
std::optional<NotTaken> add_batch(ledger::Submission& submission, fold::BatchFold& fold, ByteView bytes,
                                  const wire::BatchHeader& header, const fold::FoldContext& context,
                                  std::uint32_t token);

}  // namespace nissa::ingest
