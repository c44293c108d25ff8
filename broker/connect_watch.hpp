// What nats.c does on the wire while natsConnection_Connect blocks, and an end to it.
//
// nats.c (3.4.1) bounds TCP and the wait for INFO, but neither the TLS handshake nor the wait for the
// first PONG: there it blocks, or asks again for ever after any error but an orderly end, with a buffer
// that grows. It shows its socket only once it is connected. So the programs define the calls through
// which every version of it reaches the wire (connect, recv, SSL_read), and the one by which it learns
// of a connect that failed later (getsockopt). nats.c imports them, and the dynamic linker takes the
// program's first. A watched thread's calls are noted, all others only pass on; nothing of nats.c's own
// is touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/types.h>

struct ssl_st;

namespace marquee::detail
{

/// Watches one natsConnection_Connect to one server. Shared between the thread that connects and the one that watches.
class connect_watch
{
public:
    /// The calls of the constructing thread are watched as long as it lives.
    class scope
    {
    public:
        explicit scope(connect_watch& watched) noexcept;
        ~scope();
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
    };

    connect_watch() = default;
    ~connect_watch();
    connect_watch(const connect_watch&) = delete;
    connect_watch& operator=(const connect_watch&) = delete;

    /// Shuts the socket down; whatever nats.c tries next fails. It returns soon, but for the resolution
    /// of a name, which only libc ends. Any thread.
    void cut() noexcept;

    /// An address of the server was known.
    [[nodiscard]] bool dialled() const;

    /// The INFO line, as far as it has come.
    [[nodiscard]] std::string info() const;

    /// What the operating system, OpenSSL or nats.c said first; empty where nobody said anything.
    [[nodiscard]] std::string failure() const;

    // The calls, on the watched thread.
    int connect(int fd, const sockaddr* to, socklen_t size) noexcept;
    int socket_option(int fd, int level, int name, void* value, socklen_t* size) noexcept;
    ssize_t receive(int fd, void* buffer, std::size_t size, int flags) noexcept;
    int read_tls(ssl_st* tls, void* buffer, int size) noexcept;

private:
    void note(std::string_view why);

    mutable std::mutex mutex_;
    std::atomic<bool> cut_{false};
    int socket_ = -1; ///< a dup: nats.c may close its own at any time, and another thread get the number
    std::string info_;
    std::string failure_;
};

/// What the library said last on this thread, without the place in its source; empty where it said nothing.
[[nodiscard]] std::string nats_error_text();

/// From now on a watched thread that would connect waits for ever: for a process that ends while a name
/// is still being resolved.
void hold_watched_threads() noexcept;

} // namespace marquee::detail
