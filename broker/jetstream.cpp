#include "broker/jetstream.hpp"

#include "broker/log.hpp"
#include "broker/planted_fault.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr std::uint64_t err_stream_not_found = 10059;
constexpr std::uint64_t err_stream_name_in_use = 10058;

/// 10071 names the sequence found; newer servers also answer 10164, which does not.
constexpr bool is_wrong_sequence(std::uint64_t err_code) { return err_code == 10071 || err_code == 10164; }

asio::awaitable<void> pause(std::chrono::milliseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await timer.async_wait(token);
}

/// A reply of the JetStream API, or the failure in it.
struct api_reply
{
    json::object body;
    std::uint64_t err_code = 0; ///< 0: no error
    std::string description;
};

asio::awaitable<result<api_reply>> call_api(requester& nats, subject to, std::string payload, deadline until)
{
    header_list none;
    auto pending = nats.request(to, payload, none, until);
    auto reply = co_await pending.receive();
    if (reply.has_error())
        co_return reply.error();
    boost::system::error_code ec;
    auto parsed = json::parse(reply->data, ec);
    if (ec || !parsed.is_object())
        co_return fail(errc::malformed_reply, "JetStream answered no JSON object");
    api_reply out;
    out.body = std::move(parsed.as_object());
    if (const auto* failure = out.body.if_contains("error"); failure != nullptr && failure->is_object())
    {
        const auto& e = failure->as_object();
        const auto* code = e.if_contains("err_code");
        out.err_code = code != nullptr && code->is_int64() ? static_cast<std::uint64_t>(code->as_int64()) : 1;
        if (const auto* text = e.if_contains("description"); text != nullptr && text->is_string())
            out.description = text->as_string();
    }
    co_return out;
}

std::uint64_t number_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    if (value == nullptr || value->is_double())
        return 0;
    boost::system::error_code ec;
    auto number = value->to_number<std::uint64_t>(ec);
    return ec ? 0 : number;
}

std::string text_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

stream_state state_in(const json::object& info)
{
    stream_state out;
    out.created = text_in(info, "created");
    if (const auto* state = info.if_contains("state"); state != nullptr && state->is_object())
    {
        out.first_sequence = number_in(state->as_object(), "first_seq");
        out.last_sequence = number_in(state->as_object(), "last_seq");
        out.messages = number_in(state->as_object(), "messages");
        out.subjects = number_in(state->as_object(), "num_subjects");
    }
    if (const auto* config = info.if_contains("config"); config != nullptr && config->is_object())
        out.history = static_cast<std::uint32_t>(number_in(config->as_object(), "max_msgs_per_subject")); // -1 reads as 0
    return out;
}

json::object config_of(const stream_config& wanted)
{
    json::object config{{"name", wanted.name},
                        {"subjects", json::array{json::string(wanted.subject)}},
                        {"retention", "limits"},
                        {"storage", "file"},
                        {"discard", "new"},
                        {"num_replicas", wanted.replicas},
                        {"duplicate_window", wanted.duplicate_window.count()},
                        {"max_age", wanted.max_age.count()},
                        {"max_bytes", wanted.max_bytes},
                        {"max_msgs", -1},
                        {"max_consumers", -1},
                        {"max_msgs_per_subject", wanted.key_value ? 1 : -1},
                        {"max_msg_size", -1}};
    if (wanted.key_value)
    {
        config["allow_rollup_hdrs"] = true;
        config["deny_delete"] = true;
        config["allow_direct"] = true;
    }
    return config;
}

/// Settings that change what a view means: with another value the stream cannot be used.
constexpr const char* must_match[] = {"subjects", "retention",           "storage", "discard", "max_age",
                                      "max_msgs", "max_msgs_per_subject"};
/// Settings of an operator's choice: with another value the stream is used as it is.
constexpr const char* may_differ[] = {"num_replicas", "max_bytes", "duplicate_window"};

