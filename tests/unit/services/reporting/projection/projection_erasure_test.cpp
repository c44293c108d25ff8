// Uses of ids whose users were erased.
#include "schemas/base32_sha256.hpp"
#include "services/reporting/projection/database.hpp"
#include "services/reporting/projection/projection_tables.hpp"
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <SQLiteCpp/Database.h>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct erasure_fixture : projection_fixture
{
    const std::string batch = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const std::string other_batch = "01ARZ3NDEKTSV4RRFFQ69G5FAX";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_erasure, erasure_fixture)

BOOST_AUTO_TEST_CASE(hidden_ids_are_looked_for_where_they_may_be_alone)
{
    auto db = open_database(folder.file("tables.db"));
    projection_tables tables(db);
    const auto take = [&](const std::string& id, std::uint64_t sequence) {
        tables.take_id(id, {sequence, 0, day_one.count(), 0, "a", "jane"});
    };
    const auto is_used = [&](const std::string& id)
    {
        return tables.any_use(id, 0, day_one.count() + 1,
                              [](const first_use& use, std::int64_t) { return use.asset.empty() && use.user.empty(); });
    };
    take("key", 1);
    tables.hide_uses_of("jane");
    BOOST_TEST(is_used("key"));
    BOOST_TEST(!tables.knows_batch(batch)); // a key is of no batch
    take(batch + ".7", 2);
    tables.hide_uses_of("jane");
    BOOST_TEST(is_used(batch + ".7"));
    BOOST_TEST(!is_used(batch + ".8"));
    BOOST_TEST(tables.knows_batch(batch));
    BOOST_TEST(!tables.knows_batch(other_batch));
    db.exec("UPDATE first_uses SET id = '#' || 'a hash of any form' WHERE sequence = 1");
    projection_tables earlier(db); // as an earlier version has hidden it
    BOOST_TEST(earlier.knows_batch(other_batch));
    db.exec("DELETE FROM first_uses");
    projection_tables none(db);
    BOOST_TEST(!none.knows_batch(batch));
}

/// As earlier versions of this format wrote them.
BOOST_AUTO_TEST_CASE(ids_that_an_earlier_version_has_hidden_stay_used)
{
    apply({stored(1, event_json("key", "a", "jane")), stored(2, event_json(batch + ".0", "a", "jane"))});
    counts = projection::none();
    {
        SQLite::Database db(folder.file("counts.db"), SQLite::OPEN_READWRITE);
        for (const auto& id : {std::string("key"), batch + ".0"})
            db.exec("UPDATE first_uses SET id = '#" + base32_sha256(id) + "', asset = '', user = '' WHERE id = '" + id +
                    "'");
    }
    counts = open();
    apply({stored(3, event_json("key", "a", "jane")), stored(4, event_json(batch + ".0", "a", "jane")),
           stored(5, event_json(batch + ".0", "a", "jane") + '\n' + event_json(batch + ".1", "b", "jane"))});
    BOOST_TEST(counts.progress().duplicates == 3U);
    BOOST_TEST(of_asset("a") == 2U);
    BOOST_TEST(of_asset("b") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
