#include "ingest/principal.hpp"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <functional>

namespace nissa::ingest {

std::string principal_of(const PeerAddress& peer) {
  boost::system::error_code not_v6;
  const auto address = boost::asio::ip::make_address_v6(peer.text, not_v6);
  if (not_v6 || peer.loopback) return peer.text;
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

overload::SenderId sender_id_of(const std::string& principal) { return std::hash<std::string>{}(principal); }

}  // namespace nissa::ingest
