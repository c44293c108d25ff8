// Observes what nats.c does on the wire during natsConnection_Connect, and can end it.
//
// nats.c (3.4.1) has timeouts for TCP and for INFO, but neither for the TLS handshake nor for the
// first PONG: there it blocks, or reads again for ever after any error but an orderly end, with a
// buffer that grows. It shows its socket only once it is connected. So our programs define the
// functions through which every version of nats.c reaches the wire (connect, recv, SSL_read), and
// the one by which it learns of a connect that failed later (getsockopt). nats.c imports them, and
// the dynamic linker resolves them to the program's. Calls of an intercepted thread are recorded;
// all others are passed on. nats.c itself is not modified.
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

/// Observes one natsConnection_Connect to one server. Thread-safe: shared by the thread that
/// connects and the one that waits for it.
class connect_interceptor
{
public:
    /// Intercepts the calls of the constructing thread during its lifetime.
    class scope
    {
    public:
        explicit scope(connect_interceptor& by) noexcept;
        ~scope();
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
    };

    connect_interceptor() = default;
    ~connect_interceptor();
    connect_interceptor(const connect_interceptor&) = delete;
    connect_interceptor& operator=(const connect_interceptor&) = delete;

    /// Shuts the socket down and makes every further call fail. natsConnection_Connect returns
    /// soon, unless it resolves a name: only libc ends that.
    void abort() noexcept;

    /// Returns whether the server's name was resolved.
    [[nodiscard]] bool resolved() const;

    /// The INFO line, as much of it as has arrived.
    [[nodiscard]] std::string info() const;

    /// The first error of the operating system, OpenSSL or nats.c; empty if there was none.
    [[nodiscard]] std::string failure() const;

    // The intercepted calls, on the intercepted thread.
    int connect(int fd, const sockaddr* to, socklen_t size) noexcept;
    int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept;
    ssize_t recv(int fd, void* buffer, std::size_t size, int flags) noexcept;
    int ssl_read(ssl_st* tls, void* buffer, int size) noexcept;

private:
    void set_failure(std::string_view why);
    void keep_info(std::string_view part);

    mutable std::mutex mutex_;
    std::atomic<bool> aborted_{false};
    int socket_ = -1; ///< a dup: nats.c may close its own at any time, and the number may be used again
    std::string info_;
    std::string failure_;
};

/// The last error text of nats.c on this thread, without its source location; empty if there is
/// none.
[[nodiscard]] std::string nats_error_text();

/// Makes intercepted threads wait for ever at their next connect(): for a process that exits while
/// a name is being resolved.
void block_intercepted_threads() noexcept;

} // namespace marquee::detail
