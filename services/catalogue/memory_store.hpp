// A catalogue in memory only, for tests and benchmarks.
#pragma once

#include "services/catalogue/catalogue_table.hpp"

namespace marquee
{

/// Revisions are one counter for all assets, as in a JetStream bucket. Changes fail only where the
/// condition does not hold; deadlines are ignored. Not thread-safe.
class memory_store : public catalogue_store
{
public:
    /// The seeds become revisions 1, 2, …
    explicit memory_store(std::vector<catalogue_seed> seeds = {}, std::unique_ptr<catalogue_index> index = nullptr);

    [[nodiscard]] const catalogue_entry* get(const asset_id& id) const override;
    [[nodiscard]] catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const override;
    [[nodiscard]] const catalogue_index* index() const noexcept override { return table_.index(); }
    [[nodiscard]] asio::awaitable<result<record_tag>> put(asset_id id, std::string value, expectation expected,
                                                          deadline until) override;
    [[nodiscard]] asio::awaitable<result<record_tag>> erase(asset_id id, expectation expected, deadline until) override;

private:
    record_tag next();

    catalogue_table table_;
    record_tag last_;
};

} // namespace marquee
