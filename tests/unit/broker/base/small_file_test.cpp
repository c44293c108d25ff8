#include "broker/base/small_file.hpp"

#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace marquee;

namespace
{

/// A folder that goes away with its owner.
class folder
{
public:
    folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_small_file_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~folder() { std::filesystem::remove_all(path_); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream(file(name), std::ios::binary) << text;
        return file(name);
    }

private:
    std::filesystem::path path_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(small_file)

BOOST_AUTO_TEST_CASE(a_regular_file_is_read_as_it_is)
{
    const folder in;
    const std::string text("a\0b\r\n\xff", 6);
    BOOST_TEST(read_small_file(in.write("a", text)).value() == text);
    BOOST_TEST(read_small_file(in.write("empty", "")).value().empty());
    std::filesystem::create_symlink(in.file("a"), in.file("link"));
    BOOST_TEST(read_small_file(in.file("link")).value() == text);
    BOOST_TEST(read_small_file(in.write("most", std::string(max_small_file_bytes, 'x'))).value().size() ==
               max_small_file_bytes);
}

BOOST_AUTO_TEST_CASE(a_fifo_a_device_or_a_directory_is_refused_at_once_with_the_reason)
{
    const folder in;
    BOOST_REQUIRE(::mkfifo(in.file("fifo").c_str(), 0600) == 0);
    std::filesystem::create_symlink(in.file("fifo"), in.file("link"));
    const std::pair<std::string, std::string> table[] = {
        {in.file("fifo"), in.file("fifo") + " is a FIFO, not a regular file"},
        {in.file("link"), in.file("link") + " is a FIFO, not a regular file"},
        {"/dev/zero", "/dev/zero is a device, not a regular file"},
        {"/dev/null", "/dev/null is a device, not a regular file"},
        {in.file(""), in.file("") + " is a directory, not a regular file"},
        {in.file("none"), "cannot read the file " + in.file("none") + ": No such file or directory"},
        {"", "cannot read the file : No such file or directory"},
        {in.write("much", std::string(max_small_file_bytes + 1, 'x')),
         "the file " + in.file("much") + " is over 1 MiB"},
    };
    for (const auto& [path, why] : table)
        BOOST_TEST_CONTEXT(path)
        {
            const auto text = read_small_file(path);
            BOOST_REQUIRE(text.has_error());
            BOOST_TEST((text.error() == errc::bad_request));
            BOOST_TEST(text.error().detail == why);
            BOOST_TEST(check_small_file(path).has_error());
        }
}

BOOST_AUTO_TEST_CASE(a_secret_that_everybody_can_read_is_warned_of_once)
{
    const folder in;
    const auto file = in.write("token", "secret");
    const auto read_with = [&](mode_t mode, secrecy what)
    {
        BOOST_REQUIRE(::chmod(file.c_str(), mode) == 0);
        return test::log_of([&] { (void)read_small_file(file, what); });
    };
    BOOST_TEST(read_with(0600, secrecy::secret).empty());
    BOOST_TEST(read_with(0440, secrecy::secret).empty());
    BOOST_TEST(read_with(0644, secrecy::open).empty());
    const auto warned = read_with(0644, secrecy::secret);
    BOOST_TEST(warned.find("a file with a secret can be read or written by everybody") != std::string::npos, warned);
    BOOST_TEST(warned.find(file) != std::string::npos);
    BOOST_TEST(test::log_of([&] { (void)read_small_file(file, secrecy::secret); }).empty()); // by the next thread
}

BOOST_AUTO_TEST_SUITE_END()
