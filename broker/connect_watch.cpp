// With it glibc has recv() as an inline function.
#undef _FORTIFY_SOURCE

#include "broker/connect_watch.hpp"

#include "broker/nats_c.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

namespace marquee::detail
{

namespace
{

constexpr std::size_t longest_info = 64 << 10; // nats.c takes half of it

thread_local connect_watch* watch_of_thread = nullptr;
std::atomic<bool> held{false};

template <class F>
F* of_the_library(const char* name) noexcept
{
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

int library_connect(int fd, const sockaddr* to, socklen_t size) noexcept
{
    static auto* const real = of_the_library<int(int, const sockaddr*, socklen_t)>("connect");
    return real(fd, to, size);
}

int library_getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept
{
    static auto* const real = of_the_library<int(int, int, int, void*, socklen_t*)>("getsockopt");
    return real(fd, level, name, value, size);
}

ssize_t library_recv(int fd, void* buffer, std::size_t size, int flags) noexcept
{
    static auto* const real = of_the_library<ssize_t(int, void*, std::size_t, int)>("recv");
    return real(fd, buffer, size, flags);
}

int library_ssl_read(SSL* tls, void* buffer, int size) noexcept
{
    static auto* const real = of_the_library<int(SSL*, void*, int)>("SSL_read");
    return real(tls, buffer, size);
}

} // namespace

connect_watch::scope::scope(connect_watch& watched) noexcept { watch_of_thread = &watched; }

connect_watch::scope::~scope() { watch_of_thread = nullptr; }

connect_watch::~connect_watch()
{
    if (socket_ >= 0)
        ::close(socket_);
}

void connect_watch::cut() noexcept
{
    const std::lock_guard lock(mutex_);
    cut_ = true;
    if (socket_ >= 0)
        ::shutdown(socket_, SHUT_RDWR);
}

bool connect_watch::dialled() const
{
    const std::lock_guard lock(mutex_);
    return socket_ >= 0;
}

std::string connect_watch::info() const
{
    const std::lock_guard lock(mutex_);
    return info_;
}

std::string connect_watch::failure() const
{
    const std::lock_guard lock(mutex_);
    return failure_;
}

/// With mutex_. The first cause counts: what follows it is only its consequence.
void connect_watch::note(std::string_view why)
{
    if (failure_.empty())
        failure_ = why;
}

int connect_watch::connect(int fd, const sockaddr* to, socklen_t size) noexcept
{
    while (held)
        ::pause();
    {
        const std::lock_guard lock(mutex_);
        // After an INFO nats.c goes on to the servers that it named: an attempt is for one.
        if (cut_ || !info_.empty())
        {
            note(nats_error_text());
            errno = ECANCELED;
            return -1;
        }
        if (socket_ >= 0)
            ::close(socket_);
        socket_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (socket_ < 0)
        {
            const int why = errno;
            note(std::system_category().message(why));
            errno = why;
            return -1;
        }
    }
    const int outcome = library_connect(fd, to, size);
    const int why = errno;
    if (outcome != 0 && why != EINPROGRESS)
    {
        const std::lock_guard lock(mutex_);
        failure_ = std::system_category().message(why); // of the last of its addresses
    }
    errno = why;
    return outcome;
}

int connect_watch::socket_option(int fd, int level, int name, void* value, socklen_t* size) noexcept
{
    const int outcome = library_getsockopt(fd, level, name, value, size);
    int problem = 0;
    if (outcome == 0 && level == SOL_SOCKET && name == SO_ERROR && *size == sizeof problem)
        std::memcpy(&problem, value, sizeof problem);
    if (problem != 0)
    {
        const std::lock_guard lock(mutex_);
        failure_ = std::system_category().message(problem); // of the last of its addresses
    }
    return outcome;
}

ssize_t connect_watch::receive(int fd, void* buffer, std::size_t size, int flags) noexcept
{
    if (cut_)
        return 0;
    const auto got = library_recv(fd, buffer, size, flags);
    if (got <= 0)
        return got;
    const std::lock_guard lock(mutex_);
    const bool whole = !info_.empty() && info_.back() == '\n';
    if (!whole && info_.size() < longest_info)
    {
        const std::string_view part(static_cast<const char*>(buffer), static_cast<std::size_t>(got));
        info_ += part.substr(0, part.find('\n') == std::string_view::npos ? part.size() : part.find('\n') + 1);
    }
    return got;
}

int connect_watch::read_tls(ssl_st* tls, void* buffer, int size) noexcept
{
    if (cut_)
        return 0;
    const int got = library_ssl_read(tls, buffer, size);
    if (got > 0)
        return got;
    const int kind = ::SSL_get_error(tls, got);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return got;
    const char* reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    ::ERR_clear_error();
    const std::lock_guard lock(mutex_);
    if (reason != nullptr)
        note(std::string("TLS: ") + reason);
    return 0; // an orderly end: after a failure nats.c (3.4.1) would read again, for ever
}

std::string nats_error_text()
{
    const char* said = nats_GetLastError(nullptr);
    std::string_view text = said != nullptr ? said : "";
    if (const auto place = text.find("): "); text.starts_with('(') && place != std::string_view::npos)
        text.remove_prefix(place + 3);
    return std::string(text);
}

void hold_watched_threads() noexcept { held = true; }

} // namespace marquee::detail

// The programs' own, ahead of the libraries'. GCC's headers declare them.
extern "C"
{
    int connect(int fd, const sockaddr* to, socklen_t size)
    {
        auto* watch = marquee::detail::watch_of_thread;
        return watch != nullptr ? watch->connect(fd, to, size) : marquee::detail::library_connect(fd, to, size);
    }

    int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept
    {
        auto* watch = marquee::detail::watch_of_thread;
        return watch != nullptr ? watch->socket_option(fd, level, name, value, size)
                                : marquee::detail::library_getsockopt(fd, level, name, value, size);
    }

    ssize_t recv(int fd, void* buffer, std::size_t size, int flags)
    {
        auto* watch = marquee::detail::watch_of_thread;
        return watch != nullptr ? watch->receive(fd, buffer, size, flags)
                                : marquee::detail::library_recv(fd, buffer, size, flags);
    }

    int SSL_read(SSL* tls, void* buffer, int size) // NOLINT(readability-identifier-naming)
    {
        auto* watch = marquee::detail::watch_of_thread;
        return watch != nullptr ? watch->read_tls(tls, buffer, size) : marquee::detail::library_ssl_read(tls, buffer, size);
    }
}
