#include "tests/event_streams/counted.hpp"

#include "schemas/subjects.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>
#include <thread>

namespace marquee::test
{
namespace
{

using namespace std::chrono_literals;

constexpr auto patience = 60s;
constexpr auto between_tries = 20ms;
constexpr std::size_t at_once = 1000;

[[noreturn]] void give_up(const std::string& what, const error& why)
{
    throw std::runtime_error(what + ": " + std::string(name_of(why.code)) + ' ' + why.detail);
}

} // namespace

counts_client::counts_client(const std::string& server)
{
    connection_options options;
    options.name = "test";
    options.servers = {server};
    auto opened = connection::open(io_, options);
    if (opened.has_error())
        give_up("connect", opened.error());
    nats_ = std::move(*opened);
}

counts_client::~counts_client() = default;

/// The broker may just have been restarted, and reporting leaves the queue group while it is
/// behind: neither answers for a while.
result<message> counts_client::ask(const subject& to, const std::string& payload, const header_list& headers)
{
    for (const auto until = deadline::in(patience);;)
    {
        result<message> reply;
        const auto body = [&]() -> asio::awaitable<void>
        {
            auto pending = call_service(nats_->requests(), to, payload, headers, until);
            reply = co_await pending.receive();
        };
        run_coro(io_, body, 2 * patience);
        if (reply.has_value() || until.passed() ||
            (reply.error() != errc::disconnected && reply.error() != errc::no_responders))
            return reply;
        std::this_thread::sleep_for(between_tries);
    }
}

boost::json::object counts_client::call_stream(const char* what, const std::string& payload)
{
    const auto reply = ask(subject::of({"$JS", "API", "STREAM", what, names::stream_events}), payload);
    if (reply.has_error())
        give_up(what, reply.error());
    auto body = boost::json::parse(reply->data).as_object();
    if (body.contains("error"))
        throw std::runtime_error(reply->data);
    return body;
}

std::uint64_t counts_client::stored()
{
    return call_stream("INFO", "").at("state").at("messages").to_number<std::uint64_t>();
}

bool counts_client::has_headers(std::uint64_t sequence)
{
    const auto to = subject::of({"$JS", "API", "STREAM", "MSG", "GET", names::stream_events});
    const auto reply = ask(to, "{\"seq\":" + std::to_string(sequence) + "}");
    if (reply.has_error())
        give_up("message " + std::to_string(sequence), reply.error());
    return boost::json::parse(reply->data).at("message").as_object().contains("hdrs");
}

void counts_client::wait_until_stored(std::uint64_t messages)
{
    const auto end = deadline::in(std::chrono::minutes(1));
    while (stored() < messages)
        if (end.passed())
            throw std::runtime_error("EVENTS does not get " + std::to_string(messages) + " messages");
}

void counts_client::limit_stream(std::int64_t max_bytes)
{
    auto config = call_stream("INFO", "").at("config").as_object();
    config["max_bytes"] = max_bytes;
    call_stream("UPDATE", boost::json::serialize(config));
}

void counts_client::wait_until_counted()
{
    const auto last = call_stream("INFO", "").at("state").at("last_seq").to_number<std::uint64_t>();
    header_list headers;
    headers.set(names::header_after, std::to_string(last));
    const auto anything = subjects::reporting_views(asset_id::parse("-").value(), user_id::parse("-").value());
    if (const auto reply = ask(anything, "", headers); reply.has_error())
        give_up("reporting does not count event " + std::to_string(last), reply.error());
}

reporting_statistics counts_client::statistics()
{
    const auto reply = ask(subject::of({"$SRV", "STATS", "reporting"}), "");
    if (reply.has_error())
        give_up("$SRV.STATS.reporting", reply.error());
    const auto stats = boost::json::parse(reply->data);
    const auto& data = stats.at("endpoints").at(0).at("data");
    const auto number = [&](const char* name) { return data.at(name).to_number<std::uint64_t>(); };
    return {number("applied"), number("duplicates"), number("rejected")};
}

view_counts counts_client::views_of(const std::vector<std::pair<std::string, subject>>& all)
{
    view_counts out;
    const auto body = [&]() -> asio::awaitable<void>
    {
        const header_list none;
        for (std::size_t from = 0; from < all.size(); from += at_once)
        {
            const auto end = std::min(from + at_once, all.size());
            std::vector<pending_reply> asked;
            for (auto i = from; i < end; ++i)
                asked.push_back(nats_->requests().request(all[i].second, "", none, deadline::in(patience)));
            for (auto i = from; i < end; ++i)
            {
                auto reply = co_await asked[i - from].receive();
                if (reply.has_value())
                    out[all[i].first] = decode_reply<views_reply>(reply->data).value().views;
                else if (reply.error() != errc::asset_not_found && reply.error() != errc::user_not_found)
                    give_up(all[i].first, reply.error());
            }
        }
    };
    run_coro(io_, body, 2 * patience);
    return out;
}

view_counts counts_client::assets(const std::set<std::string>& ids)
{
    std::vector<std::pair<std::string, subject>> all;
    for (const auto& id : ids)
        all.emplace_back(id, subjects::reporting_asset(asset_id::parse(id).value()));
    return views_of(all);
}

view_counts counts_client::users(const std::set<std::string>& ids)
{
    std::vector<std::pair<std::string, subject>> all;
    for (const auto& id : ids)
        all.emplace_back(id, subjects::reporting_user(user_id::parse(id).value()));
    return views_of(all);
}

top_reply counts_client::top(std::uint64_t limit)
{
    const auto reply = ask(subjects::reporting_top(), encode(top_request{limit}));
    if (reply.has_error())
        give_up("reporting.top", reply.error());
    return decode_reply<top_reply>(reply->data).value();
}

} // namespace marquee::test
