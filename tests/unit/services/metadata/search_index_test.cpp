// The index against a model that looks at every record.
#include "services/metadata/search_index.hpp"

#include "schemas/messages.hpp"
#include "services/metadata/folding.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

using namespace marquee;

namespace
{

struct film
{
    std::string title;
    std::string genre;
    std::vector<std::string> tags;
};

const std::vector<std::string> vocabulary = {
    "The",     "the",      "Été",  "ETE",   "Alien", "aliens", "spider-man", "Spiderman", "L'Avventura", "Ōkami",
    "Война",   "война",    "Αλφα", "שלום",  "محمد",  "हिन्दी",  "ผู้หญิง",       "千と千尋",  "カメラ",      "が",
    "한국",    "Straße",   "2046", "2001:", "😀",     "???",    "(1982)",     "naïve",     "A",           "a\u0301",
    "M*A*S*H", "x\u202Ey", "ﷺ",    "Þór",   "Łódź",  "al",     "ali"};

class model
{
public:
    explicit model(unsigned seed) : random_(seed) {}

    std::size_t roll(std::size_t sides) { return random_() % sides; }
    const std::string& any_word() { return vocabulary[roll(vocabulary.size())]; }

    film any_film()
    {
        film made;
        for (auto words = roll(5); words > 0; --words)
            made.title += (made.title.empty() ? "" : " ") + any_word();
        made.genre = any_word();
        for (auto tags = roll(3); tags > 0; --tags)
            made.tags.push_back(any_word());
        return made;
    }

    /// Stores, replaces or removes one.
    void change()
    {
        const auto id = std::to_string(roll(60));
        if (roll(4) == 0)
        {
            index.removed(id);
            films.erase(id);
            return;
        }
        put(id, any_film());
    }

    void put(const std::string& id, const film& one)
    {
        auto& slot = slots_[id];
        if (!slot)
            slot = std::make_unique<std::pair<std::string, catalogue_entry>>(id, catalogue_entry());
        asset_metadata_reply record{id, one.title, one.genre, "s"};
        for (const auto& tag : one.tags)
            record.further += (record.further.empty() ? "" : ",") + encode_string(tag);
        record.further = "\"tags\":[7," + record.further + (record.further.empty() ? "null]" : ",null]");
        slot->second.value = encode(record);
        index.set(slot->first, slot->second);
        films[id] = one;
    }

    search_terms any_terms()
    {
        search_terms terms;
        for (auto words = roll(3); words > 0; --words)
            for (auto& word : words_of(fold(any_word())))
                terms.words.push_back(word);
        if (roll(2) == 0)
        {
            const auto word = words_of(fold(any_word()));
            terms.prefix = word.empty() ? "" : word.front().substr(0, 1 + roll(word.front().size()));
        }
        if (roll(5) == 0)
            terms.genre = fold(any_word());
        if (roll(5) == 0)
            terms.tag = fold(any_word());
        return terms;
    }

    static bool matches(const film& one, const search_terms& terms)
    {
        const auto words = indexed_words_of(fold(one.title));
        const auto has = [&](const std::string& word)
        { return std::find(words.begin(), words.end(), word) != words.end(); };
        const auto is_tag = [&](const std::string& tag) { return fold(tag) == *terms.tag; };
        return std::all_of(terms.words.begin(), terms.words.end(), has) &&
               (terms.prefix.empty() ||
                std::any_of(words.begin(), words.end(), [&](const auto& w) { return w.starts_with(terms.prefix); })) &&
               (!terms.genre || fold(one.genre) == *terms.genre) &&
               (!terms.tag || std::any_of(one.tags.begin(), one.tags.end(), is_tag));
    }

    /// The ids that match, in order.
    [[nodiscard]] std::vector<std::string> expected(const search_terms& terms, bool by_title) const
    {
        std::vector<std::pair<std::string, std::string>> all;
        for (const auto& [id, one] : films)
            if (matches(one, terms))
                all.emplace_back(by_title ? sort_key_of(fold(one.title), 256) : "", id);
        std::sort(all.begin(), all.end());
        std::vector<std::string> ids;
        for (auto& each : all)
            ids.push_back(each.second);
        return ids;
    }

    search_index index;
    std::map<std::string, film> films;

private:
    std::mt19937 random_;
    std::map<std::string, std::unique_ptr<std::pair<std::string, catalogue_entry>>> slots_;
};

std::vector<std::string> ids_of(const search_found& found)
{
    std::vector<std::string> ids;
    for (const auto record : found.records)
        ids.push_back(decode<asset_metadata_reply>(record).value().id);
    return ids;
}

} // namespace

