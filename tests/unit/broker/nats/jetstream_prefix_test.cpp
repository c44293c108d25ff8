#include "broker/nats/jetstream_prefix.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(jetstream_prefix)

BOOST_AUTO_TEST_CASE(the_api_and_the_keys_of_buckets_are_elsewhere_and_nothing_else)
{
    struct row
    {
        std::string_view subject;
        std::string_view below; ///< a domain; empty: it stays
    };
    for (const auto& one :
         {row{"$JS.API.STREAM.INFO.EVENTS", "$JS.hub.API.STREAM.INFO.EVENTS"},
          row{"$KV.metadata.123", "$JS.hub.API.$KV.metadata.123"}, row{"$JS.FC.EVENTS.c.1", ""},
          row{"$JS.ACK.EVENTS.c.1.1.1.1.0", ""}, row{"$JS.APIX.STREAM", ""}, row{"events", ""},
          row{"metadata.get.123", ""}, row{"$SRV.PING", ""}, row{"$KVX.a.b", ""}, row{"x.$JS.API.INFO", ""}})
    {
        BOOST_TEST(has_jetstream_prefix(one.subject) == !one.below.empty(), one.subject);
        if (!one.below.empty())
            BOOST_TEST(with_jetstream_prefix(one.subject, jetstream_prefix_of("hub")) == one.below);
    }
    BOOST_TEST(with_jetstream_prefix("$JS.API.INFO", "js.app") == "js.app.INFO");
}

BOOST_AUTO_TEST_SUITE_END()
