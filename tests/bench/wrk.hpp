// wrk as the client of the loads, for figures that others can compare with theirs.
#pragma once

#include "tests/bench/bench.hpp"

#include <functional>
#include <string>

namespace marquee::bench
{

/// Loads 127.0.0.1:`port` with the command wrk (https://github.com/wg/wrk), one thread, with
/// requests that `append` makes. Returns rate, sent, wrong (any status but 2xx and 3xx, and errors
/// of sockets), p50, p99 and p999 in microseconds. Unlike run_http_load() it looks at no body, and
/// leaves the requests in flight unanswered in the end. Throws std::runtime_error where wrk is not
/// installed or fails.
[[nodiscard]] figures run_wrk(int port, int connections, double seconds,
                              const std::function<void(std::string&)>& append);

} // namespace marquee::bench
