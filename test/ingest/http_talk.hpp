// One agent over HTTP, on a connection of its own, at the door of a World.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "door_world.hpp"

namespace nissa::ingest::test {

struct Heard {
  unsigned status = 0;
  std::string head;
  std::string body;
};

class HttpTalk {
 public:
  explicit HttpTalk(World& world, PeerAddress peer = {"10.0.0.1", 1, false}, std::size_t longest_piece = 0);
  ~HttpTalk();

  // Leaves the bytes to be written; from within the loop.
  void begin(std::string bytes);
  // The same, and lets everything happen that needs no time.
  void send(std::string bytes);
  // What has come back so far, response after response.
  std::vector<Heard> heard() const;
  // Sends, and returns the one response that came; fails the test if there is none or more.
  Heard ask(std::string bytes);
  bool ended() const { return state_->ended; }
  // The agent is gone, whatever is under way.
  void hang_up();

 private:
  struct State {
    std::string bytes;
    bool ended = false;
    bool served = false;
  };
  static Task<void> read(std::shared_ptr<ByteStream> stream, std::shared_ptr<State> state);
  static Task<void> write(std::shared_ptr<ByteStream> stream, std::string bytes);
  static Task<void> serve(HttpIngestComponent& door, std::shared_ptr<ByteStream> stream, PeerAddress peer,
                          Strand strand, std::shared_ptr<State> state);

  World& world_;
  std::shared_ptr<ByteStream> stream_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// POST /v2/telemetry; `headers` are lines with their ends.
std::string post(std::string_view body, std::string_view type = "application/json", std::string_view headers = "");
std::string gzipped(std::string_view raw);
Bytes whole_batch(const wire::BatchHeader& header, ByteView body);

}  // namespace nissa::ingest::test
