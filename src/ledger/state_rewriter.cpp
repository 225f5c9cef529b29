#include "ledger/state_rewriter.hpp"

#include <algorithm>
#include <utility>

#include "ledger/row_bytes.hpp"

namespace nissa::ledger {
namespace {

constexpr std::size_t piece_bytes = 128u << 10;
constexpr std::size_t piece_rows = 512;

}  // namespace

StateRewriter::StateRewriter(const Ledger& ledger, Generation generation) : epochs_(ledger.epochs().objects()) {
  snapshot_ = {.generation = generation, .begin_lsn = ledger.applied() + 1, .complete_lsn = ledger.applied()};
  record_.lsn = ledger.applied() + 1;
  record_.ledger_ms = ledger.ledger_ms();
  record_.running_ms = ledger.running_ms();
  record_.floor = ledger.epochs().floor();
  for (const slo::SloId slo : ledger.definitions().changed_after(0)) todo_.push_back(object_of(slo));
  std::ranges::reverse(todo_);
  todo_.push_back({ObjectKind::meta, 0});
}

journal::Rewrite StateRewriter::next(const Ledger& ledger) {
  journal::Rewrite piece;
  piece.first = !std::exchange(begun_, true);
  if (piece.first) {
    piece.commit.put.push_back({key_of(snapshot_begin), snapshot_.generation, snapshot_value(snapshot_)});
    catalog_.note({snapshot_begin, snapshot_.generation}, false);
  }
  put_rows(ledger, piece.commit);
  if (piece.first || !piece.commit.put.empty()) return piece;
  piece.last = true;
  put_complete(piece.commit);
  return piece;
}

void StateRewriter::put_rows(const Ledger& ledger, journal::Commit& commit) {
  std::size_t bytes = 0;
  while (bytes < piece_bytes && commit.put.size() < piece_rows && (!todo_.empty() || refill(ledger))) {
    if (todo_.empty()) continue;
    const ObjectId object = todo_.back();
    todo_.pop_back();
    Bytes value;
    append_row_head(ledger.applied(), false, value);
    if (!ledger.encode_object(object, value)) continue;  // an hour of counts that has left every window
    bytes += value.size();
    catalog_.note({object, snapshot_.generation}, false);
    commit.put.push_back({key_of(object), snapshot_.generation, std::move(value)});
  }
}

// In the order of the keys: so each row comes behind all others, and the file is written once.
bool StateRewriter::refill(const Ledger& ledger) {
  if (next_block_ < ledger.block_count()) {
    const std::uint32_t index = next_block_++;
    if (const slo::Block* block = ledger.block(index))
      for (const auto& changed : block->objects_changed_after(0)) todo_.push_back(object_of(index, changed.object));
    std::ranges::reverse(todo_);
    return true;
  }
  if (next_epoch_ == epochs_.size()) return false;
  todo_.push_back(object_of(epochs_[next_epoch_++]));
  return true;
}

void StateRewriter::put_complete(journal::Commit& commit) {
  commit.lsn = record_.lsn;
  commit.record = encode(record_);
  commit.put.push_back({key_of(snapshot_complete), snapshot_.generation, snapshot_value(snapshot_)});
  catalog_.note({snapshot_complete, snapshot_.generation}, false);
}

RowCatalog StateRewriter::catalog() && {
  (void)catalog_.keep(snapshot_);
  return std::move(catalog_);
}

}  // namespace nissa::ledger
