// The JetStream API ($JS.API.>): JSON over plain requests, because nats.c's js_* calls block.
#pragma once

#include "broker/nats/requester.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

/// What the server names in `err_code`.
namespace js_error
{

inline constexpr std::uint64_t message_not_found = 10037;
inline constexpr std::uint64_t stream_name_in_use = 10058;
inline constexpr std::uint64_t stream_not_found = 10059;

/// JetStream is not enabled, on the server or for the account: waiting does not help.
constexpr bool is_no_jetstream(std::uint64_t err_code) { return err_code == 10039 || err_code == 10076; }

/// Another last sequence than expected. Newer servers also answer 10164.
constexpr bool is_wrong_sequence(std::uint64_t err_code) { return err_code == 10071 || err_code == 10164; }

/// A cluster elects a leader: "temporarily unavailable", "not the leader". Nothing was stored.
constexpr bool is_leaderless(std::uint64_t err_code) { return err_code == 10008 || err_code == 10009; }

} // namespace js_error

/// An answer of the JetStream API.
struct js_reply
{
    boost::json::object body;
    std::uint64_t err_code = 0; ///< 0: no error
    std::string description;    ///< of the error

    [[nodiscard]] bool failed() const noexcept { return err_code != 0; }
};

/// Sends `payload` to `$JS.API.<...>` and reads the object in the reply. An error that JetStream
/// reports is a js_reply with an err_code. Fails as requester::request does, and with
/// malformed_reply where the reply is no JSON object.
[[nodiscard]] asio::awaitable<result<js_reply>> call_jetstream(requester& nats, subject to, std::string payload,
                                                               deadline until);

/// Members of an answer. One that is absent, or of another kind, reads as 0, "" or null.
[[nodiscard]] std::uint64_t number_in(const boost::json::object& in, std::string_view name);
[[nodiscard]] std::string text_in(const boost::json::object& in, std::string_view name);
[[nodiscard]] const boost::json::object* object_in(const boost::json::object& in, std::string_view name);

} // namespace marquee
