#include "services/catalogue/memory_store.hpp"
#include "tests/unit/services/kit.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

result<record_tag> tagged_put(memory_store& store, const std::string& id, std::string value, expectation expected = {})
{
    result<record_tag> answer = fail(errc::timeout);
    const auto body = [&]() -> asio::awaitable<void>
    {
        auto putting = store.put(asset(id), std::move(value), expected, deadline::in(std::chrono::seconds(1)));
        answer = co_await std::move(putting);
    };
    run_coro(body);
    return answer;
}

result<revision> put(memory_store& store, const std::string& id, std::string value, expectation expected = {})
{
    const auto answer = tagged_put(store, id, std::move(value), expected);
    if (answer.has_error())
        return answer.error();
    return answer->revision;
}

result<record_tag> tagged_erase(memory_store& store, const std::string& id, expectation expected = {})
{
    result<record_tag> answer = fail(errc::timeout);
    const auto body = [&]() -> asio::awaitable<void>
    {
        auto erasing = store.erase(asset(id), expected, deadline::in(std::chrono::seconds(1)));
        answer = co_await std::move(erasing);
    };
    run_coro(body);
    return answer;
}

result<revision> erase(memory_store& store, const std::string& id, expectation expected = {})
{
    const auto answer = tagged_erase(store, id, expected);
    if (answer.has_error())
        return answer.error();
    return answer->revision;
}

/// `kept` is at revision 3 (put as 1), `gone` was deleted at revision 4 (put as 2), `never` was
/// never there.
memory_store prepared()
{
    memory_store store({{asset("kept"), "a"}, {asset("gone"), "b"}});
    BOOST_REQUIRE(put(store, "kept", "c").value() == 3);
    BOOST_REQUIRE(erase(store, "gone").value() == 4);
    return store;
}

expectation both(record_tag tag, revision number)
{
    expectation out = tag;
    out.rev = number;
    return out;
}

struct rule
{
    const char* id;
    std::optional<revision> expected;
    const char* of_put;
    const char* of_erase;
};

std::ostream& operator<<(std::ostream& out, const rule& r)
{
    out << r.id << " expecting ";
    return r.expected ? out << *r.expected : out << "nothing";
}

const std::vector<rule> rules = {
    {"kept", {}, "ok", "ok"},
    {"kept", 3, "ok", "ok"},
    {"kept", 1, "revision_mismatch", "revision_mismatch"}, // stale
    {"kept", 0, "revision_mismatch", "revision_mismatch"},
    {"kept", 4, "revision_mismatch", "revision_mismatch"}, // another asset's
    {"kept", 99, "revision_mismatch", "revision_mismatch"},
    {"gone", {}, "ok", "asset_not_found"},
    {"gone", 0, "ok", "asset_not_found"},
    {"gone", 2, "revision_mismatch", "revision_mismatch"}, // of the record before
    {"gone", 4, "revision_mismatch", "revision_mismatch"}, // of the delete marker
    {"never", {}, "ok", "asset_not_found"},
    {"never", 0, "ok", "asset_not_found"},
    {"never", 1, "revision_mismatch", "revision_mismatch"},
};

std::vector<std::string> texts(const catalogue_page& page) { return {page.values.begin(), page.values.end()}; }

} // namespace

BOOST_AUTO_TEST_SUITE(catalogue_store_rules)

BOOST_DATA_TEST_CASE(a_put_is_taken_or_refused_by_the_expected_revision, boost::unit_test::data::make(rules), r)
{
    auto store = prepared();
    const auto answer = put(store, r.id, "new", r.expected);
    BOOST_TEST(code_of(answer) == r.of_put);
    const auto* now = store.get(asset(r.id));
    if (answer.has_value())
    {
        BOOST_TEST(*answer == 5u);
        BOOST_REQUIRE(now != nullptr);
        BOOST_TEST(now->value == "new");
        BOOST_TEST(now->tag.revision == 5u);
    }
    else
        BOOST_TEST((now == nullptr || now->value == "c")); // unchanged
}

BOOST_DATA_TEST_CASE(a_delete_is_taken_or_refused_by_the_expected_revision, boost::unit_test::data::make(rules), r)
{
    auto store = prepared();
    const bool was_there = store.get(asset(r.id)) != nullptr;
    const auto answer = erase(store, r.id, r.expected);
    BOOST_TEST(code_of(answer) == r.of_erase);
    BOOST_TEST((store.get(asset(r.id)) != nullptr) == (was_there && answer.has_error()));
}

BOOST_AUTO_TEST_CASE(a_tag_matches_the_record_that_has_it_and_no_other)
{
    using rule_of_tags = std::function<expectation(record_tag)>;
    const auto one_later = std::chrono::nanoseconds(1);
    const std::tuple<const char*, rule_of_tags, const char*> table[] = {
        {"the record's", [](record_tag t) { return expectation(t); }, "ok"},
        {"the record's and its revision", [](record_tag t) { return both(t, t.revision); }, "ok"},
        {"the record's and another revision", [](record_tag t) { return both(t, t.revision + 1); },
         "revision_mismatch"},
        {"the record's and absence", [](record_tag t) { return both(t, 0); }, "revision_mismatch"},
        {"its revision at another time",
         [&](record_tag t) {
             return expectation(record_tag{t.revision, t.stored + one_later});
         },
         "revision_mismatch"},
        {"another revision at its time",
         [](record_tag t) {
             return expectation(record_tag{t.revision + 1, t.stored});
         },
         "revision_mismatch"},
        {"nobody's", [](record_tag) { return expectation(record_tag()); }, "revision_mismatch"},
    };
    for (const auto& [what, expected, code] : table)
        BOOST_TEST_CONTEXT(what)
        {
            auto one = prepared();
            BOOST_TEST(code_of(put(one, "kept", "new", expected(one.get(asset("kept"))->tag))) == code);
            auto two = prepared();
            BOOST_TEST(code_of(erase(two, "kept", expected(two.get(asset("kept"))->tag))) == code);
            BOOST_TEST(code_of(put(two, "never", "new", expected(record_tag{1, one_later}))) == "revision_mismatch");
        }
}

