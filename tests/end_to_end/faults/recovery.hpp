// The end of each fault test: checks that everything has recovered.
#pragma once

#include "tests/end_to_end/counted.hpp"
#include "tests/end_to_end/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace marquee::test
{

inline const http_call a_play = {"POST", "/play/asset/123/user/1"};
inline const http_call a_view = {"POST", "/events/asset/123/user/1"};

inline void check_that_plays_are_counted(const marquee_system& system,
                                         const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    static int used = 0;
    const auto answer = counted(system, a_play, "check-" + std::to_string(++used));
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << answer.body)
    {
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(!is_degraded(answer));
    }
}

/// Checks that a route answers as it should, within the time that recovery may take.
inline bool works(const marquee_system& system, const service_route& route)
{
    if (route.call.method != "DELETE")
        return system.call_until(200, route.call).status == 200;
    auto put = route.call;
    put.method = "POST";
    put.body = route.service == std::string("cdnurl") ? url_body : metadata_body;
    // DELETE needs a record, so each attempt stores it first.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    do
    {
        if (system.call_until(200, put).status == 200 && system.call(route.call).status == 200)
            return true;
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

inline void check_that_all_routes_work(const marquee_system& system)
{
    check_that_plays_are_counted(system);
    for (const auto& route : service_routes(system))
        BOOST_TEST_CONTEXT(route.name)
    BOOST_TEST(works(system, route));
}

/// The usual system with an edge that gives each request this long.
inline marquee_system::settings with_deadline(const char* deadline)
{
    marquee_system::settings with;
    with.extra["edge"] = {"--timeout", deadline};
    return with;
}

} // namespace marquee::test
