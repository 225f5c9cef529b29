// A line → an event, by the options: format, service, labels, names of operations.
#pragma once
#include "base/bytes.hpp"
#include "tools/line_event.hpp"
#include "tools/send_options.hpp"

namespace nissa::tools {

// Nothing but spaces: passed over, and counted as no line.
bool is_blank(std::string_view line);

// Pure: a function of the line and the options, no clock; about 1 µs. A failure says what is wrong, in words that
// follow "line 7: ". What it yields is within the limits of the protocol.
Result<LineEvent> understand(std::string_view line, const SendOptions& options);

// Appends the event of the line to the body of a batch. An event without a time bears none: the server takes the time
// of arrival, and the bytes stay the same whenever they are made.
Status append_event_of(std::string_view line, const SendOptions& options, Bytes& body);

// Changes whenever the same line may become another event: with the options that bear on it, and with this program.
std::uint64_t meaning_of(const SendOptions& options);

}  // namespace nissa::tools
