// The memory of keys as JSON: what /api/v2/streams shows. Pure.
#pragma once
#include <string>

#include "ledger/stream_list.hpp"

namespace nissa::admin {

// Epochs and state ids are hexadecimal texts, for a JSON number holds only 53 bits of them.
std::string streams_page(const ledger::StreamList& list);

}  // namespace nissa::admin
