// A whole bucket in memory: live records and delete markers, in byte order of the ids.
#pragma once

#include "services/catalogue/catalogue_index.hpp"

#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace marquee
{

/// What every store serves from. Not thread-safe.
class catalogue_table
{
public:
    catalogue_table() = default;
    /// `index`, which may be null, follows the live records.
    explicit catalogue_table(std::unique_ptr<catalogue_index> index) : index_(std::move(index)) {}
    catalogue_table(const catalogue_table&) = delete; // its order points into itself
    catalogue_table& operator=(const catalogue_table&) = delete;
    catalogue_table(catalogue_table&&) = default;
    catalogue_table& operator=(catalogue_table&&) = default;
    ~catalogue_table() = default;

    /// The live record, or null. Valid until the next change.
    [[nodiscard]] const catalogue_entry* find(const asset_id& id) const;

    /// See catalogue_store::index.
    [[nodiscard]] const catalogue_index* index() const noexcept { return index_.get(); }

    /// See catalogue_store::list.
    [[nodiscard]] catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const;

    /// The revision of the record or of its delete marker; 0 where the asset was never written.
    [[nodiscard]] revision last_revision(const asset_id& id) const;

    /// Fails with revision_mismatch where the live record, or its absence, is not as expected. A
    /// delete marker is no record: expecting its revision or its tag fails.
    [[nodiscard]] result<void> check_put(const asset_id& id, const expectation& expected) const;

    /// The same for a delete, and asset_not_found where none is there and none was expected.
    [[nodiscard]] result<void> check_erase(const asset_id& id, const expectation& expected) const;

    /// Replaces the record, or the delete marker. `alone`: the message removed all before it on its
    /// subject.
    void set(const asset_id& id, std::string value, record_tag tag, bool alone = false);

    /// Replaces the record with a delete marker.
    void mark_deleted(const asset_id& id, record_tag tag, bool alone = false);

    /// A subject that is no asset's: counted, never served.
    void set_stranger(std::string_view subject, record_tag tag, bool alone = false);

    /// Removes the asset's record or delete marker.
    void forget(const asset_id& id);

    /// Removes entries that are not among `keys` (of key_of and key_of_stranger) and not newer than
    /// `upto`. Returns their number.
    std::size_t keep_only(const std::unordered_set<std::string>& keys, revision upto);

    /// The key of an entry: an asset's id, or another subject behind a byte that no id has.
    [[nodiscard]] static std::string key_of(const asset_id& id) { return id.text(); }
    [[nodiscard]] static std::string key_of_stranger(std::string_view subject);

    /// Messages are counted as the bucket keeps them: the newest `most` of each subject.
    void keep_history(std::uint32_t most);
    [[nodiscard]] std::uint32_t history() const noexcept { return history_; }

    /// Live records, delete markers and other subjects: the bucket's subjects.
    [[nodiscard]] std::size_t entries() const noexcept { return slots_.size(); }

    /// The bucket's messages.
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

    /// Live records.
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

private:
    struct slot
    {
        catalogue_entry entry;
        std::uint32_t messages = 0;
        bool deleted = false;
    };

    using slot_map = std::unordered_map<std::string, slot>;

    void write(std::string key, catalogue_entry entry, bool deleted, bool alone);
    void remove(slot_map::iterator at);

    slot_map slots_;
    std::map<std::string_view, const slot*>
        order_; ///< live records by id; both point into slots_, whose nodes do not move
    std::uint32_t history_ = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t messages_ = 0;
    std::unique_ptr<catalogue_index> index_; ///< refers to slots_ too
};

} // namespace marquee
