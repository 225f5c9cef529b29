// What came of a batch → the HTTP response that its agent reads. Pure.
#pragma once
#include <string>

#include "ingest/http_head.hpp"
#include "net/http_types.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {

// 200 counted or duplicate; 400 malformed, conflict or refused for good; 403 class not allowed; 413 too large;
// 503 with Retry-After otherwise. The body is the Ack, with a sentence for people where it is no success.
net::HttpResponse http_answer(wire::Ack ack, HttpForm form);
net::HttpResponse http_answer(const wire::HelloAck& ack, HttpForm form);

// For people: why a batch that bore `seen` was told UNKNOWN_EPOCH by a state that is at `now`. One cause, as far as
// these two tell them apart.
std::string unknown_epoch_cause(const EpochSeen& seen, const EpochSeen& now);

}  // namespace nissa::ingest
