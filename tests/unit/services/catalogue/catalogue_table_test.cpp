// How much of a bucket is held, and what was held when.
#include "services/catalogue/catalogue_table.hpp"
#include "services/catalogue/change_log.hpp"
#include "services/catalogue/held_counts.hpp"
#include "tests/unit/services/kit.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

record_tag at(revision number) { return {number, std::chrono::nanoseconds(1000 + number)}; }

} // namespace

BOOST_AUTO_TEST_SUITE(what_is_held)

BOOST_AUTO_TEST_CASE(a_table_counts_subjects_and_messages_as_its_bucket_does)
{
    struct row
    {
        const char* what;
        std::uint32_t history;
        std::uint64_t messages;
    };
    const row table[] = {
        {"all", std::numeric_limits<std::uint32_t>::max(), 7}, {"three of each", 3, 6}, {"one of each", 1, 4}};
    for (const auto& [what, history, messages] : table)
        BOOST_TEST_CONTEXT(what)
        {
            catalogue_table held;
            held.keep_history(history);
            for (revision number = 1; number <= 4; ++number)
                held.set(asset("often"), "v", at(number));
            held.mark_deleted(asset("gone"), at(5));
            held.set_stranger("$KV.metadata.no.id", at(6));
            held.set(asset("$KV.metadata.no.id"), "an id that looks like it", at(7));
            BOOST_TEST(held.entries() == 4u);
            BOOST_TEST(held.size() == 2u);
            BOOST_TEST(held.messages() == messages);
        }
}

BOOST_AUTO_TEST_CASE(a_history_that_is_made_shorter_takes_the_older_messages)
{
    catalogue_table held;
    for (revision number = 1; number <= 4; ++number)
        held.set(asset("often"), "v", at(number));
    held.set(asset("once"), "v", at(5));
    held.keep_history(2);
    BOOST_TEST(held.messages() == 3u);
    held.keep_history(5);
    BOOST_TEST(held.messages() == 3u); // what is gone does not come back
    held.set(asset("often"), "v", at(6));
    BOOST_TEST(held.messages() == 4u);
    held.mark_deleted(asset("often"), at(7), true); // a purge: one message in the place of all
    BOOST_TEST(held.messages() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_not_among_the_keys_is_forgotten_unless_it_is_newer)
{
    catalogue_table held;
    held.set(asset("kept"), "v", at(1));
    held.set(asset("gone"), "v", at(2));
    held.mark_deleted(asset("marker"), at(3));
    held.set_stranger("$KV.b.x.y", at(4));
    held.set_stranger("$KV.b.x.z", at(5));
    held.set(asset("newer"), "v", at(9));
    const std::unordered_set<std::string> keys = {catalogue_table::key_of(asset("kept")),
                                                  catalogue_table::key_of_stranger("$KV.b.x.y")};
    BOOST_TEST(held.keep_only(keys, 8) == 3u);
    BOOST_TEST(held.find(asset("kept")) != nullptr);
    BOOST_TEST(held.find(asset("gone")) == nullptr);
    BOOST_TEST(held.last_revision(asset("marker")) == 0u);
    BOOST_TEST(held.find(asset("newer")) != nullptr);
    BOOST_TEST(held.entries() == 3u);
    BOOST_TEST(held.messages() == 3u);
    BOOST_TEST(held.list("", 10, 1000).values.size() == 2u);
    held.forget(asset("kept"));
    held.forget(asset("never"));
    BOOST_TEST(held.entries() == 2u);
}

BOOST_AUTO_TEST_CASE(what_was_held_is_known_for_every_message_since_the_question)
{
    held_counts counts;
    counts.taken({3, 9, 9}); // nobody asked
    counts.begin({5, 2, 2});
    counts.taken({6, 3, 3});
    counts.taken({9, 3, 4}); // 7 and 8 were overwritten
    const std::pair<std::uint64_t, std::uint64_t> table[] = {{5, 5}, {6, 6}, {8, 6}, {9, 9}, {100, 9}};
    for (const auto& [message, upto] : table)
        BOOST_TEST(counts.at(message).value().upto == upto);
    BOOST_TEST(!counts.at(4).has_value());
    for (const std::uint64_t whole : {5U, 6U})
        BOOST_TEST(counts.complete_to(whole));
    for (const std::uint64_t in_part : {4U, 7U, 8U, 9U, 100U})
        BOOST_TEST(!counts.complete_to(in_part));
    BOOST_TEST(counts.at(9).value().same_amount({100, 3, 4}));
    BOOST_TEST(!counts.at(9).value().same_amount({9, 3, 3}));
    counts.end();
    BOOST_TEST(!counts.at(9).has_value());
    BOOST_TEST(!counts.complete_to(5));
}

BOOST_AUTO_TEST_CASE(changes_are_kept_while_one_is_pending)
{
    const auto log = std::make_shared<change_log>();
    log->taken(at(1));
    BOOST_TEST(log->size() == 0u);
    auto first = std::make_unique<change_log::change>(log, 1);
    log->taken(at(2));
    auto second = std::make_unique<change_log::change>(log, 2);
    log->taken(at(4));
    BOOST_TEST((log->find(2).value() == at(2)));
    BOOST_TEST(!log->find(3).has_value());
    first.reset();
    BOOST_TEST(!log->find(2).has_value());
    BOOST_TEST((log->find(4).value() == at(4)));
    second.reset();
    BOOST_TEST(log->size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
