// Asio's code, compiled once (BOOST_ASIO_SEPARATE_COMPILATION): 3 s here instead of 1 s in each unit. TLS (asio/ssl)
// gets a unit of its own in net/.
#include <boost/asio/impl/src.hpp>