BOOST_AUTO_TEST_SUITE(search_indexes)

BOOST_AUTO_TEST_CASE(a_search_finds_what_a_look_at_every_record_finds)
{
    for (unsigned seed = 1; seed <= 4; ++seed)
    {
        model m(seed);
        for (int round = 0; round < 400; ++round)
        {
            m.change();
            const auto terms = m.any_terms();
            const bool by_title = m.roll(2) == 0;
            const auto expected = m.expected(terms, by_title);
            std::vector<std::string> found;
            std::string after;
            do
            {
                const auto page = m.index.find(terms, {by_title, after, 1 + m.roll(20), 100'000});
                BOOST_TEST_REQUIRE(page.total == expected.size());
                for (const auto& id : ids_of(page))
                    found.push_back(id);
                after = page.next;
            } while (!after.empty());
            BOOST_TEST_CONTEXT("seed " << seed << ", round " << round)
            {
                BOOST_TEST_REQUIRE(found == expected, boost::test_tools::per_element());
            }
            BOOST_TEST_REQUIRE(m.index.size() == m.films.size());
        }
        for (int id = 0; id < 60; ++id)
            m.index.removed(std::to_string(id));
        BOOST_TEST(m.index.size() == 0u);
        BOOST_TEST(m.index.terms() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_moves_up_between_two_pages_is_not_shown_again_and_what_stands_still_is_not_missed)
{
    for (unsigned seed = 1; seed <= 20; ++seed)
    {
        model m(seed);
        for (int i = 0; i < 60; ++i)
            m.put(std::to_string(i), m.any_film());
        std::map<std::string, int> shown;
        std::set<std::string> touched;
        std::set<std::string> moved_down;
        std::string after;
        do
        {
            const auto page = m.index.find({}, {true, after, 5, 100'000});
            for (const auto& id : ids_of(page))
                ++shown[id];
            after = page.next;
            for (int i = 0; i < 3; ++i)
            {
                const auto id = std::to_string(m.roll(60));
                const auto key = [&] { return sort_key_of(fold(m.films[id].title), 256); };
                const auto before = key();
                m.put(id, m.any_film());
                touched.insert(id);
                if (key() > before)
                    moved_down.insert(id);
            }
        } while (!after.empty());
        for (int i = 0; i < 60; ++i)
        {
            const auto id = std::to_string(i);
            BOOST_TEST_CONTEXT("seed " << seed << ", id " << id)
            {
                BOOST_TEST((touched.contains(id) || shown[id] == 1));
                BOOST_TEST((moved_down.contains(id) || shown[id] <= 1));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_page_ends_at_its_limits_and_has_one_record_at_least)
{
    model m(1);
    for (int i = 0; i < 10; ++i)
        m.put(std::to_string(i), {"same", "g", {}});
    const auto one = m.index.find({}, {true, {}, 10, 1});
    BOOST_TEST(one.records.size() == 1u);
    BOOST_TEST(one.total == 10u);
    BOOST_TEST(one.next == "same/0");
    BOOST_TEST(m.index.find({}, {true, {}, 3, 100'000}).records.size() == 3u);
    BOOST_TEST(m.index.find({}, {false, "8", 3, 100'000}).records.size() == 1u);
    BOOST_TEST(m.index.find({}, {false, "8", 3, 100'000}).next.empty());
    BOOST_TEST(m.index.find({}, {true, "same/9", 3, 100'000}).records.empty());
    BOOST_TEST(m.index.find({}, {true, "samf/", 3, 100'000}).records.size() == 3u); // no place: from the first on
}

BOOST_AUTO_TEST_CASE(a_record_that_is_written_again_is_shown_as_it_is_now)
{
    model m(1);
    m.put("1", {"Été", "g", {"a"}});
    m.put("1", {"Eté", "h", {"b"}});
    search_terms word;
    word.prefix = "ete";
    const auto found = m.index.find(word, {true, {}, 10, 1000});
    BOOST_REQUIRE(found.records.size() == 1u);
    BOOST_TEST(decode<asset_metadata_reply>(found.records[0]).value().genre == "h");
    word.tag = "a";
    BOOST_TEST(m.index.find(word, {true, {}, 10, 1000}).total == 0u);
    word.tag = "b";
    BOOST_TEST(m.index.find(word, {true, {}, 10, 1000}).total == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
