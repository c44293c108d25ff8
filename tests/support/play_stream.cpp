#include "tests/support/play_stream.hpp"

#include "tests/support/http_answer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

using clock = std::chrono::steady_clock;

namespace
{

constexpr auto expiry_check = std::chrono::milliseconds(100);

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct link
{
    int fd = -1;
    bool open = false;
    bool busy = false;
    float due = 0; ///< of the play in flight
    float sent = 0;
    std::string in;
};

} // namespace

class play_stream::running
{
public:
    explicit running(const play_stream_settings& with);
    ~running();

    [[nodiscard]] float now() const { return std::chrono::duration<float>(clock::now() - start_).count(); }
    [[nodiscard]] std::vector<play_outcome> finish();

    std::atomic<std::uint64_t> answered{0};
    std::atomic<bool> stopping{false};
    std::atomic<bool> abandoned{false};
    std::atomic<bool> done{false};

private:
    void run();
    void turn();
    void begin_due();
    void give_up_waiting();
    void connect(std::size_t index);
    void drop(std::size_t index);
    void send(std::size_t index, float due);
    void receive(std::size_t index);
    void settle(link& on, int status, bool proper);
    void enforce_limit();
    [[nodiscard]] float due_of(std::uint64_t n) const
    {
        return static_cast<float>(static_cast<double>(n) / with_.rate);
    }
    [[nodiscard]] bool may_begin(float at) const;
    [[nodiscard]] bool over() const;

    play_stream_settings with_;
    int poll_;
    clock::time_point start_ = clock::now();
    clock::time_point next_check_ = start_;
    std::vector<link> links_;
    std::deque<std::size_t> free_;
    std::deque<std::pair<float, std::size_t>> pausing_; ///< until when
    std::vector<std::size_t> closed_;                   ///< to be reconnected
    std::vector<play_outcome> outcomes_;
    std::uint64_t begun_ = 0;
    std::size_t busy_ = 0;
    bool ended_ = false; ///< nothing more is due
    std::exception_ptr failure_;
    std::thread thread_;
};

play_stream::running::running(const play_stream_settings& with)
    : with_(with), poll_(::epoll_create1(EPOLL_CLOEXEC)), links_(with.connections)
{
    for (std::size_t i = 0; i < links_.size(); ++i)
        connect(i);
    start_ = clock::now();
    thread_ = std::thread(
        [this]
        {
            try
            {
                run();
            }
            catch (...)
            {
                failure_ = std::current_exception();
            }
            done = true;
        });
}

play_stream::running::~running()
{
    abandoned = true;
    if (thread_.joinable())
        thread_.join();
    for (const auto& each : links_)
        if (each.fd >= 0)
            ::close(each.fd);
    ::close(poll_);
}

std::vector<play_outcome> play_stream::running::finish()
{
    thread_.join();
    if (failure_)
        std::rethrow_exception(failure_);
    return std::move(outcomes_);
}

void play_stream::running::connect(std::size_t index)
{
    auto& made = links_[index];
    made.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made.fd < 0)
        throw std::runtime_error(std::string("no socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(made.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(with_.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)::connect(made.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to); // the outcome is an event
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, made.fd, &event);
}

/// Closes a connection; its play in flight, if any, has failed.
void play_stream::running::drop(std::size_t index)
{
    auto& gone = links_[index];
    ::close(gone.fd);
    gone.fd = -1;
    gone.open = false;
    gone.in.clear();
    if (gone.busy)
        settle(gone, 0, false);
    std::erase_if(pausing_, [index](const auto& each) { return each.second == index; });
    closed_.push_back(index);
}

void play_stream::running::settle(link& on, int status, bool proper)
{
    outcomes_.push_back({on.due, on.sent, now(), status, proper});
    on.busy = false;
    --busy_;
    ++answered;
}

bool play_stream::running::may_begin(float at) const
{
    return !stopping && (with_.plays == 0 || begun_ < with_.plays) &&
           (with_.time.count() == 0 || at < std::chrono::duration<float>(with_.time).count());
}

bool play_stream::running::over() const { return abandoned || (ended_ && busy_ == 0); }

void play_stream::running::run()
{
    while (!over())
        turn();
}

void play_stream::running::turn()
{
    std::array<epoll_event, 512> ready{};
    const int count = ::epoll_wait(poll_, ready.data(), ready.size(), 1);
    for (int i = 0; i < count; ++i)
    {
        const auto index = static_cast<std::size_t>(ready[static_cast<std::size_t>(i)].data.u64);
        const auto events = ready[static_cast<std::size_t>(i)].events;
        auto& one = links_[index];
        if (one.fd < 0)
            continue;
        if (!one.open && (events & (EPOLLERR | EPOLLHUP)) == 0 && (events & EPOLLOUT) != 0)
        {
            one.open = true;
            free_.push_back(index);
        }
        if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
            receive(index);
    }
    begin_due();
    enforce_limit();
    if (stopping || (with_.rate == 0 && !may_begin(now())))
        ended_ = true;
}

