// Catalogue stores on the bucket of a real broker, and another client of that bucket.
#pragma once

#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/catalogue/kv_store.hpp"
#include "services/metadata/metadata.hpp"
#include "tests/integration/reporting/stepwise_fixture.hpp"

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

struct kv_fixture : stepwise_fixture
{
    /// A service's connection and store, as a process of it has them.
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
            return entry == nullptr ? 0 : entry->tag.revision;
        }
        [[nodiscard]] record_tag tag(std::string_view id) const
        {
            const auto* entry = store->get(asset(id));
            return entry == nullptr ? record_tag() : entry->tag;
        }
    };

    std::chrono::milliseconds compare_every{60000}; ///< of instances made from now on

    [[nodiscard]] kv_store::settings bucket(std::vector<catalogue_seed> seeds = metadata_seeds()) const
    {
        kv_store::settings s;
        s.bucket = "metadata";
        s.seeds = std::move(seeds);
        s.valid = catalogue_value_is_valid<metadata_catalogue>;
        s.compare_every = compare_every;
        s.idle_heartbeat = 250ms; // a lost consumer is noticed before patience ends
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

    result<record_tag> tagged_put(instance& at, std::string_view id, std::string title, expectation expected = {},
                                  std::chrono::milliseconds limit = 20s)
    {
        return wait(at.store->put(asset(id), titled(id, std::move(title)), expected, deadline::in(limit)));
    }

    result<record_tag> tagged_erase(instance& at, std::string_view id, expectation expected = {},
                                    std::chrono::milliseconds limit = 20s)
    {
        return wait(at.store->erase(asset(id), expected, deadline::in(limit)));
    }

    static result<revision> number_of(const result<record_tag>& done)
    {
        if (done.has_error())
            return done.error();
        return done->revision;
    }

    result<revision> put(instance& at, std::string_view id, std::string title, expectation expected = {},
                         std::chrono::milliseconds limit = 20s)
    {
        return number_of(tagged_put(at, id, std::move(title), expected, limit));
    }

    result<revision> erase(instance& at, std::string_view id, expectation expected = {},
                           std::chrono::milliseconds limit = 20s)
    {
        return number_of(tagged_erase(at, id, expected, limit));
    }

    /// Waits until a put by `at` works again, and returns its revision.
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

    /// Another client writes a message; waits until the bucket has it.
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

    void drop_bucket() { delete_stream("KV_metadata"); }

    std::uint64_t messages_in_bucket()
    {
        const auto info = api(subject::of({"$JS", "API", "STREAM", "INFO", "KV_metadata"}));
        return info.at("state").at("messages").to_number<std::uint64_t>();
    }

    void server_up() { stepwise_fixture::server_up("KV_metadata"); }
};

} // namespace marquee::test
