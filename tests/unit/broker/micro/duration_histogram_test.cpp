#include "broker/micro/duration_histogram.hpp"

#include "broker/base/process_figures.hpp"
#include "broker/micro/discovery.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <numeric>

using namespace marquee::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(durations)

BOOST_AUTO_TEST_CASE(a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed)
{
    duration_histogram all;
    all.add(0ns);
    all.add(25us);
    all.add(25us + 1ns);
    all.add(250ms);
    all.add(1h);
    BOOST_TEST(all.counts()[0] == 2U);
    BOOST_TEST(all.counts()[1] == 1U);
    BOOST_TEST(all.counts()[10] == 1U);
    BOOST_TEST(all.counts().back() == 1U);
    BOOST_TEST(std::accumulate(all.counts().begin(), all.counts().end(), std::uint64_t{0}) == 5U);
}

BOOST_AUTO_TEST_CASE(quantiles_are_interpolated_within_their_bucket)
{
    duration_histogram all;
    BOOST_TEST(all.quantile(0.99) == 0.0);
    for (int i = 0; i < 100; ++i)
        all.add(2ms); // between 1 and 2.5 ms
    BOOST_TEST(all.quantile(0.5) == 0.00175, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(all.quantile(1) == 0.0025, boost::test_tools::tolerance(1e-9));
    for (int i = 0; i < 100; ++i)
        all.add(1h);
    BOOST_TEST(all.quantile(0.99) == 2.5, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(statistics_have_durations_requests_in_flight_and_since_when)
{
    marquee::service_config config;
    config.name = "a";
    config.version = "1.0.0";
    const std::string started = "2026-01-31T09:30:00.000Z";
    std::vector<endpoint_ptr> endpoints;
    for (const auto* name : {"get", "put"})
    {
        marquee::endpoint_config one;
        one.name = name;
        one.subject = name;
        endpoints.push_back(std::make_shared<endpoint>(one));
    }
    endpoints.front()->in_flight = 3;
    endpoints.front()->durations.add(1ms);
    const auto told = stats_document({config, config.id, started}, endpoints, {});
    const auto& data = told.at("endpoints").at(0).at("data").as_object();
    BOOST_TEST(data.at("in_flight") == 3);
    BOOST_TEST(std::string(data.at("since").as_string()) == started);
    BOOST_TEST(data.at("durations").at("counts").as_array().size() ==
               data.at("durations").at("bounds").as_array().size() + 1);
    BOOST_TEST(data.at("durations").at("counts").at(3) == 1);
    BOOST_TEST(data.at("durations").at("p99").as_double() <= 0.001);
    BOOST_TEST(data.at("process").at("resident_bytes").to_number<double>() > 0);
    BOOST_TEST(!told.at("endpoints").at(1).at("data").as_object().contains("process"));
    endpoints.front()->reset_statistics();
    BOOST_TEST(endpoints.front()->durations.counts()[3] == 0U);
}

BOOST_AUTO_TEST_CASE(the_process_has_a_start_time_memory_and_open_files)
{
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto found = marquee::read_process_figures();
    BOOST_TEST(found.start_seconds <= now);
    BOOST_TEST(found.start_seconds > now - 3600);
    BOOST_TEST(found.cpu_seconds > 0.0);
    BOOST_TEST(found.resident_bytes.value() > 1'000'000U);
    BOOST_TEST(found.open_files.value() >= 3U);
}

BOOST_AUTO_TEST_SUITE_END()
