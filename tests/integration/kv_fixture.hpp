// Catalogue stores on the bucket of a real broker, and a foreign hand in that bucket.
#pragma once

#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/catalogue/kv_store.hpp"
#include "services/metadata/metadata.hpp"
#include "tests/integration/broker_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <string>
#include <vector>

namespace marquee::test
{

inline asset_id asset(std::string_view text) { return asset_id::parse(text).value(); }

/// A value as metadata keeps it, told apart by its title.
inline std::string titled(std::string_view id, std::string title)
{
    return catalogue_value<metadata_catalogue>(asset(id), {std::move(title), "genre", "summary"});
}

template <class T>
std::string code_of(const result<T>& r)
{
    return r.has_error() ? std::string(name_of(r.error().code)) : "ok";
}

struct kv_fixture : broker_fixture
{
    /// A service's connection and store: what a process of it would hold.
    struct instance
    {
        std::unique_ptr<connection> nats;
        std::unique_ptr<kv_store> store;

        [[nodiscard]] std::string title(std::string_view id) const
        {
            const auto* entry = store->get(asset(id));
            return entry == nullptr ? "" : decode<asset_metadata_reply>(entry->value).value().title;
        }
        [[nodiscard]] revision rev(std::string_view id) const
        {
            const auto* entry = store->get(asset(id));
            return entry == nullptr ? 0 : entry->rev;
        }
    };

    asio::io_context apart{1};                    ///< for an instance that is to stand still while others go on
    bool apart_runs = false;                      ///< whether it runs along in wait() and until()
    std::unique_ptr<connection> hand = connect(); ///< of the foreigner

    /// Lets everything that runs go on for a moment.
    void spin()
    {
        io.restart();
        io.run_for(apart_runs ? 1ms : 5ms);
        if (!apart_runs)
            return;
        apart.restart();
        apart.run_for(1ms);
    }

    /// Runs the loops until `condition` holds; fails the test after `limit`.
    void until(const std::function<bool()>& condition, std::chrono::milliseconds limit = 30s,
               const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        const auto end = deadline::in(limit);
        while (!condition())
        {
            if (end.passed())
                BOOST_FAIL("not reached: " << where.file_name() << ":" << where.line());
            spin();
        }
    }

    /// Runs the loops until `what` is done. Between two calls nothing of this process runs, as in a stopped process.
    template <class T>
    T wait(asio::awaitable<T> what, const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        std::optional<T> out;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(what),
                       [&](const std::exception_ptr& e, T value)
                       {
                           failure = e;
                           out.emplace(std::move(value));
                           io.stop();
                       });
        until([&] { return out.has_value(); }, 60s, where);
        if (failure)
            std::rethrow_exception(failure);
        return std::move(*out);
    }

    static kv_store::settings bucket(std::vector<catalogue_seed> seeds = metadata_seeds())
    {
        kv_store::settings s;
        s.bucket = "metadata";
        s.seeds = std::move(seeds);
        s.valid = catalogue_value_is_valid<metadata_catalogue>;
        return s;
    }

    instance make(std::vector<catalogue_seed> seeds = metadata_seeds()) { return make_on(io, std::move(seeds)); }

    instance make_on(asio::io_context& loop, std::vector<catalogue_seed> seeds)
    {
        auto opened = connection::open(loop, options());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        instance one{std::move(*opened), nullptr};
        one.store = std::make_unique<kv_store>(*one.nats, bucket(std::move(seeds)));
        return one;
    }

    instance open(std::vector<catalogue_seed> seeds = metadata_seeds()) { return open_on(io, std::move(seeds)); }

    instance open_on(asio::io_context& loop, std::vector<catalogue_seed> seeds = metadata_seeds())
    {
        auto one = make_on(loop, std::move(seeds));
        const auto opened = wait(one.store->open(deadline::in(30s)));
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        return one;
    }

    result<revision> put(instance& at, std::string_view id, std::string title, std::optional<revision> expected = {},
                         std::chrono::milliseconds limit = 20s)
    {
        return wait(at.store->put(asset(id), titled(id, std::move(title)), expected, deadline::in(limit)));
    }

    result<revision> erase(instance& at, std::string_view id, std::optional<revision> expected = {},
                           std::chrono::milliseconds limit = 20s)
    {
        return wait(at.store->erase(asset(id), expected, deadline::in(limit)));
    }

    /// Waits until a put by `at` works again, and answers its revision.
    revision put_until_it_works(instance& at, std::string_view id, std::string title)
    {
        const auto end = deadline::in(30s);
        for (;;)
        {
            const auto done = put(at, id, title);
            if (done.has_value())
                return *done;
            if (end.passed())
                BOOST_FAIL("put still fails: " << name_of(done.error().code) << ' ' << done.error().detail);
            spin();
        }
    }

    /// A request to JetStream's API, which must succeed.
    boost::json::object api(const subject& to, const std::string& payload = {},
                            const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        const header_list none;
        const auto reply = wait(hand->requests().request(to, payload, none, deadline::in(20s)).receive());
        BOOST_REQUIRE_MESSAGE(reply.has_value(), "no reply to " << to.str() << ", asked at line " << where.line());
        auto body = boost::json::parse(reply->data).as_object();
        BOOST_REQUIRE_MESSAGE(!body.contains("error"), reply->data << " to the request at line " << where.line());
        return body;
    }

    /// The foreigner writes a message of its choice; waits until the bucket has it.
    void write(const std::string& subject_text, const std::string& payload, const header_list& headers = {})
    {
        const auto inbox = hand->new_inbox();
        std::string ack;
        const auto listening =
            hand->subscribe(inbox, {}, [&](const message& m) { ack = m.data.empty() ? "nobody" : m.data; }).value();
        BOOST_REQUIRE(hand->publish(subject_text, payload, headers, inbox).has_value());
        until([&] { return !ack.empty(); });
        BOOST_REQUIRE_MESSAGE(ack.find("\"seq\"") != std::string::npos, ack);
    }

    /// Removes the messages of one key without a trace, as compaction of delete markers does.
    void purge(const std::string& key)
    {
        api(subject::of({"$JS", "API", "STREAM", "PURGE", "KV_metadata"}), R"({"filter":"$KV.metadata.)" + key + "\"}");
    }

    void drop_bucket() { api(subject::of({"$JS", "API", "STREAM", "DELETE", "KV_metadata"})); }

    std::uint64_t messages_in_bucket()
    {
        const auto info = api(subject::of({"$JS", "API", "STREAM", "INFO", "KV_metadata"}));
        return info.at("state").at("messages").to_number<std::uint64_t>();
    }

    void server_down()
    {
        server.kill();
        until([&] { return !hand->connected(); });
    }

    /// Up again, JetStream included.
    void server_up()
    {
        server.restart();
        until([&] { return hand->connected(); });
        until(
            [&]
            {
                auto finding = find_stream(hand->requests(), "KV_metadata", deadline::in(5s));
                return wait(std::move(finding)).has_value();
            });
    }
};

} // namespace marquee::test
