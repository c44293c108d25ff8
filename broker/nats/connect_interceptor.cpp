// glibc would define recv() as an inline function.
#undef _FORTIFY_SOURCE

#include "broker/nats/connect_interceptor.hpp"

#include "broker/nats/nats_c.hpp"

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

constexpr std::size_t max_info_bytes = 64 << 10; // nats.c accepts half of it

thread_local connect_interceptor* interceptor_of_thread = nullptr;
std::atomic<bool> threads_blocked{false};

template <class F>
F* next_symbol(const char* name) noexcept
{
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

int library_connect(int fd, const sockaddr* to, socklen_t size) noexcept
{
    static auto* const real = next_symbol<int(int, const sockaddr*, socklen_t)>("connect");
    return real(fd, to, size);
}

int library_getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept
{
    static auto* const real = next_symbol<int(int, int, int, void*, socklen_t*)>("getsockopt");
    return real(fd, level, name, value, size);
}

ssize_t library_recv(int fd, void* buffer, std::size_t size, int flags) noexcept
{
    static auto* const real = next_symbol<ssize_t(int, void*, std::size_t, int)>("recv");
    return real(fd, buffer, size, flags);
}

int library_ssl_read(SSL* tls, void* buffer, int size) noexcept
{
    static auto* const real = next_symbol<int(SSL*, void*, int)>("SSL_read");
    return real(tls, buffer, size);
}

} // namespace

connect_interceptor::scope::scope(connect_interceptor& by) noexcept { interceptor_of_thread = &by; }

connect_interceptor::scope::~scope() { interceptor_of_thread = nullptr; }

connect_interceptor::~connect_interceptor()
{
    if (socket_ >= 0)
        ::close(socket_);
}

void connect_interceptor::abort() noexcept
{
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    if (socket_ >= 0)
        ::shutdown(socket_, SHUT_RDWR);
}

bool connect_interceptor::resolved() const
{
    const std::lock_guard lock(mutex_);
    return socket_ >= 0;
}

std::string connect_interceptor::info() const
{
    const std::lock_guard lock(mutex_);
    return info_;
}

std::string connect_interceptor::failure() const
{
    const std::lock_guard lock(mutex_);
    return failure_;
}

/// With mutex_ held. Keeps the first: later errors are its consequences.
void connect_interceptor::set_failure(std::string_view why)
{
    if (failure_.empty())
        failure_ = why;
}

int connect_interceptor::connect(int fd, const sockaddr* to, socklen_t size) noexcept
{
    while (threads_blocked)
        ::pause();
    {
        const std::lock_guard lock(mutex_);
        // After INFO nats.c goes on to the servers it names; an attempt is for one server.
        if (aborted_ || !info_.empty())
        {
            set_failure(nats_error_text());
            errno = ECANCELED;
            return -1;
        }
        if (socket_ >= 0)
            ::close(socket_);
        socket_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (socket_ < 0)
        {
            const int why = errno;
            set_failure(std::system_category().message(why));
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

int connect_interceptor::getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept
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

ssize_t connect_interceptor::recv(int fd, void* buffer, std::size_t size, int flags) noexcept
{
    if (aborted_)
        return 0;
    const auto got = library_recv(fd, buffer, size, flags);
    if (got <= 0)
        return got;
    keep_info({static_cast<const char*>(buffer), static_cast<std::size_t>(got)});
    return got;
}

/// INFO is the first line of a server, before the TLS handshake or after it.
void connect_interceptor::keep_info(std::string_view part)
{
    const std::lock_guard lock(mutex_);
    const bool whole = !info_.empty() && info_.back() == '\n';
    if (!whole && info_.size() < max_info_bytes)
        info_ += part.substr(0, part.find('\n') == std::string_view::npos ? part.size() : part.find('\n') + 1);
}

int connect_interceptor::ssl_read(ssl_st* tls, void* buffer, int size) noexcept
{
    if (aborted_)
        return 0;
    const int got = library_ssl_read(tls, buffer, size);
    if (got > 0)
    {
        keep_info({static_cast<const char*>(buffer), static_cast<std::size_t>(got)});
        return got;
    }
    const int kind = ::SSL_get_error(tls, got);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return got;
    const char* reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    ::ERR_clear_error();
    const std::lock_guard lock(mutex_);
    if (reason != nullptr)
        set_failure(std::string("TLS: ") + reason);
    return 0; // looks like an orderly end: after a failure nats.c (3.4.1) reads again, for ever
}

std::string nats_error_text()
{
    const char* last = nats_GetLastError(nullptr);
    std::string_view text = last != nullptr ? last : "";
    if (const auto place = text.find("): "); text.starts_with('(') && place != std::string_view::npos)
        text.remove_prefix(place + 3);
    return std::string(text);
}

void block_intercepted_threads() noexcept { threads_blocked = true; }

} // namespace marquee::detail

// Defined in the program, these are found before those of the libraries.
extern "C"
{
    int connect(int fd, const sockaddr* to, socklen_t size)
    {
        auto* by = marquee::detail::interceptor_of_thread;
        return by != nullptr ? by->connect(fd, to, size) : marquee::detail::library_connect(fd, to, size);
    }

    int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept
    {
        auto* by = marquee::detail::interceptor_of_thread;
        return by != nullptr ? by->getsockopt(fd, level, name, value, size)
                             : marquee::detail::library_getsockopt(fd, level, name, value, size);
    }

    ssize_t recv(int fd, void* buffer, std::size_t size, int flags)
    {
        auto* by = marquee::detail::interceptor_of_thread;
        return by != nullptr ? by->recv(fd, buffer, size, flags)
                             : marquee::detail::library_recv(fd, buffer, size, flags);
    }

    int SSL_read(SSL* tls, void* buffer, int size) // NOLINT(readability-identifier-naming)
    {
        auto* by = marquee::detail::interceptor_of_thread;
        return by != nullptr ? by->ssl_read(tls, buffer, size) : marquee::detail::library_ssl_read(tls, buffer, size);
    }
}
