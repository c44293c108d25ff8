// A put of the value that stands already.
#include "tests/integration/catalogue/kv_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(kv_same_value, kv_fixture)

BOOST_AUTO_TEST_CASE(a_put_of_what_stands_makes_no_new_revision)
{
    auto one = open();
    const auto first = tagged_put(one, "789", "same").value();
    const auto messages = messages_in_bucket();
    const expectation expectations[] = {{}, first.revision, first};
    for (const auto& expected : expectations)
        BOOST_TEST((tagged_put(one, "789", "same", expected).value() == first));
    BOOST_TEST(messages_in_bucket() == messages);
    BOOST_TEST(put(one, "789", "another").value() > first.revision);
    BOOST_TEST((tagged_put(one, "789", "same").value() != first));
}

BOOST_AUTO_TEST_CASE(the_condition_is_checked_first)
{
    auto one = open();
    const auto first = tagged_put(one, "789", "same").value();
    const record_tag other{first.revision, first.stored + 1ns};
    for (const expectation& expected : {expectation(revision(0)), expectation(first.revision - 1),
                                        expectation(first.revision + 1), expectation(other)})
        BOOST_TEST(code_of(tagged_put(one, "789", "same", expected)) == "revision_mismatch");
    BOOST_TEST(erase(one, "789").has_value());
    BOOST_TEST(code_of(tagged_put(one, "789", "same", first)) == "revision_mismatch");
    BOOST_TEST(put(one, "789", "same", revision(0)).value() > first.revision); // a marker is no record
}

BOOST_AUTO_TEST_CASE(memory_alone_does_not_decide_that_it_stands)
{
    apart_runs = true;
    auto one = open_on(apart);
    const auto first = put(one, "789", "same").value();
    apart_runs = false;
    write("$KV.metadata.789", titled("789", "unseen"));
    BOOST_TEST(one.title("789") == "same");
    apart_runs = true;
    const auto again = put(one, "789", "same");
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(*again > first + 1);
    until([&] { return one.title("789") == "same"; });
    one.store.reset();
}

BOOST_AUTO_TEST_SUITE_END()
