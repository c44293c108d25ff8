#include "broker/jetstream/streams.hpp"

#include "broker/base/log.hpp"
#include "broker/jetstream/jetstream_api.hpp"
#include "schemas/ulid.hpp"

#include <boost/json/serialize.hpp>

namespace marquee
{

namespace json = boost::json;

namespace
{

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
        out.replicas = number_in(*config, "num_replicas");
        if (const auto* metadata = object_in(*config, "metadata"))
            out.id = text_in(*metadata, stream_id_key);
    }
    return out;
}

result<settings_judgement> judge_info(const stream_config& wanted, const json::object& info)
{
    const auto* config = object_in(info, "config");
    if (config == nullptr)
        return fail(errc::malformed_reply, "JetStream answered a stream without its configuration");
    return judge_settings(wanted, *config);
}

/// The only setting that a start changes. A stream without it can be used, so a failure is a
/// warning.
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
    const auto done = co_await call_jetstream(nats, update, changed, until);
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

asio::awaitable<result<stream_state>> find_stream(requester& nats, std::string name, deadline until)
{
    auto where = subject::of({"$JS", "API", "STREAM", "INFO", name});
    std::string nothing;
    auto info = co_await call_jetstream(nats, where, nothing, until);
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
    const auto info = co_await call_jetstream(nats, where, nothing, until);
    if (info.has_error())
        co_return info.error();
    if (info->err_code != 0)
        co_return fail(errc::unavailable, "stream " + wanted.name + ": " + info->description);
    co_return judge_info(wanted, info->body);
}

asio::awaitable<result<stream_state>> ensure_stream(requester& nats, stream_config wanted, deadline until)
{
    const auto info_subject = subject::of({"$JS", "API", "STREAM", "INFO", wanted.name});
    const auto create_subject = subject::of({"$JS", "API", "STREAM", "CREATE", wanted.name});
    const auto config = json::serialize(creation_config(wanted, make_ulid(std::chrono::system_clock::now())));
    const std::string nothing;
    for (int attempt = 0;; ++attempt)
    {
        auto info = co_await call_jetstream(nats, info_subject, nothing, until);
        if (info.has_error())
            co_return info.error();
        if (info->err_code == 0)
            co_return co_await use_existing(nats, wanted, std::move(info->body), until);
        if (info->err_code != js_error::stream_not_found)
            co_return fail(js_error::is_no_jetstream(info->err_code) ? errc::bad_request : errc::unavailable,
                           "stream " + wanted.name + ": " + info->description);

        auto made = co_await call_jetstream(nats, create_subject, config, until);
        if (made.has_error())
            co_return made.error();
        if (made->err_code == 0)
            co_return state_in(made->body);
        // Another instance was faster, with its own settings: judge them.
        if (made->err_code != js_error::stream_name_in_use || attempt > 0)
            co_return fail(errc::unavailable, "stream " + wanted.name + " cannot be created: " + made->description);
    }
}

} // namespace marquee
