// Whether a stream is the one that was counted, one that lost what was never counted, or another.
#include "services/reporting/projection/stream_identity.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

struct identity_row
{
    const char* what;
    counted_stream counted;
    stream_state stream; ///< created, first, last, messages, id, declared_first
    last_counted last;
    stream_finding finding;
    const char* why;       ///< a part of the text
    std::uint64_t goes_on; ///< after this sequence
    const char* id = "";   ///< that is kept
    bool id_settled = true;
};

constexpr auto not_looked = last_counted::not_looked;
constexpr auto same_message = last_counted::same;
constexpr auto another_message = last_counted::another;
constexpr auto gone = last_counted::gone;
constexpr auto same = stream_finding::same;
constexpr auto loss = stream_finding::loss;
constexpr auto another = stream_finding::another;

const identity_row rows[] = {
    // nothing is counted yet
    {"a new database, an empty stream", {"", 0}, {"t", 0, 0, 0, "A"}, not_looked, same, "", 0, "A"},
    {"a new database, a whole stream", {"", 0}, {"t", 1, 9, 9, "A"}, not_looked, same, "", 0, "A"},
    {"a new database, no id", {"", 0}, {"t", 1, 9, 9, ""}, not_looked, same, "", 0, ""},
    {"a database of a stream without messages", {"A", 0}, {"t", 1, 9, 9, "B"}, not_looked, same, "", 0, "B"},
    {"a new database, a purged stream", {"", 0}, {"t", 6, 9, 4, "A"}, not_looked, loss, "events 1..5 are gone", 5, "A"},
    {"a new database, all purged", {"", 0}, {"t", 10, 9, 0, "A"}, not_looked, loss, "events 1..9 are gone", 9, "A"},
    {"a stream declared to begin later, empty", {"", 0}, {"t", 1000, 999, 0, "A", 1000}, not_looked, same, "", 0, "A"},
    {"a stream declared to begin later", {"", 0}, {"t", 1000, 1005, 6, "A", 1000}, not_looked, same, "", 0, "A"},
    {"the same, purged",
     {"", 0},
     {"t", 1003, 1005, 3, "A", 1000},
     not_looked,
     loss,
     "events 1000..1002 are gone",
     1002,
     "A"},
    // the last message counted decides where it is there
    {"nothing has changed", {"A", 5}, {"t", 1, 9, 9, "A"}, same_message, same, "", 5, "A"},
    {"not looked", {"A", 5}, {"t", 1, 9, 9, "A"}, not_looked, same, "", 5, "A"},
    {"no id on either side", {"", 5}, {"t", 1, 9, 9, ""}, same_message, same, "", 5, ""},
    {"another id, the same message", {"A", 5}, {"t", 1, 9, 9, "B"}, same_message, same, "", 5, "B"},
    {"another id, not looked", {"A", 5}, {"t", 1, 9, 9, "B"}, not_looked, same, "", 5, "B", false},
    {"the id was removed by an edit", {"A", 5}, {"t", 1, 9, 9, ""}, same_message, same, "", 5, "A"},
    {"a stream that had no id has one", {"", 5}, {"t", 1, 9, 9, "A"}, same_message, same, "", 5, "A"},
    {"equal ids, another message",
     {"A", 5},
     {"t", 1, 9, 9, "A"},
     another_message,
     another,
     "event 5 is not the one",
     9,
     "A"},
    {"no ids, another message", {"", 5}, {"t", 1, 9, 9, ""}, another_message, another, "event 5 is not the one", 9, ""},
    // where it is gone, two different ids tell
    {"deleted alone", {"A", 5}, {"t", 1, 9, 8, "A"}, gone, same, "", 5, "A"},
    {"deleted alone, no id on either side", {"", 5}, {"t", 1, 9, 8, ""}, gone, same, "", 5, ""},
    {"deleted alone, the id was removed", {"A", 5}, {"t", 1, 9, 8, ""}, gone, same, "", 5, "A"},
    {"deleted alone, an id where none was", {"", 5}, {"t", 1, 9, 8, "A"}, gone, same, "", 5, "A"},
    {"gone, another id",
     {"A", 5},
     {"t", 1, 9, 8, "B"},
     gone,
     another,
     "the id B, the one that was counted had A",
     9,
     "B"},
    {"purged up to it", {"A", 5}, {"t", 6, 9, 4, "A"}, not_looked, same, "", 5, "A"},
    {"all purged", {"A", 5}, {"t", 6, 5, 0, "A"}, not_looked, same, "", 5, "A"},
    {"all purged, another id", {"A", 5}, {"t", 6, 5, 0, "B"}, not_looked, another, "the id B", 5, "B"},
    {"all purged, no ids", {"", 5}, {"t", 6, 5, 0, ""}, not_looked, same, "", 5, ""},
    {"purged beyond it", {"A", 5}, {"t", 8, 9, 2, "A"}, not_looked, loss, "events 6..7 are gone", 7, "A"},
    {"purged beyond it, and all", {"A", 5}, {"t", 10, 9, 0, ""}, gone, loss, "events 6..9 are gone", 9, "A"},
    {"purged beyond it, another id", {"A", 5}, {"t", 8, 9, 2, "B"}, not_looked, another, "the id B", 9, "B"},
    {"made anew to begin later, no ids", {"", 5}, {"t", 1000, 1005, 6, "", 1000}, not_looked, same, "", 5, ""},
    {"made anew to begin later", {"A", 5}, {"t", 1000, 1005, 6, "B", 1000}, not_looked, another, "the id B", 1005, "B"},
    // shorter than what was counted
    {"shorter",
     {"A", 5},
     {"t", 1, 4, 4, "A"},
     not_looked,
     another,
     "ends at sequence 4; the database has counted up to 5",
     4,
     "A"},
    {"shorter, no ids", {"", 5}, {"t", 1, 4, 4, ""}, not_looked, another, "ends at sequence 4", 4, ""},
    {"shorter, another id", {"A", 5}, {"t", 1, 4, 4, "B"}, not_looked, another, "ends at sequence 4", 4, "B"},
    {"made anew and empty", {"A", 5}, {"t", 0, 0, 0, "B"}, not_looked, another, "ends at sequence 0", 0, "B"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(stream_identity)

BOOST_AUTO_TEST_CASE(the_last_message_counted_decides_and_where_it_is_gone_ids_and_length_do)
{
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.what)
        {
            const auto judged = judge_stream(row.counted, row.stream, row.last);
            BOOST_TEST((judged.finding == row.finding), judged.why);
            BOOST_TEST(judged.why.find(row.why) != std::string::npos, judged.why);
            BOOST_TEST(judged.why.empty() == (row.finding == same), judged.why);
            BOOST_TEST((row.finding == same || judged.why.find("--accept-loss") != std::string::npos), judged.why);
            BOOST_TEST(judged.continue_after == row.goes_on);
            BOOST_TEST(judged.id == row.id);
            BOOST_TEST(judged.id_is_settled == row.id_settled);
        }
}

BOOST_AUTO_TEST_CASE(the_time_of_creation_tells_nothing)
{
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.what)
        {
            auto moved = row.stream;
            moved.created = "2027-01-01T00:00:00Z";
            const auto judged = judge_stream(row.counted, moved, row.last);
            BOOST_TEST((judged.finding == row.finding));
            BOOST_TEST(judged.why.find("2027") == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(a_removed_id_is_reported)
{
    BOOST_TEST(judge_stream({"A", 5}, {"t", 1, 9, 9, ""}, same_message).id_was_removed);
    BOOST_TEST(!judge_stream({"A", 5}, {"t", 1, 9, 9, "A"}, same_message).id_was_removed);
    BOOST_TEST(!judge_stream({"", 5}, {"t", 1, 9, 9, ""}, same_message).id_was_removed);
    BOOST_TEST(!judge_stream({"A", 0}, {"t", 1, 9, 9, ""}, not_looked).id_was_removed);
}

BOOST_AUTO_TEST_SUITE_END()
