#include "schemas/event.hpp"
#include "schemas/ulid.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <thread>
#include <vector>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

user_id user(std::string_view text) { return user_id::parse(text).value(); }

std::chrono::system_clock::time_point at(std::chrono::milliseconds since_epoch)
{
    return std::chrono::system_clock::time_point(since_epoch);
}

struct key_row
{
    const char* user;
    const char* key;
    const char* id;
};

// Computed independently of the code under test:
// printf 'USER\0KEY' | openssl dgst -sha256 -binary | base32 -w0 | tr A-Z a-z | tr -d =
const key_row keys[] = {
    {"u", "k", "k-xwqk3qoltizvkgw7c2o5hhc256ptjsh63x2i3r5jwoexoww5obaa"},
    {"8", "k", "k-xal6taqfvcz36dv6eufducrlbdevzbhh5diwjxrtuuq3laze37ua"},
    {"u", "", "k-agmxa7w3n2m6hwdu74tsibhak4jsoyqsv2grpvzqnmtympsv5eta"},
    {"anna@example.org", "order 7/\xC3\xBC", "k-rq3zlkcbac3swo7r3x6i4lgjwht7lmrbeiyagho765gbmh3fihoq"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(event_ids)

BOOST_AUTO_TEST_CASE(a_key_has_the_event_id_that_openssl_computes)
{
    for (const auto& row : keys)
    {
        BOOST_TEST(event_id_for_key(user(row.user), row.key) == row.id);
        BOOST_TEST(is_valid_event_id(row.id));
    }
}

BOOST_AUTO_TEST_CASE(the_same_key_of_two_users_has_two_ids)
{
    BOOST_TEST(event_id_for_key(user("a"), "k") != event_id_for_key(user("b"), "k"));
    BOOST_TEST(event_id_for_key(user("a"), "k") != event_id_for_key(user("a"), "l"));
    // The NUL keeps the two apart: no id holds one.
    BOOST_TEST(event_id_for_key(user("ab"), "c") != event_id_for_key(user("a"), "bc"));
    BOOST_TEST(event_id_for_key(user("a"), std::string(255, 'k')) !=
               event_id_for_key(user("a"), std::string(254, 'k')));
}

BOOST_AUTO_TEST_CASE(an_event_id_is_1_to_64_of_a_small_alphabet)
{
    const std::string good[] = {
        "1", "a", "Z", "_", ".", "-", "..", "k-abc", "01JGQ3ZK8F4M5N6P7Q8R9S0T1V", std::string(64, 'x')};
    for (const auto& id : good)
        BOOST_TEST_CONTEXT(id) { BOOST_TEST(is_valid_event_id(id)); }
    const std::string bad[] = {"",     std::string(65, 'x'),
                               " ",    "a b",
                               "a/b",  "a:b",
                               "a=b",  "a*",
                               "a\nb", "a\0b"s,
                               "\0"s,  "a\r\n",
                               "é",    "~",
                               "@",    "a,b"};
    for (const auto& id : bad)
        BOOST_TEST_CONTEXT(printable(id)) { BOOST_TEST(!is_valid_event_id(id)); }
}

BOOST_AUTO_TEST_CASE(an_event_id_may_contain_exactly_65_different_bytes)
{
    int allowed = 0;
    for (int c = 0; c < 256; ++c)
        allowed += is_valid_event_id(std::string(1, static_cast<char>(c))) ? 1 : 0;
    BOOST_TEST(allowed == 26 + 26 + 10 + 3);
}

BOOST_AUTO_TEST_CASE(a_ulid_has_26_characters_and_begins_with_its_time)
{
    const auto id = make_ulid(at(0ms));
    BOOST_TEST(id.size() == 26U);
    BOOST_TEST(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);
    BOOST_TEST(id.substr(0, 10) == "0000000000");
    BOOST_TEST(is_valid_event_id(id));
    BOOST_TEST(make_ulid(at(1ms)).substr(0, 10) == "0000000001");
    BOOST_TEST(make_ulid(at(31ms)).substr(0, 10) == "000000000Z");
    BOOST_TEST(make_ulid(at(32ms)).substr(0, 10) == "0000000010");
    BOOST_TEST(make_ulid(at(1469918176385ms)).substr(0, 10) ==
               "01ARYZ6S41"); // the vector of the ULID specification's own tests
}

BOOST_AUTO_TEST_CASE(ulids_sort_by_their_milliseconds)
{
    auto before = make_ulid(at(0ms));
    for (auto when = 1ms; when < 3'000'000'000'000ms; when = when * 3 + 1ms)
    {
        auto after = make_ulid(at(when));
        BOOST_TEST(before < after);
        before = std::move(after);
    }
}

BOOST_AUTO_TEST_CASE(ulids_of_one_millisecond_differ_also_across_threads)
{
    constexpr std::size_t each = 2000;
    std::vector<std::string> made(4 * each);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 4; ++t)
            threads.emplace_back(
                [&made, t]
                {
                    for (std::size_t i = 0; i < each; ++i)
                        made[t * each + i] = make_ulid(at(1769851800123ms));
                });
    }
    BOOST_TEST(std::set<std::string>(made.begin(), made.end()).size() == made.size());
}

BOOST_AUTO_TEST_SUITE_END()
