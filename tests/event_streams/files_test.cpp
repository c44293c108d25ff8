// The file of events and the file that says how far a replay is.
#include "tools/replay/check.hpp"
#include "tools/replay/event_file.hpp"
#include "tools/replay/progress_file.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace marquee;
using namespace marquee::replay;

namespace
{

struct folder
{
    folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_replay_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder() { std::filesystem::remove_all(path); }

    std::string write(const std::string& text) const
    {
        std::ofstream(path / "file", std::ios::binary) << text;
        return path / "file";
    }
    std::filesystem::path path;
};

using lines = std::vector<std::pair<std::string, std::uint64_t>>; // and the offset behind each

lines lines_of(const std::string& path, file_position from = {})
{
    auto reader = line_reader::open(path, from).value();
    lines all;
    for (std::string line; reader.next(line).value() == read_outcome::line;)
        all.emplace_back(line, reader.position().offset);
    return all;
}

/// What stops the reading of a file.
std::string complaint_of(const std::string& path)
{
    auto reader = line_reader::open(path, {});
    if (reader.has_error())
        return reader.error().detail;
    for (std::string line;;)
    {
        const auto read = reader->next(line);
        if (read.has_error())
            return read.error().detail;
        if (*read == read_outcome::end)
            return {};
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(files, folder)

BOOST_AUTO_TEST_CASE(a_file_is_known_by_its_size_and_its_sha256)
{
    const auto empty = identify(write("")).value();
    BOOST_TEST(empty.size == 0);
    BOOST_TEST(empty.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const auto abc = identify(write("abc")).value();
    BOOST_TEST(abc.size == 3);
    BOOST_TEST(abc.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(identify(path / "none").error().detail.find("No such file") != std::string::npos);
    BOOST_TEST(identify(path).has_error());
}

BOOST_AUTO_TEST_CASE(a_beginning_is_known_however_much_follows_it)
{
    const auto file = write("abc");
    prefix_digest digest(file);
    BOOST_TEST((digest.up_to(1).value() == identify(write("a")).value()));
    write("abcdef"); // the same file, which grows
    BOOST_TEST((digest.up_to(3).value() == identify(write("abc")).value()));
    write("abcdef");
    BOOST_TEST((digest.up_to(2).value().sha256 == identify(write("ab")).value().sha256));
    BOOST_TEST(digest.up_to(3).error().detail.find("is shorter than it was") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_that_no_broker_takes_is_refused)
{
    const std::string most(64 << 20, 'x');
    BOOST_TEST(complaint_of(write(most + "\nx")) == "");
    const auto complaint = complaint_of(write("x\n" + most + most + "\n"));
    BOOST_TEST(complaint.find("line 2 is longer than 64 MiB") != std::string::npos, complaint);
}

BOOST_AUTO_TEST_CASE(lines_end_in_lf_or_cr_lf_and_blank_ones_are_skipped)
{
    BOOST_TEST((lines_of(write("a\n\nb\r\nc")) == lines{{"a", 2}, {"b", 6}, {"c", 7}}));
    BOOST_TEST((lines_of(write("a\n\nb\r\nc\n")) == lines{{"a", 2}, {"b", 6}, {"c", 8}}));
    BOOST_TEST((lines_of(write(" \na\n\t \r\n\v\f\nb \n  ")) == lines{{"a", 4}, {"b ", 14}}));
    BOOST_TEST((lines_of(write("a\n\nb\r\nc\n\n"), {1, 2}).front().first == "b"));
    BOOST_TEST(lines_of(write("")).empty());
}

BOOST_AUTO_TEST_CASE(lines_longer_than_what_is_read_at_once_are_whole)
{
    const std::string longer(300'000, 'x');
    const auto all = lines_of(write(longer + "\n" + longer + "y\nz"));
    BOOST_REQUIRE(all.size() == 3);
    BOOST_TEST((all[0].first == longer && all[1].first == longer + "y" && all[2].first == "z"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_text_is_refused_with_its_kind)
{
    using namespace std::string_literals;
    const std::pair<std::string, std::string> rows[] = {
        {"\xEF\xBB\xBF{}\n", "byte order mark (UTF-8)"},
        {"\xEF\xBB\xBF", "byte order mark (UTF-8)"},
        {"\xFF\xFE{\0}\0\n\0"s, "byte order mark (UTF-16)"},
        {"\xFE\xFF\0{\0}\0\n"s, "byte order mark (UTF-16)"},
        {"\x1F\x8B\x08\0\0\0\0\0\0\x03K\x04\0\n"s, "gzip"},
        {"\x28\xB5\x2F\xFD\x04\n", "zstd"},
        {"\xFD"
         "7zXZ\0\n"s,
         "xz"},
        {"BZh9\n", "bzip2"},
        {"PK\x03\x04\n", "zip"},
    };
    for (const auto& [text, name] : rows)
    {
        const auto complaint = complaint_of(write(text));
        BOOST_TEST(complaint.find(name) != std::string::npos, name << " is not in: " << complaint);
    }
    BOOST_TEST(complaint_of(write("{}\n\x1F\x8B\n")) == ""); // a bad line like others
}

BOOST_AUTO_TEST_CASE(a_file_goes_on_only_between_two_lines)
{
    BOOST_TEST((lines_of(write("a\nb"), {1, 2}) == lines{{"b", 3}}));
    BOOST_TEST((lines_of(write("a\nb\nc"), {2, 3}) == lines{{"c", 5}})); // the last line had no end
    BOOST_TEST((lines_of(write("a\nb\r\nc"), {2, 3}) == lines{{"c", 6}}));
    BOOST_TEST(line_reader::open(write("a\nbc"), {2, 3}).error().detail.find("line 2, which was sent, goes on now") !=
               std::string::npos);
    BOOST_TEST(line_reader::open(write("a"), {2, 3}).error().detail.find("is shorter than it was") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stream_is_read_as_far_as_it_is_there)
{
    const auto fifo = (path / "fifo").string();
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    BOOST_TEST(!is_regular_file(fifo).value());
    const int writer = ::open(fifo.c_str(), O_RDWR);
    auto reader = line_reader::open(fifo, {}).value();
    std::string line;
    BOOST_TEST((reader.next(line).value() == read_outcome::later));
    BOOST_REQUIRE(::write(writer, "a\nb", 3) == 3);
    BOOST_TEST((reader.next(line).value() == read_outcome::line && line == "a"));
    BOOST_TEST((reader.next(line).value() == read_outcome::later));
    BOOST_REQUIRE(::write(writer, "c\n", 2) == 2);
    BOOST_TEST((reader.next(line).value() == read_outcome::line && line == "bc"));
    BOOST_TEST(reader.position().line == 2);
    BOOST_TEST(reader.size() == 0);
    ::close(writer);
    BOOST_TEST((reader.next(line).value() == read_outcome::end));
}

BOOST_AUTO_TEST_CASE(a_directory_is_refused)
{
    BOOST_TEST(is_regular_file(path.string()).error().detail.find("is a folder") != std::string::npos);
    BOOST_TEST(is_regular_file(write("")).value());
}

BOOST_AUTO_TEST_CASE(a_rewound_reader_starts_again)
{
    auto reader = line_reader::open(write("a\nb\n"), {1, 2}).value();
    std::string line;
    BOOST_TEST((reader.next(line).value() == read_outcome::line && line == "b"));
    BOOST_TEST(reader.position().line == 2);
    BOOST_TEST((reader.next(line).value() == read_outcome::end));
    reader.rewind();
    BOOST_TEST((reader.next(line).value() == read_outcome::line && line == "a"));
    BOOST_TEST(reader.position().line == 1);
}

BOOST_AUTO_TEST_CASE(a_check_names_what_cannot_be_sent_and_what_will_be_rejected)
{
    auto reader = line_reader::open(write("\"1:2\"\n123:42\n\n{\"id\":\"e\"}\n[1]\n"), {}).value();
    std::ostringstream said;
    const auto counts = check_lines(reader, said).value();
    BOOST_TEST(counts.events == 2);
    BOOST_TEST(counts.rejected == 1);
    BOOST_TEST(counts.bad == 2);
    BOOST_TEST(said.str().find("line 2: a line is an event") == 0, said.str());
    BOOST_TEST(said.str().find("\nline 4: reporting will reject it: asset: ") != std::string::npos, said.str());
    BOOST_TEST(said.str().find("\nline 5: a line that begins with a bracket") != std::string::npos, said.str());
}

BOOST_AUTO_TEST_CASE(a_state_comes_back_as_it_was_saved)
{
    const auto file = (path / "state").string();
    BOOST_TEST(!load_progress(file).value());
    replay_progress state;
    state.file = {1000, "abc"};
    state.round = 7;
    state.at = {42, 999};
    state.counts = {1, 2, 3, std::numeric_limits<std::uint64_t>::max(), 4};
    for (int i = 0; i < 2; ++i) // over an older one, too
    {
        BOOST_TEST(save_progress(file, state).has_value());
        BOOST_TEST((load_progress(file).value().value() == state));
        ++state.at.line;
    }
    BOOST_TEST(save_progress((path / "none" / "state").string(), state).has_error());
}

BOOST_AUTO_TEST_CASE(a_state_file_without_the_number_of_skipped_lines_is_read)
{
    const auto file = (path / "state").string();
    replay_progress state;
    state.file = {1000, "abc"};
    state.counts.acknowledged = 5;
    BOOST_TEST(save_progress(file, state).has_value());
    std::ifstream in(file);
    const std::string now{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST((load_progress(write(now.substr(0, now.find("skipped")))).value().value() == state));
}

BOOST_AUTO_TEST_CASE(a_malformed_state_file_is_refused)
{
    const auto file = (path / "state").string();
    replay_progress state;
    state.file = {1000, "abc"};
    BOOST_TEST(save_progress(file, state).has_value());
    std::ifstream in(file);
    const std::string good{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t size = 0; size < good.find("refused"); ++size)
        BOOST_TEST(load_progress(write(good.substr(0, size))).has_error());
    BOOST_TEST(load_progress(write("{}")).has_error());
    BOOST_TEST(load_progress(path).has_error());
    state.at.offset = 1001; // beyond the file's end
    BOOST_TEST(save_progress(file, state).has_value());
    BOOST_TEST(load_progress(file).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
