#include "services/catalogue/memory_store.hpp"

#include <algorithm>

namespace marquee
{

memory_store::memory_store(std::vector<catalogue_seed> seeds, std::unique_ptr<catalogue_index> index)
    : table_(std::move(index))
{
    for (auto& seed : seeds)
        table_.set(seed.id, std::move(seed.value), next());
}

const catalogue_entry* memory_store::get(const asset_id& id) const { return table_.find(id); }

catalogue_page memory_store::list(std::string_view after, std::size_t limit, std::size_t max_bytes) const
{
    return table_.list(after, limit, max_bytes);
}

/// Times grow as revisions do, even where the clock does not.
record_tag memory_store::next()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    last_.stored = std::max(last_.stored + std::chrono::nanoseconds(1), std::chrono::nanoseconds(now));
    ++last_.revision;
    return last_;
}

asio::awaitable<result<record_tag>> memory_store::put(asset_id id, std::string value, expectation expected,
                                                      deadline /*until*/)
{
    if (auto allowed = table_.check_put(id, expected); allowed.has_error())
        co_return allowed.error();
    if (const auto* live = table_.find(id); live != nullptr && live->value == value)
        co_return live->tag;
    table_.set(id, std::move(value), next());
    co_return last_;
}

asio::awaitable<result<record_tag>> memory_store::erase(asset_id id, expectation expected, deadline /*until*/)
{
    if (auto allowed = table_.check_erase(id, expected); allowed.has_error())
        co_return allowed.error();
    table_.mark_deleted(id, next());
    co_return last_;
}

} // namespace marquee
