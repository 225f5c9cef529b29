#include "app/signals.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace nissa::app {

struct Signals::Inside : std::enable_shared_from_this<Inside> {
  Inside(EventLoop& loop, std::function<void(int)> fn)
      : set(loop.context(), SIGTERM, SIGINT, SIGHUP), on_signal(std::move(fn)) {}
  void wait() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& error, int number) {
      if (error) return;
      self->on_signal(number);
      self->wait();
    });
  }
  boost::asio::signal_set set;
  std::function<void(int)> on_signal;
};

Signals::Signals(EventLoop& loop, std::function<void(int)> on_signal)
    : inside_(std::make_shared<Inside>(loop, std::move(on_signal))) {
  inside_->wait();
}
Signals::~Signals() { stop(); }
void Signals::stop() {
  boost::system::error_code ignored;
  inside_->set.cancel(ignored);
}

}  // namespace nissa::app
