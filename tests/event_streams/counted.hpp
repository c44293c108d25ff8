// What reporting has counted, asked over NATS.
#pragma once

#include "broker/nats/connection.hpp"
#include "schemas/messages.hpp"
#include "tests/event_streams/expected.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marquee::test
{

struct reporting_statistics
{
    std::uint64_t applied = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
};

/// A client of its own. Everything throws std::runtime_error where reporting does not answer as it
/// should.
class counts_client
{
public:
    explicit counts_client(const std::string& server);
    ~counts_client();

    /// Waits until reporting has counted all that is in the stream now.
    void wait_until_counted();

    [[nodiscard]] reporting_statistics statistics(); ///< `data` of $SRV.STATS
    [[nodiscard]] view_counts assets(const std::set<std::string>& ids);
    [[nodiscard]] view_counts users(const std::set<std::string>& ids);
    [[nodiscard]] top_reply top(std::uint64_t limit);

    [[nodiscard]] std::uint64_t stored();                   ///< messages in stream EVENTS
    [[nodiscard]] bool has_headers(std::uint64_t sequence); ///< of the message there
    void wait_until_stored(std::uint64_t messages);         ///< at most a minute
    void limit_stream(std::int64_t max_bytes);              ///< EVENTS; -1: no limit

private:
    result<message> ask(const subject& to, const std::string& payload, const header_list& headers = {});
    boost::json::object call_stream(const char* what, const std::string& payload);
    view_counts views_of(const std::vector<std::pair<std::string, subject>>& all);

    boost::asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
};

} // namespace marquee::test
