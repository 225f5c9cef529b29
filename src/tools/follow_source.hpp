// What a connection sends of a followed file: cuts lines into batches, and keeps the books. One for each class: the
// class of the options makes new batches, another only sends what was kept under other options.
#pragma once
#include "client/connection.hpp"
#include "client/explain.hpp"
#include "tools/follow_books.hpp"

namespace nissa::tools {

class FollowSource final : public client::BatchSource {
 public:
  // `cuts`: makes new batches; one source of all may.
  FollowSource(FollowBooks& books, LogFollower& follower, const SendOptions& options, FollowBooks::Say say, bool cuts)
      : books_(books), follower_(follower), options_(options), say_(std::move(say)), cuts_(cuts) {}

  // Nothing more is read; what was cut is sent.
  void stop_cutting() { cuts_ = false; }

  std::optional<BootNs> fill(client::Stream& stream, BootNs now) override;
  void settled(const client::Settlement& settlement, BootNs now) override;
  void link_changed(bool up, std::string_view why) override;
  void noticed(const client::Notice& notice) override { say_(client::text_of(notice)); }
  void keyed(const wire::BatchHeader& header, const client::Body& body) override { books_.keyed(header, body.tag); }
  void goodbye(Epoch) override { books_.must_keep(); }
  bool before_write() override { return books_.keep(follower_); }
  std::uint64_t batches_resent() const { return batches_resent_; }
  std::uint64_t connections_lost() const { return connections_lost_; }

  static constexpr BootNs poll_ns = 250 * ns_per_ms;

 private:
  struct Open {  // the batch that grows
    client::Body body;
    LiveCut live;
    BootNs since = 0;
  };
  bool has_room(const client::Stream& stream) const;
  // True: it stopped before it was through, for there is much that yields no event.
  bool read(client::Stream& stream, BootNs now);
  // False: it does not fit the open batch any more; that one was closed, and the line comes again.
  bool take(client::Stream& stream, const std::shared_ptr<TrackedFile>& file, std::string_view line, BootNs now);
  void close_open(client::Stream& stream);
  void enqueue(client::Stream& stream, client::Body body);
  void drop_open();
  void cut_smaller(client::Stream& stream);

  FollowBooks& books_;
  LogFollower& follower_;
  const SendOptions& options_;
  const FollowBooks::Say say_;
  bool cuts_;
  std::optional<Open> open_;
  BootNs poll_at_ = 0;
  BootNs keep_at_ = 0;
  bool down_said_ = false;
  std::uint64_t batches_resent_ = 0, connections_lost_ = 0;
};

}  // namespace nissa::tools