void play_stream::running::begin_due()
{
    for (; !pausing_.empty() && pausing_.front().first <= now(); pausing_.pop_front())
        free_.push_back(pausing_.front().second);
    while (!free_.empty() || with_.rate > 0)
    {
        const float due = with_.rate > 0 ? due_of(begun_) : now();
        if (!may_begin(due))
        {
            ended_ = true;
            return;
        }
        if (due > now())
            return;
        if (free_.empty())
            return give_up_waiting();
        const auto index = free_.front(); // round robin: a refused client does not come back before the others
        free_.pop_front();
        if (links_[index].open && !links_[index].busy)
            send(index, due);
    }
}

/// Ends the plays that have waited too long for a connection.
void play_stream::running::give_up_waiting()
{
    const auto patience = std::chrono::duration<float>(with_.patience).count();
    for (float due = due_of(begun_); due + patience < now() && may_begin(due); due = due_of(begun_))
    {
        const float given_up = now();
        outcomes_.push_back({due, given_up, given_up, -1, false});
        ++begun_;
        ++answered;
    }
}

void play_stream::running::send(std::size_t index, float due)
{
    const auto n = begun_++;
    const auto asset = with_.assets == 2 ? (n % 2 == 0 ? "123" : "456") : "asset-" + std::to_string(n % with_.assets);
    const auto request = "POST /play/asset/" + asset + "/user/viewer-" + std::to_string(n % 10'000) +
                         " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
    auto& on = links_[index];
    on.due = due;
    on.sent = now();
    on.busy = true;
    ++busy_;
    if (::send(on.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        drop(index);
}

void play_stream::running::receive(std::size_t index)
{
    auto& from = links_[index];
    std::array<char, 16384> chunk; // NOLINT: filled by recv
    for (;;)
    {
        const auto size = ::recv(from.fd, chunk.data(), chunk.size(), 0);
        if (size < 0 && errno == EAGAIN)
            break;
        if (size <= 0)
            return drop(index);
        from.in.append(chunk.data(), static_cast<std::size_t>(size));
        if (static_cast<std::size_t>(size) < chunk.size())
            break;
    }
    const auto whole = answer_size(from.in).value_or(0); // without a length it is never whole
    if (whole == 0)
        return;
    const std::string_view answer(from.in.data(), whole);
    const bool played = answer.starts_with("HTTP/1.1 200 ");
    int status = 0;
    std::from_chars(answer.data() + 9, answer.data() + 12, status);
    const bool last = holds(answer, "\r\nConnection: close\r\n");
    if (from.busy)
        settle(from, status,
               played ? !holds(answer, "\"degraded\"")
                      : holds(answer, "\r\nRetry-After: ") && holds(answer, "application/problem+json"));
    from.in.clear(); // one request at a time: nothing follows
    if (last)
        drop(index);
    else if (status == 503 && with_.pause.count() > 0)
        pausing_.emplace_back(now() + std::chrono::duration<float>(with_.pause).count(), index);
    else
        free_.push_back(index);
}

void play_stream::running::enforce_limit()
{
    const auto time = clock::now();
    if (time < next_check_)
        return;
    if (with_.time.count() > 0 && now() > std::chrono::duration<float>(with_.time + with_.limit).count())
        ended_ = true; // plays that wait for a connection get none
    next_check_ = time + expiry_check;
    const auto oldest = now() - std::chrono::duration<float>(with_.limit).count();
    for (std::size_t i = 0; i < links_.size(); ++i)
        if (links_[i].busy && links_[i].sent < oldest)
            drop(i);
    for (const auto index : std::exchange(closed_, {})) // not at once, or an absent edge would keep the loop busy
        connect(index);
}

play_stream::play_stream(const play_stream_settings& with) : running_(std::make_unique<running>(with)) {}
play_stream::~play_stream() = default;

float play_stream::now() const { return running_->now(); }
std::uint64_t play_stream::answered() const { return running_->answered; }
void play_stream::stop() { running_->stopping = true; }
std::vector<play_outcome> play_stream::finish() { return running_->finish(); }

bool play_stream::wait_for_answers(std::uint64_t count, std::chrono::milliseconds patience) const
{
    auto seen = answered();
    auto since = clock::now();
    while (answered() < count && !running_->done)
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(1)); // polling interval
        if (answered() != seen)
        {
            seen = answered();
            since = clock::now();
        }
        else if (clock::now() - since > patience)
            return false;
    }
    return answered() >= count;
}

} // namespace marquee::test
