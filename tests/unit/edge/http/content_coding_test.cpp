#include "edge/http/content_coding.hpp"

#include <boost/test/unit_test.hpp>

#include <utility>

using namespace marquee;

BOOST_AUTO_TEST_CASE(the_coding_is_one_that_the_client_takes)
{
    using enum content_coding;
    const std::pair<const char*, content_coding> table[] = {
        {"", identity},
        {"gzip", gzip},
        {"gzip, deflate, br", brotli},
        {"x-gzip", gzip},
        {"GZIP", gzip},
        {"br;q=0.5, gzip", gzip},
        {"br;q=0.5, gzip;q=0.5", brotli},
        {"br;q=0, gzip;q=0", identity},
        {"*", brotli},
        {"*;q=0", identity},
        {"br;q=0, *", gzip},
        {"identity", identity},
        {"identity, gzip;q=0.5", identity},
        {"identity;q=0.5, gzip;q=0.5", gzip},
        {"identity;q=0, gzip;q=0.001", gzip},
        {"identity;q=0", identity}, // nothing is acceptable
        {"deflate, zstd", identity},
        {"gzip;q=2", identity}, // malformed
        {"gzip;q=abc, br", brotli},
        {"gzipped, brx", identity},
    };
    for (const auto& [field, expected] : table)
        BOOST_TEST((choose_coding(field) == expected), field);
    BOOST_TEST((choose_coding(std::nullopt) == identity));
}