template <std::size_t N>
std::string differences(const json::object& wanted, const json::object& found, const char* const (&names)[N])
{
    std::string list;
    for (const char* name : names)
    {
        const auto* there = found.if_contains(name);
        if (there == nullptr || *there != wanted.at(name))
            list += (list.empty() ? "" : ", ") + std::string(name) + ": wanted " + json::serialize(wanted.at(name)) + ", found " +
                    (there == nullptr ? "nothing" : json::serialize(*there));
    }
    return list;
}

result<stream_state> use_existing(const stream_config& wanted, const json::object& info)
{
    const auto* found = info.if_contains("config");
    if (found == nullptr || !found->is_object())
        return fail(errc::malformed_reply, "JetStream answered a stream without its configuration");
    const auto config = config_of(wanted);
    if (auto list = differences(config, found->as_object(), must_match); !list.empty())
        return fail(errc::bad_request, "stream " + wanted.name + " exists with other settings: " + list);
    if (auto list = differences(config, found->as_object(), may_differ); !list.empty())
        log(log_level::warning, "stream is used with its own settings", {{"stream", wanted.name}, {"differences", list}});
    return state_in(info);
}

} // namespace

asio::awaitable<result<stored_event>> publish_stored(requester& nats, subject to, std::string payload, std::string message_id,
                                                     deadline until, header_list headers)
{
    if (!message_id.empty() && !planted("no_message_id"))
        headers.set(names::header_msg_id, message_id);
    for (;;)
    {
        auto pending = nats.request(to, payload, headers, until);
        if (planted("ack_before_stored"))
            co_return stored_event{1, false};
        auto reply = co_await pending.receive();
        if (reply.has_error())
            co_return reply.error();
        auto ack = decode_reply<pub_ack>(reply->data);
        if (ack.has_error())
            co_return ack.error();
        if (ack->error && is_wrong_sequence(ack->error->err_code.value_or(0)))
            co_return fail(errc::revision_mismatch, ack->error->description.value_or(""));
        if (ack->error)
            co_return fail(errc::unavailable, ack->error->description.value_or("JetStream refused the message"));
        if (ack->seq.value_or(0) > 0 || planted("ack_without_sequence"))
        {
            stored_event stored;
            stored.sequence = ack->seq.value_or(0);
            stored.duplicate = ack->duplicate.value_or(false);
            co_return stored;
        }
        if (message_id.empty() || !ack->duplicate.value_or(false))
            co_return fail(errc::malformed_reply, "an acknowledgement without a sequence");
        // A cluster says "duplicate" without a sequence while the first copy is under way, and that copy may never be stored.
        co_await pause(std::chrono::milliseconds(20));
    }
}

asio::awaitable<result<stream_state>> find_stream(requester& nats, std::string name, deadline until)
{
    auto where = subject::of({"$JS", "API", "STREAM", "INFO", name});
    std::string nothing;
    auto info = co_await call_api(nats, where, nothing, until);
    if (info.has_error())
        co_return info.error();
    if (info->err_code != 0)
        co_return fail(errc::unavailable, "stream " + name + ": " + info->description);
    co_return state_in(info->body);
}

asio::awaitable<result<stream_state>> ensure_stream(requester& nats, stream_config wanted, deadline until)
{
    const auto info_subject = subject::of({"$JS", "API", "STREAM", "INFO", wanted.name});
    const auto create_subject = subject::of({"$JS", "API", "STREAM", "CREATE", wanted.name});
    const auto config = json::serialize(config_of(wanted));
    const std::string nothing;
    for (int attempt = 0;; ++attempt)
    {
        auto info = co_await call_api(nats, info_subject, nothing, until);
        if (info.has_error())
            co_return info.error();
        if (info->err_code == 0)
            co_return use_existing(wanted, info->body);
        if (info->err_code != err_stream_not_found)
            co_return fail(errc::unavailable, "stream " + wanted.name + ": " + info->description);

        auto made = co_await call_api(nats, create_subject, config, until);
        if (made.has_error())
            co_return made.error();
        if (made->err_code == 0)
            co_return state_in(made->body);
        // Another instance was faster, with settings of its own: look at them.
        if (made->err_code != err_stream_name_in_use || attempt > 0)
            co_return fail(errc::unavailable, "stream " + wanted.name + " cannot be created: " + made->description);
    }
}

} // namespace marquee
