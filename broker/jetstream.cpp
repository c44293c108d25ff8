#include "broker/jetstream.hpp"

#include "broker/log.hpp"
#include "broker/planted_fault.hpp"
#include "schemas/event.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <ctime>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr std::uint64_t err_stream_not_found = 10059;
constexpr std::uint64_t err_stream_name_in_use = 10058;
constexpr std::uint64_t err_no_message = 10037;

/// Not enabled, on the server or for the account: waiting does not help.
constexpr bool is_no_jetstream(std::uint64_t err_code) { return err_code == 10039 || err_code == 10076; }

/// 10071 names the sequence found; newer servers also answer 10164, which does not.
constexpr bool is_wrong_sequence(std::uint64_t err_code) { return err_code == 10071 || err_code == 10164; }

/// A cluster that elects a leader: 10008 "temporarily unavailable", 10009 "not the leader". Nothing was stored.
constexpr bool is_leaderless(std::uint64_t err_code) { return err_code == 10008 || err_code == 10009; }

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

const json::object* object_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    return value != nullptr && value->is_object() ? &value->as_object() : nullptr;
}

stream_state state_in(const json::object& info)
{
    stream_state out;
    out.created = text_in(info, "created");
    if (const auto* state = object_in(info, "state"))
    {
        out.first_sequence = number_in(*state, "first_seq");
        out.last_sequence = number_in(*state, "last_seq");
        out.messages = number_in(*state, "messages");
        out.subjects = number_in(*state, "num_subjects");
    }
    if (const auto* config = object_in(info, "config"))
    {
        out.history = static_cast<std::uint32_t>(number_in(*config, "max_msgs_per_subject")); // -1 reads as 0
        out.declared_first = number_in(*config, "first_seq");
        if (const auto* metadata = object_in(*config, "metadata"))
            out.id = text_in(*metadata, stream_id_key);
    }
    return out;
}

/// RFC 3339 in UTC with up to nine digits of a second, as the server writes it.
std::optional<std::chrono::nanoseconds> read_time(const std::string& text)
{
    std::tm utc{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == nullptr)
        return std::nullopt;
    std::int64_t fraction = 0;
    if (*rest == '.')
    {
        int digits = 0;
        for (++rest; *rest >= '0' && *rest <= '9' && digits < 9; ++rest, ++digits)
            fraction = fraction * 10 + (*rest - '0');
        for (; digits < 9; ++digits)
            fraction *= 10;
    }
    if (std::string_view(rest) != "Z")
        return std::nullopt;
    return std::chrono::seconds(::timegm(&utc)) + std::chrono::nanoseconds(fraction);
}

result<settings_judgement> judge_info(const stream_config& wanted, const json::object& info)
{
    const auto* config = object_in(info, "config");
    if (config == nullptr)
        return fail(errc::malformed_reply, "JetStream answered a stream without its configuration");
    return judge_settings(wanted, *config);
}

/// The one setting that a start changes by itself. A stream without it is of use, so a failure is no more than a warning.
asio::awaitable<void> add_subjects(requester& nats, const stream_config& wanted, json::object config,
                                   const std::vector<std::string>& missing, deadline until)
{
    std::string names;
    for (const auto& one : missing)
    {
        config["subjects"].as_array().emplace_back(one);
        names += (names.empty() ? "" : ", ") + one;
    }
    const auto update = subject::of({"$JS", "API", "STREAM", "UPDATE", wanted.name});
    const auto changed = json::serialize(config);
    const auto done = co_await call_api(nats, update, changed, until);
    if (done.has_value() && done->err_code == 0)
        log(log_level::info, "subject added to the stream", {{"stream", wanted.name}, {"subject", names}});
    else
        log(log_level::warning, "the stream lacks a subject, which could not be added",
            {{"stream", wanted.name},
             {"subject", names},
             {"error", done.has_error() ? std::string(name_of(done.error().code)) : done->description}});
}

asio::awaitable<result<stream_state>> use_existing(requester& nats, const stream_config& wanted, json::object info,
                                                   deadline until)
{
    const auto judged = judge_info(wanted, info);
    if (judged.has_error())
        co_return judged.error();
    if (!judged->refused.empty())
        co_return fail(errc::bad_request, refusal_text(wanted.name, *judged));
    if (!judged->missing.empty())
        co_await add_subjects(nats, wanted, info.at("config").as_object(), judged->missing, until);
    co_return state_in(info);
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
        if (ack->error && is_leaderless(ack->error->err_code.value_or(0)))
            co_return fail(errc::no_responders, ack->error->description.value_or(""));
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

asio::awaitable<result<settings_judgement>> look_at_settings(requester& nats, stream_config wanted, deadline until)
{
    const auto where = subject::of({"$JS", "API", "STREAM", "INFO", wanted.name});
    const std::string nothing;
    const auto info = co_await call_api(nats, where, nothing, until);
    if (info.has_error())
        co_return info.error();
    if (info->err_code != 0)
        co_return fail(errc::unavailable, "stream " + wanted.name + ": " + info->description);
    co_return judge_info(wanted, info->body);
}

asio::awaitable<result<std::optional<stored_message>>> find_message(requester& nats, std::string stream, std::uint64_t sequence,
                                                                    deadline until)
{
    const auto where = subject::of({"$JS", "API", "STREAM", "MSG", "GET", stream});
    const auto which = "{\"seq\":" + std::to_string(sequence) + '}';
    const auto found = co_await call_api(nats, where, which, until);
    if (found.has_error())
        co_return found.error();
    if (found->err_code == err_no_message)
        co_return std::optional<stored_message>();
    if (found->err_code != 0)
        co_return fail(errc::unavailable, "stream " + stream + ": " + found->description);
    const auto* body = object_in(found->body, "message");
    const auto time = body == nullptr ? std::nullopt : read_time(text_in(*body, "time"));
    if (!time)
        co_return fail(errc::malformed_reply, "JetStream answered a message without its time");
    stored_message out;
    out.subject = text_in(*body, "subject");
    out.sequence = number_in(*body, "seq");
    out.timestamp = *time;
    co_return std::optional(std::move(out));
}

asio::awaitable<result<stream_state>> ensure_stream(requester& nats, stream_config wanted, deadline until)
{
    const auto info_subject = subject::of({"$JS", "API", "STREAM", "INFO", wanted.name});
    const auto create_subject = subject::of({"$JS", "API", "STREAM", "CREATE", wanted.name});
    const auto config = json::serialize(creation_config(wanted, make_ulid(std::chrono::system_clock::now())));
    const std::string nothing;
    for (int attempt = 0;; ++attempt)
    {
        auto info = co_await call_api(nats, info_subject, nothing, until);
        if (info.has_error())
            co_return info.error();
        if (info->err_code == 0)
            co_return co_await use_existing(nats, wanted, std::move(info->body), until);
        if (info->err_code != err_stream_not_found)
            co_return fail(is_no_jetstream(info->err_code) ? errc::bad_request : errc::unavailable,
                           "stream " + wanted.name + ": " + info->description);

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
