// The public library over real sockets on the loopback, against the model server.
#include "nissa/client.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "net/connection.hpp"
#include "net/tcp_listener.hpp"
#include "support/peer_server.hpp"
#include "wire/event_walk.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::PeerServer;

// One thread, so the peer needs no lock while it runs; look at it after stop().
class Server {
 public:
  explicit Server(PeerServer& peer)
      : listener_(loop_, timers_, {},
                  [&peer](net::Connection connection) -> Task<void> { co_await peer.serve(connection.stream); }) {
    REQUIRE(listener_.open());
    port = listener_.port();
    listener_.start();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Server() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.spawn([](Server& self) -> Task<void> {
      co_await self.listener_.async_stop(0);
      self.timers_.stop();
      self.loop_.release();
    }(*this));
    thread_.join();
  }
  std::uint16_t port = 0;

 private:
  SystemClock clock_;
  EventLoop loop_{1};
  Timers timers_{loop_, clock_};
  net::TcpListener listener_;
  std::thread thread_;
};

agent::Options options_for(std::uint16_t port) {
  agent::Options options;
  options.port = port;
  options.agent = "client_test";
  options.batch_age_ms = 5;
  return options;
}

agent::Event event() {
  agent::Event one;
  one.service = "checkout";
  one.operation = "GET /";
  one.duration_ns = 5'000'000;
  return one;
}

