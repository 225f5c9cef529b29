#include "net/gzip.hpp"

#define ZLIB_CONST  // it reads what it is given, and says so
#include <zlib.h>

#include <algorithm>

namespace nissa::net {
namespace {

// zlib's window of 32 KiB with a gzip header, and no other form.
constexpr int gzip_window = 15 + 16;
// Of deflate: 258 bytes for two bits (zlib's technical notes).
constexpr std::size_t most_deflate_ratio = 1032;

}  // namespace

struct Gunzip::Inside {
  Inside(ByteView bytes, std::size_t most) : compressed(bytes), limit(most) {
    ready = ::inflateInit2(&stream, gzip_window) == Z_OK;
    stream.next_in = bytes.data();
    stream.avail_in = static_cast<uInt>(bytes.size());
    // Once and untouched, so that growing never copies: no page of it exists before it is written.
    output.reserve(std::min(most + 1, bytes.size() * most_deflate_ratio + slice_bytes));
  }
  ~Inside() {
    if (ready) ::inflateEnd(&stream);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  const ByteView compressed;
  const std::size_t limit;
  z_stream stream{};
  bool ready = false;
  Bytes output;
};

Gunzip::Gunzip(ByteView compressed, std::size_t limit) : inside_(std::make_unique<Inside>(compressed, limit)) {}
Gunzip::~Gunzip() = default;

InflateStep Gunzip::step() {
  Inside& in = *inside_;
  if (!in.ready) return InflateStep::broken;
  const std::size_t before = in.output.size();
  // One byte beyond the limit tells "too large" from "exactly so much".
  const std::size_t room = std::min(slice_bytes, in.limit + 1 - before);
  in.output.resize(before + room);
  in.stream.next_out = in.output.data() + before;
  in.stream.avail_out = static_cast<uInt>(room);
  const int result = ::inflate(&in.stream, Z_NO_FLUSH);
  in.output.resize(before + room - in.stream.avail_out);
  if (in.output.size() > in.limit) return InflateStep::too_large;
  if (result == Z_STREAM_END) return in.stream.avail_in == 0 ? InflateStep::done : InflateStep::broken;
  if (result != Z_OK || in.output.size() == before) return InflateStep::broken;  // without progress: it is cut off
  return InflateStep::more;
}

Bytes Gunzip::take() { return std::move(inside_->output); }

}  // namespace nissa::net
