#include "edge/http/idempotency.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

result<std::optional<std::string>> key_of(const std::string& value)
{
    http_fields fields;
    fields.add("idempotency-key", value);
    return idempotency_key(fields);
}

} // namespace

BOOST_AUTO_TEST_SUITE(idempotency)

BOOST_AUTO_TEST_CASE(quoted_and_bare_forms_of_a_key_are_equal)
{
    const std::pair<std::string, std::string> table[] = {
        {"k", "k"},
        {"\"k\"", "k"},
        {"  \"k\" ", "k"},
        {"8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"a/b=:c+", "a/b=:c+"},
        {"\"a b, c; d\"", "a b, c; d"},
        {R"("say \"x\" and \\")", R"(say "x" and \)"},
        {std::string(255, 'k'), std::string(255, 'k')},
        {'"' + std::string(255, 'k') + '"', std::string(255, 'k')},
    };
    for (const auto& [given, key] : table)
        BOOST_TEST_CONTEXT(given)
        {
            auto read = key_of(given);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(read->value() == key);
        }
}

BOOST_AUTO_TEST_CASE(a_malformed_key_is_refused_and_the_header_named)
{
    const std::string table[] = {"",
                                 "  ",
                                 "\"\"",
                                 "\"",
                                 "\"k",
                                 "k\"",
                                 "\"k\"x",
                                 "\"k\";a=1",
                                 "a b",
                                 "a,b",
                                 "a;b",
                                 "a\\b",
                                 "\"a\\b\"",
                                 "\"a\\",
                                 "\"a\tb\"",
                                 "\xc3\xa9",
                                 "\"\xc3\xa9\"",
                                 std::string(256, 'k'),
                                 '"' + std::string(256, 'k') + '"'};
    for (const auto& given : table)
        BOOST_TEST_CONTEXT('[' << given << ']')
        {
            auto read = key_of(given);
            BOOST_REQUIRE(read.has_error());
            BOOST_TEST((read.error() == errc::bad_request));
            BOOST_TEST(read.error().field == "Idempotency-Key");
        }
}

BOOST_AUTO_TEST_CASE(no_header_is_no_key_and_two_are_refused)
{
    http_fields fields;
    BOOST_TEST(!idempotency_key(fields).value().has_value());
    fields.add("Idempotency-Key", "a");
    fields.add("Idempotency-Key", "a");
    BOOST_TEST(idempotency_key(fields).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
