#include "tests/support/process.hpp"

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace marquee::test
{

namespace
{

/// In the child: becomes the program, or ends with 127.
[[noreturn]] void become(const std::vector<char*>& argv, const std::vector<char*>& envp, int output, pid_t parent)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(127);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
}

std::vector<char*> pointers_to(std::vector<std::string>& words)
{
    std::vector<char*> pointers;
    for (auto& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

process::process(const std::string& program, const std::vector<std::string>& arguments,
                 const std::vector<std::pair<std::string, std::string>>& environment)
{
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment)
        variables.push_back(name + '=' + value);
    for (char** v = environ; *v != nullptr; ++v)
        variables.emplace_back(*v);
    const auto argv = pointers_to(words);
    const auto envp = pointers_to(variables);

    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::runtime_error("no pipe");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0)
        become(argv, envp, ends[1], parent);
    ::close(ends[1]);
    if (pid_ < 0)
    {
        ::close(ends[0]);
        throw std::runtime_error("cannot start " + program);
    }
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    reader_ = std::thread([this, fd = ends[0]] { read_output(fd); });
}

process::~process()
{
    if (!code_)
    {
        signal(SIGKILL);
        wait(std::chrono::seconds(30));
    }
    if (reader_.joinable())
        reader_.join();
    if (pidfd_ >= 0)
        ::close(pidfd_);
}

void process::read_output(int fd)
{
    char chunk[4096];
    for (;;)
    {
        const auto size = ::read(fd, chunk, sizeof chunk);
        if (size < 0 && errno == EINTR)
            continue;
        std::lock_guard lock(mutex_);
        if (size <= 0)
        {
            closed_ = true;
            more_.notify_all();
            break;
        }
        output_.append(chunk, static_cast<std::size_t>(size));
        more_.notify_all();
    }
    ::close(fd);
}

std::optional<std::string> process::wait_for_line(const std::string& part, std::chrono::milliseconds limit)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(mutex_);
    for (;;)
    {
        std::size_t from = 0;
        for (std::size_t eol = output_.find('\n'); eol != std::string::npos; eol = output_.find('\n', from))
        {
            auto line = output_.substr(from, eol - from);
            if (line.find(part) != std::string::npos)
                return line;
            from = eol + 1;
        }
        if (closed_ || more_.wait_until(lock, end) == std::cv_status::timeout)
            return std::nullopt;
    }
}

std::string process::output() const
{
    std::lock_guard lock(mutex_);
    return output_;
}

void process::signal(int number) const
{
    if (!code_)
        ::kill(pid_, number);
}

void process::suspend() const
{
    signal(SIGSTOP);
    siginfo_t stopped{};
    if (!code_)
        ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

std::optional<int> process::wait(std::chrono::milliseconds limit)
{
    if (code_)
        return code_;
    pollfd ended{pidfd_, POLLIN, 0};
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;)
    {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        const int ready = ::poll(&ended, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return std::nullopt;
        break;
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::unique_lock lock(mutex_); // all of its output is read, unless a child of its own goes on
    more_.wait_for(lock, std::chrono::seconds(1), [this] { return closed_; });
    return code_;
}

bool process::running() { return !wait(std::chrono::milliseconds(0)); }

} // namespace marquee::test
