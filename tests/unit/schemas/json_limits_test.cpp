#include "schemas/messages.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string a(std::size_t bytes) { return std::string(bytes, 'a'); }

template <class T>
void taken(const T& message)
{
    const auto read = decode<T>(encode(message));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == message));
}

template <class T>
void refused(const std::string& text, const char* field)
{
    const auto read = decode<T>(text);
    BOOST_REQUIRE(read.has_error());
    BOOST_TEST((read.error() == errc::bad_request));
    BOOST_TEST(read.error().field == field);
    BOOST_TEST(!read.error().detail.empty());
}

} // namespace

BOOST_AUTO_TEST_SUITE(json_limits)

BOOST_AUTO_TEST_CASE(texts_up_to_their_limits_are_accepted)
{
    taken(asset_metadata{"", "", ""});
    taken(asset_metadata{a(1024), a(1024), a(16384)});
    taken(asset_metadata{std::string(1024, '\n'), "g", "s"}); // six bytes each in JSON, one each as text
    taken(asset_url{"u"});
    taken(asset_url{a(4096)});
    taken(asset_url{"https://cdn.example/ü b"});
}

BOOST_AUTO_TEST_CASE(a_text_one_byte_longer_is_refused_and_named)
{
    refused<asset_metadata>(encode(asset_metadata{a(1025), "g", "s"}), "title");
    refused<asset_metadata>(encode(asset_metadata{"t", a(1025), "s"}), "genre");
    refused<asset_metadata>(encode(asset_metadata{"t", "g", a(16385)}), "summary");
    refused<asset_url>(encode(asset_url{a(4097)}), "url");
}

BOOST_AUTO_TEST_CASE(limits_count_bytes_not_characters)
{
    taken(asset_metadata{a(1022) + "é", "g", "s"});
    refused<asset_metadata>(encode(asset_metadata{a(1023) + "é", "g", "s"}), "title");
}

BOOST_AUTO_TEST_CASE(a_url_is_neither_empty_nor_holds_control_characters)
{
    refused<asset_url>(R"({"url":""})", "url");
    for (const auto& bad : {"\0"s, "\n"s, "\r\nX: y"s, "\t"s, "\x1F"s, "\x7F"s})
    {
        BOOST_TEST_CONTEXT(printable(bad))
        {
            refused<asset_url>(encode(asset_url{bad}), "url");
            refused<asset_url>(encode(asset_url{"path" + bad}), "url");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_limit_is_1_to_1000)
{
    for (const auto* limit : {"1", "2", "999", "1000"})
    {
        const auto text = R"({"limit":)" + std::string(limit) + "}";
        BOOST_TEST_CONTEXT(text)
        {
            BOOST_TEST(std::to_string(decode<list_request>(text).value().limit.value()) == limit);
            BOOST_TEST(std::to_string(decode<top_request>(text).value().limit.value()) == limit);
        }
    }
    for (const auto* limit :
         {"0", "1001", "18446744073709551615", "-1", "1.5", "1.0", "1e2", "18446744073709551616", "\"10\""})
    {
        const auto text = R"({"limit":)" + std::string(limit) + "}";
        BOOST_TEST_CONTEXT(text)
        {
            refused<list_request>(text, "limit");
            refused<top_request>(text, "limit");
        }
    }
}

BOOST_AUTO_TEST_CASE(after_is_a_valid_id)
{
    for (const auto& good : {"123"s, "10.5240/7791"s, " "s, ".."s, a(128)})
        BOOST_TEST(decode<list_request>(encode(list_request{good, {}})).has_value());
    for (const auto& bad : {""s, a(129), "a\nb"s, "\0"s, "\x7F"s, "\xC2\x85"s})
        BOOST_TEST_CONTEXT(printable(bad)) { refused<list_request>(encode(list_request{bad, {}}), "after"); }
}

BOOST_AUTO_TEST_SUITE_END()
