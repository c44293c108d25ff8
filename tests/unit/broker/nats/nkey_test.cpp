#include "broker/nats/nkey.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace
{

using namespace marquee;

/// A file with the given text, gone at the end.
class seed_file
{
public:
    explicit seed_file(const std::string& text) { std::ofstream(path_) << text; }
    ~seed_file() { std::filesystem::remove(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_ =
        (std::filesystem::temp_directory_path() / ("marquee_nkey_" + std::to_string(::getpid()))).string();
};

// The pair of the NATS documentation's NKey chapter.
constexpr const char* known_seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* known_key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

} // namespace

BOOST_AUTO_TEST_SUITE(nkey)

BOOST_AUTO_TEST_CASE(the_public_key_of_a_known_seed_is_found)
{
    seed_file file(std::string(known_seed) + "\n");
    auto key = detail::public_nkey(file.path());
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(*key == known_key);
}

BOOST_AUTO_TEST_CASE(a_seed_among_other_lines_is_found)
{
    seed_file file("# a comment\r\n" + std::string(known_seed) + " \r\nmore\n");
    auto key = detail::public_nkey(file.path());
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(*key == known_key);
}

BOOST_AUTO_TEST_CASE(what_is_no_user_seed_is_refused_without_showing_it)
{
    std::string wrong = known_seed;
    wrong[20] = wrong[20] == 'A' ? 'B' : 'A'; // the checksum no longer fits
    for (const auto& text :
         {std::string(), std::string("SU"), wrong, std::string(known_key), std::string(known_seed, 57)})
    {
        seed_file file(text);
        auto key = detail::public_nkey(file.path());
        BOOST_REQUIRE(key.has_error());
        BOOST_TEST((key.error() == errc::bad_request));
        if (text.size() > 2)
            BOOST_TEST(key.error().detail.find(text) == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named)
{
    auto key = detail::public_nkey("/nonexistent/seed");
    BOOST_REQUIRE(key.has_error());
    BOOST_TEST(key.error().detail.find("/nonexistent/seed") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
