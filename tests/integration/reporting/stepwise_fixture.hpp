// A broker, and tests that run in steps: coroutines proceed only while a step waits.
#pragma once

#include "broker/jetstream/streams.hpp"
#include "tests/integration/broker_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace marquee::test
{

template <class T>
std::string code_of(const result<T>& r)
{
    return r.has_error() ? std::string(name_of(r.error().code)) : "ok";
}

struct stepwise_fixture : broker_fixture
{
    asio::io_context apart{1};                    ///< for an instance that is to pause while others go on
    bool apart_runs = false;                      ///< whether wait() and until() run it, too
    std::unique_ptr<connection> hand = connect(); ///< of the test itself

    /// Runs the loops for a moment.
    void spin()
    {
        io.restart();
        io.run_for(apart_runs ? 1ms : 5ms);
        if (!apart_runs)
            return;
        apart.restart();
        apart.run_for(1ms);
    }

    /// Runs the loops until `condition` holds; fails the test after `limit`.
    void until(const std::function<bool()>& condition, std::chrono::milliseconds limit = 30s,
               const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        const auto end = deadline::in(limit);
        while (!condition())
        {
            if (end.passed())
                BOOST_FAIL("not reached: " << where.file_name() << ":" << where.line());
            spin();
        }
    }

    /// Runs the loops until `what` is done. Between two calls nothing of this process runs, as in a
    /// stopped process.
    template <class T>
    T wait(asio::awaitable<T> what, const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        std::optional<T> out;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(what),
                       [&](const std::exception_ptr& e, T value)
                       {
                           failure = e;
                           out.emplace(std::move(value));
                           io.stop();
                       });
        until([&] { return out.has_value(); }, 60s, where);
        if (failure)
            std::rethrow_exception(failure);
        return std::move(*out);
    }

    /// A request to JetStream's API, which must succeed.
    boost::json::object api(const subject& to, const std::string& payload = {},
                            const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        const header_list none;
        const auto reply = wait(hand->requests().request(to, payload, none, deadline::in(20s)).receive());
        BOOST_REQUIRE_MESSAGE(reply.has_value(), "no reply to " << to.str() << ", asked at line " << where.line());
        auto body = boost::json::parse(reply->data).as_object();
        BOOST_REQUIRE_MESSAGE(!body.contains("error"), reply->data << " to the request at line " << where.line());
        return body;
    }

    /// Makes a stream, if need be of a name that was just deleted: the server takes a while to let
    /// go of the old one's files.
    void create_stream(const std::string& name, const std::string& config)
    {
        std::string answer;
        const header_list none;
        const auto to = subject::of({"$JS", "API", "STREAM", "CREATE", name});
        until(
            [&]
            {
                const auto reply = wait(hand->requests().request(to, config, none, deadline::in(20s)).receive());
                answer = reply.has_value() ? reply->data : "no answer";
                return answer.find("\"err_code\":10049") == std::string::npos;
            });
        BOOST_REQUIRE_MESSAGE(answer.find("\"error\"") == std::string::npos, answer);
    }

    /// Deletes it, and waits until its folder is gone. The server first renames it to one with a
    /// leading dot and removes that later; where the one of an earlier deletion still exists, the
    /// folder stays for good.
    void delete_stream(const std::string& name)
    {
        api(subject::of({"$JS", "API", "STREAM", "DELETE", name}));
        const auto streams = server.store() / "jetstream" / "$G" / "streams";
        until([&]
              { return !std::filesystem::exists(streams / name) && !std::filesystem::exists(streams / ("." + name)); });
    }

    void server_down()
    {
        server.kill();
        until([&] { return !hand->connected(); });
    }

    /// Up again, that stream included.
    void server_up(const std::string& stream)
    {
        server.restart();
        until([&] { return hand->connected(); });
        until(
            [&]
            {
                auto finding = find_stream(hand->requests(), stream, deadline::in(5s));
                return wait(std::move(finding)).has_value();
            });
    }
};

} // namespace marquee::test
