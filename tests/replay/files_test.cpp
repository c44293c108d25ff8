// The file of events and the file that says how far a replay is.
#include "tests/replay/tool/event_file.hpp"
#include "tests/replay/tool/meter.hpp"
#include "tests/replay/tool/progress_file.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

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

std::vector<std::pair<std::string, std::uint64_t>> lines_of(line_reader reader)
{
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (std::string line; reader.next(line);)
        all.emplace_back(line, reader.position().offset);
    return all;
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

BOOST_AUTO_TEST_CASE(a_line_that_no_broker_takes_is_refused_before_it_is_read)
{
    const std::string most(64 << 20, 'x');
    BOOST_TEST(identify(write(most + "\nx")).has_value());
    BOOST_TEST(identify(write("x\n" + most + "x\n")).error().detail.find("64 MiB") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_end_in_lf_or_cr_lf_and_blank_ones_are_skipped)
{
    using lines = std::vector<std::pair<std::string, std::uint64_t>>; // and the offset behind each
    BOOST_TEST((lines_of(line_reader(write("a\n\nb\r\nc"), {})) == lines{{"a", 2}, {"b", 6}, {"c", 7}}));
    BOOST_TEST((lines_of(line_reader(write("a\n\nb\r\nc\n"), {})) == lines{{"a", 2}, {"b", 6}, {"c", 8}}));
    BOOST_TEST((lines_of(line_reader(write("a\n\nb\r\nc\n\n"), {1, 2})).front().first == "b"));
}

BOOST_AUTO_TEST_CASE(a_rewound_reader_begins_anew)
{
    line_reader reader(write("a\nb\n"), {1, 2});
    std::string line;
    BOOST_TEST((reader.next(line) && line == "b"));
    BOOST_TEST(reader.position().line == 2);
    BOOST_TEST(!reader.next(line));
    reader.rewind();
    BOOST_TEST((reader.next(line) && line == "a"));
    BOOST_TEST(reader.position().line == 1);
}

BOOST_AUTO_TEST_CASE(a_state_comes_back_as_it_was_saved)
{
    const auto file = (path / "state").string();
    BOOST_TEST(!load_progress(file).value());
    replay_progress state;
    state.file = {1000, "abc"};
    state.round = 7;
    state.at = {42, 999};
    state.counts = {1, 2, 3, std::numeric_limits<std::uint64_t>::max()};
    for (int i = 0; i < 2; ++i) // over an older one, too
    {
        BOOST_TEST(save_progress(file, state).has_value());
        BOOST_TEST((load_progress(file).value().value() == state));
        ++state.at.line;
    }
    BOOST_TEST(save_progress((path / "none" / "state").string(), state).has_error());
}

BOOST_AUTO_TEST_CASE(what_is_no_state_is_refused_and_not_taken_for_a_start)
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

BOOST_AUTO_TEST_CASE(progress_says_events_share_rate_and_time_left)
{
    replay_progress state;
    state.file.size = 1000;
    state.at.offset = 455;
    state.counts.acknowledged = 4550;
    BOOST_TEST(progress_text(state, 99.6, 0.2) == "4550 events (45 %), 100/s, 1 s left");
    BOOST_TEST(progress_text(state, 0, std::numeric_limits<double>::infinity()) == "4550 events (45 %), 0/s, waiting");
    state.round = 3;
    BOOST_TEST(progress_text(state, 5, 60) == "round 3, 4550 events (45 %), 5/s, 60 s left");
}

BOOST_AUTO_TEST_SUITE_END()
