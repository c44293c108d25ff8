#include "broker/program/config_file.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

#include <stdlib.h>
#include <sys/stat.h>

namespace
{

using namespace marquee;

/// `name=value@line` of each line, joined by blanks; the error where it is refused.
std::string read(std::string_view text)
{
    const auto lines = parse_config(text, "a.conf");
    if (lines.has_error())
        return lines.error().detail;
    std::string all;
    for (const auto& line : *lines)
        all += (all.empty() ? "" : " ") + line.name + '=' + line.value + '@' + std::to_string(line.number);
    return all;
}

struct row
{
    const char* why;
    std::string_view text;
    const char* read;
};

using namespace std::string_view_literals;

const row accepted[] = {
    {"nothing", "", ""},
    {"one value", "timeout = 2s\n", "timeout=2s@1"},
    {"no line end", "timeout = 2s", "timeout=2s@1"},
    {"no blanks", "timeout=2s\n", "timeout=2s@1"},
    {"blanks and tabs around both", " \ttimeout \t= \t2s \t\n", "timeout=2s@1"},
    {"CRLF", "a = 1\r\nb = 2\r\n", "a=1@1 b=2@2"},
    {"empty lines and blank ones", "\n \t \n\r\na = 1\n\n", "a=1@4"},
    {"a comment", "# a = 1\n#\nb = 2\n", "b=2@3"},
    {"a # elsewhere belongs to the value", "token = geheim#1\n", "token=geheim#1@1"},
    {"a # after a blank too", "token = geheim # 1\n", "token=geheim # 1@1"},
    {"quotes belong to the value", "a = \"b\"\n", "a=\"b\"@1"},
    {"an = belongs to the value", "a = b=c\n", "a=b=c@1"},
    {"an empty value", "a =\n", "a=@1"},
    {"UTF-8", "a = \xC3\xA9\n", "a=\xC3\xA9@1"},
    {"the same name twice: who knows the options decides", "a = 1\na = 2\n", "a=1@1 a=2@2"},
};

const row refused[] = {
    {"no =", "a = 1\nstray\n", "a.conf:2: the line is not `name = value`"},
    {"a section", "[edge]\n", "a.conf:1: the line is not `name = value`"},
    {"a # that is not the first character is no comment", " # a\n", "a.conf:1: the line is not `name = value`"},
    {"a NUL", "a = b\0c\n"sv, "a.conf:1: the line holds a control character"},
    {"an escape", "a = \x1b[2J\n", "a.conf:1: the line holds a control character"},
    {"a lone CR", "a = 1\rb = 2\n", "a.conf:1: the line holds a control character"},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "a = 1\n",
     "a.conf:1: the file begins with a byte order mark"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(config_files)

BOOST_AUTO_TEST_CASE(lines_are_names_and_values)
{
    for (const auto& each : accepted)
        BOOST_TEST_CONTEXT(each.why) { BOOST_TEST(read(each.text) == each.read); }
}

BOOST_AUTO_TEST_CASE(what_is_no_line_is_refused_with_file_and_line)
{
    for (const auto& each : refused)
        BOOST_TEST_CONTEXT(each.why) { BOOST_TEST(read(each.text) == each.read); }
    for (const auto* name : {"", "--timeout", "-t", "Timeout", "time out", "time_out", "t\xC3\xA9l\xC3\xA9"})
        BOOST_TEST_CONTEXT(name)
        {
            const auto said = read(std::string(name) + " = geheim\n");
            BOOST_TEST(said.starts_with("a.conf:1: the name before the = is not one of an option"), said);
            BOOST_TEST(said.find("geheim") == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(a_line_has_a_limit)
{
    const std::string start = "a = ";
    const std::string longest(max_config_line_bytes - start.size(), 'x');
    BOOST_TEST(read(start + longest + "\r\n") == "a=" + longest + "@1");
    BOOST_TEST(read("\n" + start + longest + "x\n") == "a.conf:2: the line is over 8192 bytes");
    BOOST_TEST(read("#" + std::string(100'000, 'x') + "\n").empty()); // nobody keeps it
}

BOOST_AUTO_TEST_CASE(a_file_is_regular_readable_and_of_a_size)
{
    std::string folder = (std::filesystem::temp_directory_path() / "marquee_config_XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const auto path = folder + "/a.conf";
    const auto said = [&] { return read_config_file(path).error().detail; };

    BOOST_TEST(said() == "cannot read the file " + path + ": No such file or directory");
    std::filesystem::create_directory(path);
    BOOST_TEST(said() == path + " is a directory, not a regular file");
    std::filesystem::remove(path);
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    BOOST_TEST(said() == path + " is a FIFO, not a regular file"); // and nothing waits for a writer
    std::filesystem::remove(path);
    std::ofstream(path) << std::string(1024 * 1024 + 1, '\n');
    BOOST_TEST(said() == "the file " + path + " is over 1 MiB");
    std::ofstream(path) << "a\n";
    BOOST_TEST(said() == path + ":1: the line is not `name = value`");

    std::ofstream(path) << "a = 1\n";
    using std::filesystem::perms;
    const std::tuple<unsigned, bool, bool> modes[] = {{0600, false, false}, {0640, false, false}, {0644, false, true},
                                                      {0660, true, false},  {0602, true, false},  {0666, true, true}};
    for (const auto& [mode, others_write, all_read] : modes)
        BOOST_TEST_CONTEXT(mode)
        {
            std::filesystem::permissions(path, perms(mode));
            const auto file = read_config_file(path).value();
            BOOST_TEST(file.others_write == others_write);
            BOOST_TEST(file.all_read == all_read);
            BOOST_TEST(file.lines.size() == 1U);
        }
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
