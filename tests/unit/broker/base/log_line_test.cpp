#include "broker/base/log_line.hpp"

#include "schemas/utf8.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/logfmt.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/stat.h>

using namespace marquee;
using namespace marquee::test;

namespace
{

/// The log in another format, as long as it exists.
struct with_format
{
    explicit with_format(log_format format) { set_log_format(format); }
    ~with_format() { set_log_format(log_format::text); }
    with_format(const with_format&) = delete;
    with_format& operator=(const with_format&) = delete;
};

/// Values that somebody else sent.
std::vector<std::string> hostile_values()
{
    std::vector<std::string> all = {
        "",
        " ",
        "=",
        "plain",
        "a b=c \"d\" \\ e",
        "100%n %s %x",
        "quote\" newline\n level=error",
        R"("} {"level":"error")",
        "\x1b[2J\r\n\t\b\f",
        "caf\u00e9 \u65e5\u672c \U0001f3ac",
        "\u2028\u202e\ufeff\u0085",
        "\xff\xfe",
        "\xed\xa0\x80",
        "cut \xc3",
        std::string(100'000, 'x'),
        std::string(100'000, '"'),
        std::string(100'000, '\n'),
    };
    all.emplace_back("zero\0byte", 9);
    for (int c = 0; c < 256; ++c)
        all.emplace_back(3, static_cast<char>(c));
    return all;
}

bool is_one_clean_line(const std::string& text)
{
    auto rest = std::string_view(text);
    if (!rest.ends_with('\n'))
        return false;
    rest.remove_suffix(1);
    while (!rest.empty())
    {
        std::uint32_t code = 0;
        const auto size = decode_utf8(rest, code);
        if (size == 0 || code < 0x20 || code == 0x7f || (code >= 0x80 && code < 0xa0) || code == 0x2028 ||
            code == 0x202e)
            return false;
        rest.remove_prefix(size);
    }
    return true;
}

std::string line_with(const std::string& value)
{
    return log_line(log_level::warning, "something").add("value", value).add("last", std::uint64_t{7}).take();
}

/// What every format says of a value: as it is, but for bytes that are not UTF-8 and the bound.
bool shows(const std::string& read, const std::string& value)
{
    if (value.size() > 900)
        return read.ends_with("\u2026") && value.starts_with(read.substr(0, 100)) && read.size() <= max_log_value_bytes;
    std::string expected;
    for (auto rest = std::string_view(value); !rest.empty();)
    {
        std::uint32_t code = 0;
        const auto size = decode_utf8(rest, code);
        constexpr std::string_view hex = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(rest[0]);
        if (size == 0)
            ((expected += "\\x") += hex[byte >> 4U]) += hex[byte & 15U];
        else
            expected += rest.substr(0, size);
        rest.remove_prefix(size == 0 ? 1 : size);
    }
    return read == expected;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_line_)

BOOST_AUTO_TEST_CASE(each_line_of_json_is_one_object_whatever_a_value_holds)
{
    const with_format json(log_format::json);
    for (const auto& value : hostile_values())
    {
        const auto text = line_with(value);
        BOOST_TEST_REQUIRE(is_one_clean_line(text), text);
        boost::system::error_code wrong;
        const auto read = boost::json::parse(text, wrong);
        BOOST_TEST_REQUIRE(!wrong, text);
        const auto& members = read.as_object();
        BOOST_TEST(members.size() == 6U);
        BOOST_TEST(members.at("level").as_string() == "warning");
        BOOST_TEST(members.at("program").is_string());
        BOOST_TEST(members.at("msg").as_string() == "something");
        BOOST_TEST(members.at("last").as_int64() == 7);
        const auto& shown = members.at("value").as_string();
        BOOST_TEST(shows(std::string(shown.begin(), shown.end()), value), text);
    }
}

BOOST_AUTO_TEST_CASE(each_line_of_logfmt_has_its_pairs_and_no_other_whatever_a_value_holds)
{
    const with_format logfmt(log_format::logfmt);
    for (const auto& value : hostile_values())
    {
        if (value.find('\0') != std::string::npos)
            continue; // the parser of this test ends a text there
        auto text = line_with(value);
        BOOST_TEST_REQUIRE(is_one_clean_line(text), text);
        text.pop_back();
        const auto read = parse_logfmt(text);
        BOOST_TEST_REQUIRE(read.has_value(), text);
        BOOST_TEST(read->size() == 6U);
        BOOST_TEST(read->at("level") == "warning");
        BOOST_TEST(read->at("msg") == "something");
        BOOST_TEST(read->at("last") == "7");
        BOOST_TEST(shows(read->at("value"), value), text);
    }
}

BOOST_AUTO_TEST_CASE(each_line_of_text_is_one_line_whatever_a_value_holds)
{
    for (const auto& value : hostile_values())
    {
        const auto text = line_with(value);
        BOOST_TEST(is_one_clean_line(text), text);
        BOOST_TEST(text.ends_with(" last=7\n"));
    }
}

BOOST_AUTO_TEST_CASE(a_value_has_1024_bytes_at_most_as_it_is_written_and_shows_that_it_was_cut)
{
    for (const auto format : {log_format::text, log_format::json, log_format::logfmt})
    {
        const with_format in_force(format);
        const auto without = line_with("x").size() - 1;
        const auto bytes_of = [&](const std::string& piece, std::size_t count)
        {
            std::string value;
            for (std::size_t i = 0; i < count; ++i)
                value += piece;
            const auto text = line_with(value);
            BOOST_TEST((text.find("\u2026") != std::string::npos) == (count > 1021), text);
            return text.size() - without;
        };
        BOOST_TEST(bytes_of("x", 1021) == 1021U);
        BOOST_TEST(bytes_of("x", 1022) == max_log_value_bytes + (format == log_format::logfmt ? 2 : 0)); // quotes
        for (const auto* piece : {"\n", "\"", "\xff", "\u00e9", "\U0001f3ac", " "})
        {
            BOOST_TEST(bytes_of(piece, 100) <= 602U);
            BOOST_TEST(bytes_of(piece, 5000) <= max_log_value_bytes + 2);
            BOOST_TEST(bytes_of(piece, 5000) > max_log_value_bytes - 8);
        }
    }
}

BOOST_AUTO_TEST_CASE(fields_of_log_are_texts_and_numbers)
{
    const with_format json(log_format::json);
    const auto text = log_of(
        [] {
            log(log_level::error, "it \"happened\"", {{"count", 12}, {"text", "12"}, {"less", -3}});
        });
    const auto read = boost::json::parse(text).as_object();
    BOOST_TEST(read.at("msg").as_string() == "it \"happened\"");
    BOOST_TEST(read.at("count").as_int64() == 12);
    BOOST_TEST(read.at("text").as_string() == "12");
    BOOST_TEST(read.at("less").as_int64() == -3);
}

BOOST_AUTO_TEST_CASE(lines_have_priorities_where_standard_error_is_the_journal_and_only_there)
{
    struct priorities_off
    {
        ~priorities_off()
        {
            ::unsetenv("JOURNAL_STREAM");
            detect_journal();
        }
    } const afterwards;
    const auto all = [](const char* stream_of_other)
    {
        captured_log captured;
        struct stat standard_error = {};
        ::fstat(STDERR_FILENO, &standard_error);
        const auto own = std::to_string(standard_error.st_dev) + ':' + std::to_string(standard_error.st_ino);
        ::setenv("JOURNAL_STREAM", stream_of_other != nullptr ? stream_of_other : own.c_str(), 1);
        detect_journal();
        for (const auto level : {log_level::info, log_level::warning, log_level::error})
            log(level, "line");
        return captured.text();
    };
    const auto text = all(nullptr);
    BOOST_TEST(text.starts_with("<6>2"), text);
    BOOST_TEST(text.find("\n<4>2") != std::string::npos, text);
    BOOST_TEST(text.find("\n<3>2") != std::string::npos, text);
    {
        const with_format json(log_format::json);
        BOOST_TEST(all(nullptr).starts_with("<6>{\"time\":\""));
    }
    for (const auto* other : {"1:2", "", "8:1:9"})
        BOOST_TEST(all(other).starts_with("2"), other);
}

BOOST_AUTO_TEST_SUITE_END()
