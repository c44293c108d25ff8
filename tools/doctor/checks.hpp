// The checks of marquee-doctor. Each adds what it finds; none changes anything. Those that ask the
// broker run on the connection's io thread, take at most the time of their requests, and never
// fail: no answer is a finding.
#pragma once

#include "broker/nats/connection.hpp"
#include "tools/doctor/finding.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace marquee::doctor
{

/// The connection, and how long a request may take. Outlives the checks.
struct broker_access
{
    connection& nats;
    std::chrono::milliseconds timeout{2000};
};

/// A server's version as it writes it.
void check_version(const std::string& text, findings& into);

/// How full an account is, by the answer to $JS.API.INFO.
void check_account(const boost::json::object& account, findings& into);

/// The leader and the copies of a stream, by the answer to $JS.API.STREAM.INFO.
void check_replicas(const std::string& stream, const boost::json::object& info, findings& into);

/// What an instance of a service says of itself.
struct instance
{
    std::string name; ///< of the service
    std::string version;
    std::string rule;  ///< of counting; empty: it does not say
    std::string alarm; ///< why it does not serve
    std::optional<bool> serving;
    std::uint64_t lag = 0;
    bool old = false; ///< of reporting: counts no messages of several events
};

using instances = std::map<std::string, instance>; ///< by id

/// The instances of service `name` among all.
void check_instances(const std::string& name, const instances& all, findings& into);

/// The server's version, the round trip, JetStream and the account's limits.
[[nodiscard]] asio::awaitable<void> check_broker(broker_access& of, findings& into);

/// Streams EVENTS, KV_metadata and KV_cdnurl: whether they are there, their settings, how full they
/// are, their replicas; and the broker's clock by their answers.
[[nodiscard]] asio::awaitable<void> check_streams(broker_access& of, findings& into);

/// The instances of metadata, cdnurl and reporting: whether each answers a request, versions, rules
/// of counting, and what they report of themselves (ADR-32).
[[nodiscard]] asio::awaitable<void> check_services(broker_access& of, findings& into);

/// The users of broker/nats-server/secure.conf whose seeds `folder` has, `USER.nk` each: whether
/// the broker at `how` knows them, answers a request that each may make, and refuses one that it
/// may not; and whether it refuses who has no credentials. Blocks: connects as each of them, on a
/// loop of its own, and takes about `timeout` where one gets no answer. Logs errors only from then
/// on.
void check_users(const connection_options& how, const std::string& folder, std::chrono::milliseconds timeout,
                 findings& into);

/// The file descriptors of the edges and servers that run on this machine (proc(5)).
void check_open_files(findings& into, const std::string& proc = "/proc");

/// The free space of the file system that holds `folder`.
void check_disk(const std::string& folder, findings& into);

/// `free` bytes of `all` in the file system that holds `folder`.
void check_space(const std::string& folder, std::uint64_t free, std::uint64_t all, findings& into);

/// The broker's clock, by the time in an answer (RFC 3339) that was made between `begin` and `end`
/// by this machine's.
void check_clock(std::string_view by_server, std::chrono::system_clock::time_point begin,
                 std::chrono::system_clock::time_point end, findings& into);

/// The verdict on how full something is; nothing is added below 80 %.
void add_fullness(findings& into, const std::string& about, const std::string& what, std::uint64_t used,
                  std::uint64_t limit, const std::string& cure);

} // namespace marquee::doctor
