#include "ledger/recovery.hpp"

#include <optional>
#include <string>
#include <utility>

#include "ledger/record.hpp"
#include "ledger/record_bytes.hpp"
#include "ledger/snapshot_reader.hpp"

namespace nissa::ledger {
namespace {

using journal::Damage;
using journal::JournalError;

std::unexpected<JournalError> damaged(Damage damage, std::string message) {
  return std::unexpected(with_ways_on(JournalError{damage, std::move(message)}));
}

std::string name_of(const std::optional<KeptSnapshot>& snapshot) {
  if (!snapshot) return "no snapshot";
  return "snapshot " + std::to_string(snapshot->generation) + " (records from " + std::to_string(snapshot->begin_lsn) +
         " on)";
}

journal::JournalStatus load_rows(journal::JournalReader& journal, SnapshotReader& reader) {
  const journal::JournalStatus read = journal.read_rows(
      [&](ByteView key, std::uint64_t generation, ByteView value) { return reader.row(key, generation, value); });
  if (!read) return read;
  if (reader.fault().empty() && reader.end()) return {};
  std::string message = "the newest complete snapshot cannot be used: " + reader.fault() + ".";
  if (reader.complete().size() > 1)
    message += " An older complete one is there: " + name_of(reader.complete()[reader.complete().size() - 2]) + ".";
  return damaged(Damage::bad_crc, std::move(message));
}

journal::JournalStatus replay(journal::JournalReader& journal, Lsn from, Ledger& ledger, std::uint64_t& records) {
  std::optional<JournalError> fault;
  const journal::JournalStatus read = journal.read_records(from, [&](Lsn lsn, ByteView bytes) {
    Result<Record> record = decode_record(bytes);
    if (!record) {
      const bool newer = !bytes.empty() && bytes[0] > record_version;
      fault =
          JournalError{newer ? Damage::newer_version : Damage::bad_crc,
                       "record " + std::to_string(lsn) +
                           (newer ? " was written by a newer Nissa: " : " cannot be read: ") + record.error().message};
    } else if (record->lsn != lsn || lsn != ledger.applied() + 1) {
      fault = JournalError{Damage::gap, "record " + std::to_string(ledger.applied() + 1) +
                                            " is missing; in its place is record " + std::to_string(record->lsn)};
    } else {
      ledger.apply(*record);
      ++records;
    }
    return !fault.has_value();
  });
  if (fault) return std::unexpected(with_ways_on(*fault));
  return read;
}

}  // namespace

journal::JournalResult<Recovered> recover(journal::JournalReader& journal, Lsn last_lsn, const LedgerOptions& options,
                                          Generation latest) {
  Recovered recovered;
  recovered.ledger = std::make_unique<Ledger>(options, Ledger::Mode::replaying);
  SnapshotReader reader(*recovered.ledger, recovered.catalog, latest);
  if (const auto loaded = load_rows(journal, reader); !loaded) return std::unexpected(loaded.error());
  const std::optional<KeptSnapshot>& snapshot = reader.chosen();
  if (snapshot) {
    recovered.ledger->begin_replay(snapshot->begin_lsn - 1, snapshot->complete_lsn);
    recovered.snapshot = snapshot->generation;
  }
  const Lsn from = recovered.ledger->applied() + 1;
  if (const auto read = replay(journal, from, *recovered.ledger, recovered.records); !read)
    return std::unexpected(read.error());
  const Lsn applied = recovered.ledger->applied();
  if ((applied != last_lsn && last_lsn != as_far_as_it_goes) || (snapshot && applied < snapshot->complete_lsn))
    return damaged(Damage::tail_missing,
                   "the journal ends with record " + std::to_string(applied) + ", but record " +
                       std::to_string(last_lsn == as_far_as_it_goes ? snapshot->complete_lsn : last_lsn) +
                       " was durable; from " + name_of(snapshot));
  recovered.ledger->go_live();
  recovered.rows = reader.loaded();
  recovered.unneeded = recovered.catalog.keep_at_start(reader.complete());
  return recovered;
}

}  // namespace nissa::ledger
