#include "broker/base/log_writer.hpp"

#include "broker/base/log.hpp"
#include "broker/base/log_quota.hpp"
#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace
{

/// Standard error is a pipe, which nobody reads until read() is called.
class unread_pipe
{
public:
    unread_pipe() : saved_(::dup(STDERR_FILENO))
    {
        int ends[2] = {};
        BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        BOOST_REQUIRE(::dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
        ::close(ends[1]);
        reader_ = ends[0];
    }
    ~unread_pipe()
    {
        restore();
        ::close(reader_);
    }
    unread_pipe(const unread_pipe&) = delete;
    unread_pipe& operator=(const unread_pipe&) = delete;

    /// Reads until `until` is in what came, or ten seconds have passed.
    std::string read_until(const std::string& until)
    {
        std::string all;
        const auto end = clock_type::now() + 10s;
        while (all.find(until) == std::string::npos && clock_type::now() < end)
        {
            pollfd one{reader_, POLLIN, 0};
            if (::poll(&one, 1, 100) <= 0)
                continue;
            std::string piece(65536, '\0');
            piece.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(reader_, piece.data(), piece.size()), 0)));
            all += piece;
        }
        return all;
    }

    void close_reader()
    {
        ::close(reader_);
        reader_ = -1;
    }

    void restore()
    {
        if (saved_ < 0)
            return;
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        saved_ = -1;
    }

private:
    int saved_;
    int reader_ = -1;
};

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

const std::string filler(200, '.');

} // namespace

BOOST_AUTO_TEST_SUITE(log_writer)

BOOST_AUTO_TEST_CASE(lines_of_all_threads_are_written_whole_and_in_the_order_of_each)
{
    captured_log captured;
    {
        const log_thread writing;
        std::vector<std::thread> all;
        for (int t = 0; t < 4; ++t)
            all.emplace_back(
                [t]
                {
                    for (int i = 0; i < 500; ++i)
                        log(log_level::info, "line", {{"thread", t}, {"number", i}, {"filler", filler}});
                });
        for (auto& each : all)
            each.join();
    }
    const auto text = captured.text();
    BOOST_TEST(count(text, "\n") == 2000U);
    for (int t = 0; t < 4; ++t)
    {
        std::size_t at = 0;
        for (int i = 0; i < 500; ++i)
        {
            at = text.find(
                "line thread=" + std::to_string(t) + " number=" + std::to_string(i) + " filler=" + filler + '\n', at);
            BOOST_TEST_REQUIRE(at != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_reader_that_takes_nothing_blocks_nobody_and_what_is_dropped_is_counted_and_said)
{
    const auto before = log_lines_dropped();
    unread_pipe pipe;
    const log_thread writing;
    constexpr int lines = 12'000; // of about 260 bytes: three times what fits
    const auto start = clock_type::now();
    for (int i = 0; i < lines; ++i)
        log(log_level::info, "line", {{"number", i}, {"filler", filler}});
    BOOST_TEST((clock_type::now() - start < 5s));
    const auto dropped = log_lines_dropped() - before;
    BOOST_TEST(dropped > 1000U);
    BOOST_TEST(!flush_log(50ms));

    const auto text = pipe.read_until("lines of the log were dropped count=" + std::to_string(dropped) + '\n');
    BOOST_TEST(count(text, " filler=") == lines - dropped);
    BOOST_TEST(text.find("dropped count=" + std::to_string(dropped) + '\n') != std::string::npos);
    log(log_level::info, "flows again");
    BOOST_TEST(pipe.read_until("flows again").find("flows again") != std::string::npos);
    BOOST_TEST(flush_log(5s));
    BOOST_TEST(log_lines_dropped() == before + dropped);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_program_waits_for_its_lines_and_not_for_a_reader_that_takes_nothing)
{
    unread_pipe pipe;
    const auto start = clock_type::now();
    {
        const log_thread writing;
        for (int i = 0; i < 1000; ++i)
            log(log_level::info, "line", {{"number", i}, {"filler", filler}});
    }
    BOOST_TEST((clock_type::now() - start >= 900ms));
    BOOST_TEST((clock_type::now() - start < 8s));
    BOOST_TEST(pipe.read_until("number=999 ").find("number=999 ") != std::string::npos);
    const log_thread ends_the_one_that_was_left;
}

BOOST_AUTO_TEST_CASE(without_a_thread_a_reader_that_takes_nothing_costs_a_second_once)
{
    unread_pipe pipe;
    const auto before = log_lines_dropped();
    const auto start = clock_type::now();
    for (int i = 0; i < 1000; ++i)
        log(log_level::info, "line", {{"number", i}, {"filler", filler}});
    BOOST_TEST((clock_type::now() - start < 8s));
    const auto dropped = log_lines_dropped() - before;
    BOOST_TEST(dropped > 0U);
    static_cast<void>(pipe.read_until("number=100 "));
    log(log_level::info, "flows again");
    BOOST_TEST(pipe.read_until("were dropped").find("dropped count=" + std::to_string(dropped)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_gone_ends_no_program)
{
    unread_pipe pipe;
    pipe.close_reader();
    const auto before = log_lines_dropped();
    {
        const log_thread writing;
        log(log_level::info, "nobody hears this");
        BOOST_TEST(flush_log(5s));
    }
    BOOST_TEST(log_lines_dropped() == before + 1);
    pipe.restore();
    captured_log captured;
    {
        const log_thread writing;
        log(log_level::info, "heard");
        BOOST_TEST(flush_log(5s));
    }
    BOOST_TEST(captured.text().find("dropped count=1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_that_repeats_is_written_five_times_and_then_counted)
{
    captured_log captured;
    {
        const log_thread writing;
        for (int i = 0; i < 317; ++i)
            log(log_level::warning, "the same", {{"reason", "again"}});
        for (int i = 0; i < 20; ++i)
            log(log_level::warning, "another", {{"number", i}});
        report_left_out(true);
    }
    const auto text = captured.text();
    BOOST_TEST(count(text, "the same reason=again\n") == 5U);
    BOOST_TEST(count(text, "the same reason=again repeated=312\n") == 1U);
    BOOST_TEST(count(text, "another number=") == 20U);
}

BOOST_AUTO_TEST_SUITE_END()
