// A whole bucket in memory: live records, delete markers, byte order. Every store answers from one.
#pragma once

#include "services/catalogue/catalogue_store.hpp"

#include <map>
#include <unordered_map>

namespace marquee
{

/// Not thread-safe.
class catalogue_table
{
public:
    /// The live record, or null. Valid until the next change.
    [[nodiscard]] const catalogue_entry* find(const asset_id& id) const;

    /// See catalogue_store::list.
    [[nodiscard]] catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const;

    /// The revision of the record or of its delete marker; 0 where the asset was never written.
    [[nodiscard]] revision last_revision(const asset_id& id) const;

    /// Whether a put may go on: `expected` is the live record's revision, or 0 where there is none, or not given. Else revision_mismatch.
    /// The revision of a delete marker is no record's: expecting it fails.
    [[nodiscard]] result<void> check_put(const asset_id& id, std::optional<revision> expected) const;

    /// The same for a delete. Without a live record: asset_not_found, or revision_mismatch where one was expected.
    [[nodiscard]] result<void> check_erase(const asset_id& id, std::optional<revision> expected) const;

    /// Replaces the record, or the delete marker.
    void set(const asset_id& id, std::string value, revision rev);

    /// Replaces the record with a delete marker.
    void mark_deleted(const asset_id& id, revision rev);

    /// Live records and delete markers.
    [[nodiscard]] std::size_t entries() const noexcept { return slots_.size(); }

    /// Live records.
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

private:
    struct slot
    {
        catalogue_entry entry;
        bool deleted = false;
    };

    std::unordered_map<std::string, slot> slots_;
    std::map<std::string_view, const slot*> order_; ///< live records by id; both point into slots_, whose nodes do not move
};

} // namespace marquee
