// One SLO as JSON: what /api/v2/slos lists and /api/v2/slos/{name} shows. Pure.
//
// What is not defined is null: a ratio without events is neither 0 nor 1. Times are milliseconds since 1970.
#pragma once
#include <string>
#include <string_view>

#include "ledger/ledger_pages.hpp"

namespace nissa::admin {

// `as_of_ms`: the ledger time of the page. About 4 µs and 1.5 KB.
void append_slo(std::string& out, const ledger::SloView& slo, UnixMs as_of_ms);

// The SLO of this name: the one that counts now, else the one retired last. `page`, if given, receives its page.
const ledger::SloView* find_slo(const ledger::SloPages& pages, std::string_view name, const ledger::SloPage** page);

}  // namespace nissa::admin