BOOST_AUTO_TEST_CASE(the_tag_of_a_delete_marker_is_no_records)
{
    auto store = prepared();
    const auto marker = tagged_erase(store, "kept").value();
    BOOST_TEST(marker.revision == 5u);
    BOOST_TEST(code_of(put(store, "kept", "x", marker)) == "revision_mismatch");
    BOOST_TEST(code_of(erase(store, "kept", marker)) == "revision_mismatch");
}

BOOST_AUTO_TEST_CASE(no_two_states_have_the_same_tag)
{
    memory_store store;
    auto last = tagged_put(store, "a", "x").value();
    for (int i = 0; i < 100; ++i)
    {
        const auto next = tagged_put(store, "a", std::to_string(i)).value();
        BOOST_TEST(next.revision > last.revision);
        BOOST_TEST(next.stored.count() > last.stored.count());
        BOOST_TEST((store.get(asset("a"))->tag == next));
        last = next;
    }
}

BOOST_AUTO_TEST_CASE(seeds_are_the_first_revisions)
{
    const memory_store store({{asset("x"), "one"}, {asset("y"), "two"}});
    BOOST_TEST(store.get(asset("x"))->tag.revision == 1u);
    BOOST_TEST(store.get(asset("y"))->tag.revision == 2u);
    BOOST_TEST(store.get(asset("y"))->value == "two");
    BOOST_TEST(store.get(asset("z")) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_refused_change_uses_up_no_revision)
{
    auto store = prepared();
    BOOST_TEST(code_of(put(store, "kept", "x", 1)) == "revision_mismatch");
    BOOST_TEST(code_of(erase(store, "never")) == "asset_not_found");
    BOOST_TEST(put(store, "kept", "x").value() == 5u);
}

BOOST_AUTO_TEST_CASE(absent_can_be_expected_again_after_a_delete_and_only_once)
{
    auto store = prepared();
    BOOST_TEST(put(store, "gone", "back", 0).value() == 5u);
    BOOST_TEST(code_of(put(store, "gone", "again", 0)) == "revision_mismatch");
    BOOST_TEST(store.get(asset("gone"))->value == "back");
}

BOOST_AUTO_TEST_CASE(a_list_is_in_byte_order_and_leaves_out_what_is_deleted)
{
    memory_store store;
    for (const auto* id : {"b", "é", "a b", "B", "10", "9", "gone"})
        BOOST_REQUIRE(put(store, id, id).has_value());
    BOOST_REQUIRE(erase(store, "gone").has_value());
    const auto page = store.list("", 100, 1000);
    const std::vector<std::string> expected = {"10", "9", "B", "a b", "b", "é"};
    BOOST_TEST(texts(page) == expected, boost::test_tools::per_element());
    BOOST_TEST(page.next == "");
}

BOOST_AUTO_TEST_CASE(pages_joined_by_next_are_the_whole_list_at_every_limit)
{
    memory_store store;
    std::vector<std::string> expected;
    for (char c = 'a'; c <= 'g'; ++c)
    {
        expected.emplace_back(1, c);
        BOOST_REQUIRE(put(store, expected.back(), expected.back()).has_value());
    }
    for (std::size_t limit = 1; limit <= 8; ++limit)
    {
        std::vector<std::string> all;
        std::string after;
        do
        {
            const auto page = store.list(after, limit, 1000);
            BOOST_TEST(page.values.size() <= limit);
            BOOST_REQUIRE(!page.values.empty());
            all.insert(all.end(), page.values.begin(), page.values.end());
            after = page.next;
        } while (!after.empty());
        BOOST_TEST(all == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_list_goes_on_after_an_id_that_is_not_there)
{
    memory_store store({{asset("a"), "a"}, {asset("c"), "c"}});
    BOOST_TEST(texts(store.list("b", 100, 1000)) == std::vector<std::string>{"c"}, boost::test_tools::per_element());
    BOOST_TEST(texts(store.list("c", 100, 1000)).empty());
}

BOOST_AUTO_TEST_CASE(a_page_ends_before_it_is_too_large_but_is_never_empty)
{
    memory_store store({{asset("a"), std::string(60, 'a')}, {asset("b"), std::string(30, 'b')}, {asset("c"), "c"}});
    auto page = store.list("", 100, 92); // 61 and 31 with their commas
    BOOST_TEST(page.values.size() == 2u);
    BOOST_TEST(page.next == "b");
    page = store.list("", 100, 91);
    BOOST_TEST(page.values.size() == 1u);
    BOOST_TEST(page.next == "a");
    page = store.list("", 100, 10);
    BOOST_TEST(page.values.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
