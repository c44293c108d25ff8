// Captures the log of the code under test, in this process.
#pragma once

#include <boost/test/unit_test.hpp>

#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace marquee::test
{

/// Captures standard error from construction until text() or destruction.
class captured_log
{
public:
    captured_log() : file_(::memfd_create("log", MFD_CLOEXEC)), saved_(::dup(STDERR_FILENO))
    {
        BOOST_REQUIRE(file_ >= 0);
        BOOST_REQUIRE(::dup2(file_, STDERR_FILENO) == STDERR_FILENO);
    }
    ~captured_log()
    {
        stop();
        ::close(file_);
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;

    [[nodiscard]] std::string text()
    {
        stop();
        std::string all(static_cast<std::size_t>(::lseek(file_, 0, SEEK_END)), '\0');
        BOOST_REQUIRE(::pread(file_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        return all;
    }

private:
    void stop()
    {
        if (saved_ < 0)
            return;
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        saved_ = -1;
    }

    int file_;
    int saved_;
};

/// The log lines that `action` writes.
template <class F>
std::string log_of(F action)
{
    captured_log log;
    action();
    return log.text();
}

} // namespace marquee::test
