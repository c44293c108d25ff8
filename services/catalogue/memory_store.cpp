#include "services/catalogue/memory_store.hpp"

namespace marquee
{

memory_store::memory_store(std::vector<catalogue_seed> seeds)
{
    for (auto& seed : seeds)
        table_.set(seed.id, std::move(seed.value), ++last_);
}

const catalogue_entry* memory_store::get(const asset_id& id) const { return table_.find(id); }

catalogue_page memory_store::list(std::string_view after, std::size_t limit, std::size_t max_bytes) const
{
    return table_.list(after, limit, max_bytes);
}

asio::awaitable<result<revision>> memory_store::put(asset_id id, std::string value, std::optional<revision> expected,
                                                    deadline /*until*/)
{
    if (auto allowed = table_.check_put(id, expected); allowed.has_error())
        co_return allowed.error();
    table_.set(id, std::move(value), ++last_);
    co_return last_;
}

asio::awaitable<result<revision>> memory_store::erase(asset_id id, std::optional<revision> expected, deadline /*until*/)
{
    if (auto allowed = table_.check_erase(id, expected); allowed.has_error())
        co_return allowed.error();
    table_.mark_deleted(id, ++last_);
    co_return last_;
}

} // namespace marquee
