#include "services/metadata/search.hpp"

#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"
#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/metadata/folding.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

service_result handle_search(const catalogue_store& store, const service_request& request)
{
    const auto wanted =
        request.msg.data.empty() ? result<search_request>(search_request()) : decode<search_request>(request.msg.data);
    if (wanted.has_error())
        return service_error(wanted.error());
    const auto terms = read_search_terms(*wanted);
    if (terms.has_error())
        return service_error(terms.error());
    search_window window;
    window.by_title = wanted->sort == "title";
    window.after = wanted->after ? std::string_view(*wanted->after) : std::string_view();
    window.limit = wanted->limit.value_or(default_page_limit);
    window.max_bytes = max_page_bytes - page_frame_bytes;
    const auto found = static_cast<const search_index*>(store.index())->find(*terms, window);
    auto page = '{' + assets_member(found.records);
    (page += ",\"total\":") += std::to_string(found.total);
    if (!found.next.empty())
        (page += ",\"next\":") += encode_string(found.next);
    return service_reply{page += '}', {}};
}

} // namespace

result<search_terms> read_search_terms(const search_request& request)
{
    search_terms terms;
    if (request.q)
        terms.words = words_of(fold(*request.q));
    if (terms.words.size() > max_search_words)
        return fail(errc::bad_request, "The member \"q\" has more than " + std::to_string(max_search_words) + " words.",
                    "q");
    if (!terms.words.empty())
    {
        terms.prefix = std::move(terms.words.back());
        terms.words.pop_back();
    }
    std::sort(terms.words.begin(), terms.words.end());
    terms.words.erase(std::unique(terms.words.begin(), terms.words.end()), terms.words.end());
    if (request.genre && !request.genre->empty())
        terms.genre = fold(*request.genre);
    if (request.tag && !request.tag->empty())
        terms.tag = fold(*request.tag);
    return terms;
}

endpoint_config search_endpoint(const catalogue_store& store)
{
    endpoint_config endpoint;
    endpoint.name = "search";
    endpoint.subject = subjects::metadata_search().str();
    endpoint.metadata = {{"description", "The records that match words, a genre or a tag, by page"}};
    endpoint.at_once = [&store](const service_request& r) { return handle_search(store, r); };
    return endpoint;
}

} // namespace marquee