TEST_CASE("events of several threads and classes are counted, each class on its own connection") {
  PeerServer peer;
  Server server(peer);
  agent::Client client(options_for(server.port));
  CHECK(client.problem().empty());
  std::vector<std::thread> threads;
  for (const auto priority : {agent::Priority::low, agent::Priority::critical, agent::Priority::low}) {
    threads.emplace_back([&client, priority] {
      for (int i = 0; i < 5'000; ++i)
        if (client.send(event(), priority) != agent::Sent::accepted) return;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(client.flush(20'000));
  const agent::Stats stats = client.stats();
  CHECK(stats.accepted == 15'000);
  CHECK(stats.counted == 15'000);
  CHECK(stats.held == 0);
  CHECK(stats.held_bytes == 0);
  CHECK(client.close(5'000));
  CHECK(client.close(0));
  CHECK(client.send(event()) == agent::Sent::closed);
  server.stop();
  CHECK(peer.events_seen == 15'000);
  CHECK(peer.hellos.size() == 2);
  CHECK(peer.goodbyes.size() <= 2);
  CHECK(peer.agents[0] == "client_test");
  CHECK(peer.model.offences.empty());
}

TEST_CASE("a server that takes less than the options say is followed from its first word on, and nothing is refused") {
  PeerServer peer;
  peer.hello.max_events = 7;
  peer.hello.max_frame_bytes = 700;
  std::uint32_t most_events = 0;
  peer.swallow = [&](const wire::BatchHeader& header) {
    most_events = std::max(most_events, header.event_count);
    return false;
  };
  Server server(peer);
  agent::Client client(options_for(server.port));
  for (int i = 0; i < 3'000; ++i) CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.flush(20'000));
  for (int i = 0; i < 100; ++i) CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.close(20'000));
  CHECK(client.stats().counted == 3'100);
  CHECK(client.stats().held == 0);
  CHECK(client.stats().held_bytes == 0);
  server.stop();
  CHECK(peer.events_seen == 3'100);
  CHECK(most_events <= 7);
  CHECK(most_events > 1);
}

TEST_CASE("an event goes out when its batch has waited long enough, without a flush") {
  PeerServer peer;
  Server server(peer);
  std::atomic<bool> up{false};
  agent::Options options = options_for(server.port);
  options.on_connection = [&up](agent::Priority, bool is_up, std::string_view) { up = is_up; };
  agent::Client client(options);
  CHECK(client.send(event()) == agent::Sent::accepted);
  while (client.stats().counted == 0) std::this_thread::yield();
  CHECK(up);
}

TEST_CASE("a program that the process starts does not inherit the library's connection") {
  PeerServer peer;
  Server server(peer);
  agent::Client client(options_for(server.port));
  CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.flush(20'000));
  int ours = 0;
  for (int descriptor = 0; descriptor < 1'024; ++descriptor) {
    sockaddr_in peer_address{};
    socklen_t size = sizeof peer_address;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer_address), &size) != 0) continue;
    if (ntohs(peer_address.sin_port) != server.port) continue;
    ++ours;
    CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(ours == 1);
}

TEST_CASE("without a server memory is bounded: the caller is told to wait; closing tells what is lost") {
  agent::Options options = options_for(1);
  options.max_held_bytes = 65'536;
  std::atomic<std::uint64_t> lost{0}, kinds_wrong{0};
  options.on_loss = [&](const agent::Loss& loss) {
    lost += loss.events;
    kinds_wrong += loss.kind != agent::Loss::Kind::abandoned;
  };
  agent::Client client(options);
  int accepted = 0;
  while (client.send(event()) == agent::Sent::accepted) ++accepted;
  CHECK(accepted > 100);
  CHECK(accepted < 65'536 / 20);
  CHECK(client.send(event()) == agent::Sent::must_wait);
  CHECK(client.send(event(), agent::Priority::high) == agent::Sent::accepted);
  CHECK(client.stats().held_bytes <= 2 * 65'536);
  CHECK_FALSE(client.flush(10));
  CHECK_FALSE(client.close(50));
  CHECK(lost == static_cast<std::uint64_t>(accepted) + 1);
  CHECK(kinds_wrong == 0);
  CHECK(client.stats().abandoned == lost);
  CHECK(client.stats().held == 0);
}

TEST_CASE("events and options that no server takes are refused at once") {
  agent::Client client(options_for(1));
  agent::Event one = event();
  one.service = "";
  CHECK(client.send(one) == agent::Sent::invalid);
  one = event();
  one.operation = "\xff";
  CHECK(client.send(one) == agent::Sent::invalid);
  one = event();
  const std::string long_name(257, 'x');
  one.service = long_name;
  CHECK(client.send(one) == agent::Sent::invalid);
  one = event();
  const std::vector<agent::Label> many(33, agent::Label{"a", "b"});
  one.labels = many;
  CHECK(client.send(one) == agent::Sent::invalid);
  CHECK(client.stats().invalid == 4);
  CHECK(client.stats().held == 0);

  agent::Options bad;
  bad.batch_events = 0;
  agent::Client useless(bad);
  CHECK(useless.problem() == "batch_events is not within 1 … 1 000");
  CHECK(useless.send(event()) == agent::Sent::closed);
  CHECK_FALSE(useless.flush(0));
}

TEST_CASE("within a callback events may be sent; waiting there would be for itself, so it says false at once") {
  PeerServer peer;
  peer.model.refuse_with = Reason::class_not_allowed;
  Server server(peer);
  agent::Options options = options_for(server.port);
  std::atomic<agent::Client*> client{nullptr};
  std::atomic<int> calls{0}, waited{0};
  options.on_loss = [&](const agent::Loss&) {
    if (++calls > 1) return;
    waited += client.load()->flush(60'000) || client.load()->close(60'000);
    waited += client.load()->send(event(), agent::Priority::high) != agent::Sent::accepted;
  };
  agent::Client own(options);
  client = &own;
  CHECK(own.send(event()) == agent::Sent::accepted);
  while (calls < 2) std::this_thread::yield();
  CHECK(waited == 0);
  CHECK(own.close(20'000));
}

TEST_CASE("closing from many threads at once ends once, and says the same to all") {
  PeerServer peer;
  Server server(peer);
  agent::Client client(options_for(server.port));
  CHECK(client.send(event()) == agent::Sent::accepted);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { good += client.close(20'000); });
  for (auto& thread : threads) thread.join();
  CHECK(good == 4);
  CHECK(client.stats().counted == 1);
}

// The system gives new threads the identity of ended ones.
TEST_CASE("a thread that begins after the library's own has ended is not taken for it: close() says the same to it") {
  PeerServer peer;
  Server server(peer);
  agent::Client client(options_for(server.port));
  CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.close(20'000));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) threads.emplace_back([&] { good += client.close(0); });
  for (auto& thread : threads) thread.join();
  CHECK(good == 16);
}

TEST_CASE("what the server refuses for good is told with the reason") {
  PeerServer peer;
  peer.model.refuse_with = Reason::class_not_allowed;
  Server server(peer);
  agent::Options options = options_for(server.port);
  std::atomic<std::uint64_t> refused{0};
  std::string reason, why;
  std::mutex mutex;
  options.on_loss = [&](const agent::Loss& loss) {
    const std::lock_guard lock(mutex);
    reason = loss.reason;
    why = loss.why;
    refused += loss.kind == agent::Loss::Kind::refused ? loss.events : 0;
  };
  agent::Client client(options);
  CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.flush(20'000));
  CHECK(refused == 1);
  const std::lock_guard lock(mutex);
  CHECK(reason == "class_not_allowed");
  CHECK(why == "the server does not let this sender use this class (class_not_allowed)");
}

TEST_CASE("a refusal for now is no loss: it is told once in words, and the event is counted when the server takes it") {
  PeerServer peer;
  peer.model.refuse_with = Reason::journal_slow;
  peer.model.retry_after_ms = 1;
  peer.swallow = [&peer](const wire::BatchHeader&) {
    if (peer.batches_seen == 5) peer.model.refuse_with = Reason::none;
    return false;
  };
  Server server(peer);
  agent::Options options = options_for(server.port);
  std::vector<std::string> said;
  std::mutex mutex;
  options.on_notice = [&](agent::Priority, std::string_view text) {
    const std::lock_guard lock(mutex);
    said.emplace_back(text);
  };
  agent::Client client(options);
  CHECK(client.send(event()) == agent::Sent::accepted);
  CHECK(client.close(20'000));
  CHECK(client.stats().counted == 1);
  CHECK(client.stats().batches_resent == 4);
  const std::lock_guard lock(mutex);
  CHECK(said == std::vector<std::string>{
                    "the server takes no batches of this class for now: its disk is slow or hangs (journal_slow); all "
                    "is kept and sent again"});
}

// TSan does not follow a process that forks with threads and starts new ones.
#if !__has_feature(thread_sanitizer)
TEST_CASE("a forked child begins anew: a new epoch, nothing of its parent's, and the parent goes on") {
  PeerServer peer;
  Server server(peer);
  agent::Options options = options_for(server.port);
  options.batch_age_ms = 60'000;
  agent::Client client(options);
  CHECK(client.send(event()) == agent::Sent::accepted);
  const pid_t child = fork();
  if (child == 0) {
    const bool sent = client.send(event()) == agent::Sent::accepted;
    const bool good = sent && client.flush(20'000) && client.stats().counted == 1 && client.stats().accepted == 1;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(client.flush(20'000));
  CHECK(client.close(5'000));
  server.stop();
  CHECK(peer.events_seen == 2);
  CHECK(peer.hellos.size() == 2);
  CHECK(peer.model.offences.empty());
}
#endif

}  // namespace
}  // namespace nissa::client::test
