// What a search costs, within the service: decoding, finding, and the reply.
#include "services/metadata/metadata.hpp"
#include "services/metadata/search_index.hpp"

#include "services/catalogue/memory_store.hpp"
#include "tests/bench/accounting.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/catalogue.hpp"

#include <chrono>
#include <random>

#include <unistd.h>

namespace marquee::bench
{

namespace
{

constexpr std::size_t record_bytes = 1024;

std::string word(std::size_t i)
{
    static const char* const syllables[] = {"ka", "ro", "mé", "lin", "to", "sa", "ver", "du",
                                            "Na", "pi", "os", "gra", "ul", "bé", "shi", "ty"};
    std::string out;
    for (auto rest = i + 16; rest > 0; rest /= 16)
        out += syllables[rest % 16];
    return out;
}

/// 1 KiB, a title of two to six words of 50,000, one of 20 genres, three of 200 tags.
template <class Random>
std::string record_of(std::size_t i, zipf& words, Random& random)
{
    std::string title = word(words(random));
    for (std::size_t more = 1 + random() % 5; more > 0; --more)
        title += ' ' + word(words(random));
    std::string tags;
    for (int t = 0; t < 3; ++t)
        tags += (tags.empty() ? "\"tag-" : ",\"tag-") + std::to_string(random() % 200) + '"';
    asset_metadata_reply record{asset(i).text(), title, "genre " + std::to_string(random() % 20), ""};
    record.further = "\"tags\":[" + tags + ']';
    const auto size = encode(record).size();
    record.summary.assign(size < record_bytes ? record_bytes - size : 0, 's');
    return encode(record);
}

struct query
{
    const char* name;
    std::string request;
};

std::string common_words(std::size_t count)
{
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += (i == 0 ? "" : " ") + word(i);
    return all;
}

std::vector<query> queries()
{
    return {
        {"the most frequent word", R"({"q":")" + word(0) + R"(","sort":"title"})"},
        {"two letters", R"({"q":"ka","sort":"title"})"},
        {"one letter", R"({"q":"k","sort":"title"})"},
        {"two words and a prefix", R"({"q":")" + word(0) + ' ' + word(1) + R"( ka"})"},
        {"62 frequent words", R"({"q":")" + common_words(62) + R"("})"},
        {"a genre and a tag", R"({"genre":"GENRE 7","tag":"tag-3","sort":"title"})"},
        {"a tag, from the middle", R"({"tag":"tag-3","sort":"title","after":"ros/x"})"},
        {"all, 1,000 of them", R"({"sort":"title","limit":1000})"},
        {"no such word", R"({"q":"qqqq"})"},
    };
}

} // namespace

void search(const settings& with)
{
    const auto count = std::min<std::size_t>(with.size, 100'000);
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same titles each time
    zipf words(50'000);
    std::vector<catalogue_seed> records;
    records.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        records.push_back({asset(i), record_of(i, words, random)});

    search_index index;
    std::vector<catalogue_entry> entries(count);
    for (std::size_t i = 0; i < count; ++i)
        entries[i].value = std::move(records[i].value);
    const auto held = static_cast<double>(resident_bytes(::getpid()));
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i)
        index.set(records[i].id.text(), entries[i]);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto indexed = static_cast<double>(resident_bytes(::getpid()));
    note(number(static_cast<double>(count)) + " titles of 1 KiB, " + number(static_cast<double>(index.terms())) +
         " different words, genres and tags. The index takes " + number((indexed - held) / static_cast<double>(count)) +
         " bytes and " + number(took.count() * 1e6 / static_cast<double>(count), 1) + " µs a title.");

    const auto removing = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i)
        index.removed(records[i].id.text());
    const std::chrono::duration<double> removed = std::chrono::steady_clock::now() - removing;
    note("Removing all of them takes " + number(removed.count() * 1e6 / static_cast<double>(count), 1) +
         " µs a title.");

    std::vector<catalogue_seed> seeds;
    for (std::size_t i = 0; i < count; ++i)
        seeds.push_back({records[i].id, std::move(entries[i].value)});
    memory_store store(std::move(seeds), make_metadata_index());
    const auto endpoints = metadata_endpoints(store);
    const auto& endpoint = endpoints.back();
    table out("metadata.search, µs within the service", {"search", "found", "p50", "p99", "slowest"});
    for (const auto& each : queries())
    {
        service_request request{{}, deadline::in(std::chrono::hours(1)), false};
        request.msg.data = each.request;
        std::vector<float> times;
        std::string reply;
        const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(with.seconds);
        while (std::chrono::steady_clock::now() < until)
        {
            const auto start = std::chrono::steady_clock::now();
            const auto answer = endpoint.at_once(request);
            const std::chrono::duration<float, std::micro> spent = std::chrono::steady_clock::now() - start;
            times.push_back(spent.count());
            reply = answer->value().data;
        }
        const auto total = read_object(reply).value().at("total").to_number<double>();
        const auto slowest = quantile(times, 1);
        out.row(
            {each.name, number(total), number(quantile(times, 0.5)), number(quantile(times, 0.99)), number(slowest)});
    }
}

} // namespace marquee::bench
