// A service level indicator: which events belong to it, and which of them are good.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "slo/outcome.hpp"

namespace nissa::slo {

enum class Verdict : std::uint8_t { ignored = 0, good = 1, bad = 2 };

enum class SliKind : std::uint8_t { availability = 0, latency = 1 };

// What a latency SLI does with events that did not end OK.
enum class Failures : std::uint8_t {
  ignored = 0,  // counted are OK events only
  bad = 1,      // the others count too: those whose outcome is not good are bad, however fast they were
};

inline constexpr std::int64_t no_duration = std::numeric_limits<std::int64_t>::min();

// The rule of good. The defaults are those of availability; a latency SLI keeps them and adds a threshold.
struct Criterion {
  SliKind kind = SliKind::availability;
  OutcomeMask good{Outcome::ok, Outcome::client_error};
  OutcomeMask ignore{Outcome::cancelled};  // wins over good
  Failures failures = Failures::ignored;   // latency only
  std::int64_t threshold_ns = 0;           // latency only: good = duration <= threshold; > 0
  bool operator==(const Criterion&) const = default;
};

// The definition of good, read by the tables of MatchSet and by tests; not for the hot path.
//   availability: ignored if in `ignore`, else good if in `good`, else bad. The duration does not matter.
//   latency:      ignored if in `ignore`;
//                 an OK event (with failures = bad: any event whose outcome is in `good`) is good if its duration is at
//                 most the threshold, bad if above, ignored if it has none;
//                 the others are ignored, with failures = bad they are bad, also without a duration: a connection that
//                 was refused took no time, and must not be lost for that.
Verdict verdict_of(const Criterion& criterion, Outcome outcome, std::int64_t duration_ns);

struct LabelGlob {
  std::string key;   // literal
  std::string glob;  // over the value
  auto operator<=>(const LabelGlob&) const = default;
};

// Globs: `*` any run of characters, also none; `?` one character; all else literal (glob.hpp).
struct Selector {
  std::string service = "*";
  std::string operation = "*";
  std::vector<LabelGlob> labels;  // all must be there and match; the order does not matter
  bool operator==(const Selector&) const = default;
};

struct Sli {
  Criterion criterion;
  Selector selector;
  bool operator==(const Sli&) const = default;
};

// The canonical bytes of an SLI: equal exactly for SLIs that count the same events in the same way as far as their text
// tells (labels sorted and without repeats; what a kind does not use is 0; `good` without what is ignored).
//   version 1 (1 byte) | kind (1) | good (1) | ignore (1) | failures (1) | threshold_ns (8, little-endian)
//   | service | operation | number of labels (varint) | key, glob, ...      text = length (varint), bytes
void append_canonical(const Sli& sli, Bytes& out);

// FNV-1a, 64 bits, over the canonical bytes. With the SLO's name it is the identity of an SLO's history (a new hash is
// a new id), and stands in the journal: it must never change for version 1.
std::uint64_t identity_hash(const Sli& sli);

}  // namespace nissa::slo
