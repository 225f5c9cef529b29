// What a .cpp needs to say co_await on a Task. Only Asio's awaitables: strands, timers and parking are headers of their
// own.
#pragma once
#include <boost/asio/awaitable.hpp>

#include "async/task.hpp"
