// Boost.JSON's sources, compiled once for this room: Debian's compiled library is of another Boost.
#include <boost/json/src.hpp>
