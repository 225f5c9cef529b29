// SIGTERM and SIGINT as calls on the loop. SIGPIPE is ignored: a peer that is gone is an error value.
#pragma once
#include <functional>
#include <memory>

#include "async/event_loop.hpp"

namespace nissa::app {

class Signals {
 public:
  // `on_signal(number)` is called on the loop, for each signal, until stop().
  Signals(EventLoop& loop, std::function<void(int)> on_signal);
  ~Signals();
  void stop();

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace nissa::app
