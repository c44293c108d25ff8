#include "broker/jetstream/stream_lookup.hpp"

#include "broker/jetstream/jetstream_api.hpp"
#include "broker/jetstream/server_time.hpp"

#include <boost/json/serialize.hpp>

#include <openssl/evp.h>

namespace marquee
{

namespace json = boost::json;

namespace
{

/// Base64 with padding (RFC 4648 section 4); nothing where the text is none.
std::optional<std::string> decode_base64(std::string_view text)
{
    std::string out(text.size() / 4 * 3, '\0');
    const auto size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (text.size() % 4 != 0 || size < 0)
        return std::nullopt;
    const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

/// STREAM.MSG.GET; none where no such message exists.
asio::awaitable<result<std::optional<stored_message>>> get_message(requester& nats, std::string stream,
                                                                   json::object which, deadline until)
{
    const auto to = subject::of({"$JS", "API", "STREAM", "MSG", "GET", stream});
    const auto payload = json::serialize(which);
    const auto reply = co_await call_jetstream(nats, to, payload, until);
    if (reply.has_error())
        co_return reply.error();
    if (reply->err_code == js_error::message_not_found)
        co_return std::optional<stored_message>();
    if (reply->failed())
        co_return fail(errc::unavailable, "stream " + stream + ": " + reply->description);
    const auto* found = object_in(reply->body, "message");
    const auto time = found == nullptr ? std::nullopt : parse_server_time(text_in(*found, "time"));
    auto data = found == nullptr ? std::nullopt : decode_base64(text_in(*found, "data"));
    if (!time || !data || number_in(*found, "seq") == 0)
        co_return fail(errc::malformed_reply, "JetStream answered a message without its sequence, time and data");
    stored_message out;
    out.subject = text_in(*found, "subject");
    out.data = std::move(*data);
    out.sequence = number_in(*found, "seq");
    out.timestamp = *time;
    co_return std::optional(std::move(out));
}

} // namespace

asio::awaitable<result<std::optional<stored_message>>> find_message(requester& nats, std::string stream,
                                                                    std::uint64_t sequence, deadline until)
{
    json::object which{{"seq", sequence}};
    auto getting = get_message(nats, std::move(stream), std::move(which), until);
    co_return co_await std::move(getting);
}

asio::awaitable<result<std::optional<stream_position>>> find_last(requester& nats, std::string stream,
                                                                  std::string on_subject, deadline until)
{
    json::object which{{"last_by_subj", std::move(on_subject)}};
    auto getting = get_message(nats, std::move(stream), std::move(which), until);
    const auto found = co_await std::move(getting);
    if (found.has_error())
        co_return found.error();
    if (!*found)
        co_return std::optional<stream_position>();
    co_return std::optional<stream_position>({(*found)->sequence, (*found)->timestamp});
}

asio::awaitable<result<stream_subjects>> find_subjects(requester& nats, std::string stream, deadline until)
{
    const auto to = subject::of({"$JS", "API", "STREAM", "INFO", stream});
    const std::string payload = R"({"subjects_filter":">"})";
    const auto reply = co_await call_jetstream(nats, to, payload, until);
    if (reply.has_error())
        co_return reply.error();
    if (reply->failed())
        co_return fail(errc::unavailable, "stream " + stream + ": " + reply->description);
    const auto* state = object_in(reply->body, "state");
    if (state == nullptr)
        co_return fail(errc::malformed_reply, "JetStream answered a stream without its state");
    stream_subjects out;
    out.last_sequence = number_in(*state, "last_seq");
    if (const auto* subjects = object_in(*state, "subjects"))
        for (const auto& [name, messages] : *subjects)
            out.subjects.emplace_back(name);
    out.whole = out.subjects.size() == number_in(*state, "num_subjects");
    co_return out;
}

} // namespace marquee
