// The store of a catalogue service (metadata, cdnurl): one record per asset, with revisions.
#pragma once

#include "broker/base/deadline.hpp"
#include "schemas/ids.hpp"
#include "schemas/record_tag.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

namespace asio = boost::asio;

/// Grows with every change of the whole bucket. 0, where one is expected: absent or deleted.
using revision = std::uint64_t;

class catalogue_index;

/// A record as `get` returns it: compact JSON with the id inside.
struct catalogue_entry
{
    std::string value;
    record_tag tag;
};

/// The condition of a change (compare-and-set). Where both are given, both must hold.
struct expectation
{
    std::optional<revision> rev;   ///< 0: absent or deleted
    std::optional<record_tag> tag; ///< one of revision 0 matches no record

    expectation() = default;
    expectation(std::optional<revision> number) : rev(number) {} // NOLINT(google-explicit-constructor)
    expectation(revision number) : rev(number) {}                // NOLINT(google-explicit-constructor)
    expectation(record_tag state) : tag(state) {}                // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool none() const noexcept { return !rev && !tag; }
};

/// A record that a new bucket is filled with.
struct catalogue_seed
{
    asset_id id;
    std::string value;
};

/// A page of a list. The views are valid until the store changes or the caller suspends.
struct catalogue_page
{
    std::vector<std::string_view> values; ///< in byte order of the ids
    std::string_view next;                ///< the last id of the page; empty: nothing follows
};

/// Reads come from memory and never wait. All members are called on one thread.
class catalogue_store
{
public:
    virtual ~catalogue_store() = default;

    /// The record, or null where it is absent or deleted. Valid until the store changes or the
    /// caller suspends.
    [[nodiscard]] virtual const catalogue_entry* get(const asset_id& id) const = 0;

    /// Records with ids after `after` (all, where it is empty): at most `limit`, and at most
    /// `max_bytes` of values unless the first alone is larger.
    [[nodiscard]] virtual catalogue_page list(std::string_view after, std::size_t limit,
                                              std::size_t max_bytes) const = 0;

    /// The index of the records that get() and list() serve; null where the service has none.
    [[nodiscard]] virtual const catalogue_index* index() const noexcept = 0;

    /// Stores `value` and returns its tag once this store serves it, or serves what replaced it:
    /// then the tag may have no time. Where the condition holds and the record has that value
    /// already, nothing is written and its tag is returned. Fails with revision_mismatch where the
    /// condition does not hold, with `unavailable` where nothing happened, with outcome_unknown
    /// where it may have.
    [[nodiscard]] virtual asio::awaitable<result<record_tag>> put(asset_id id, std::string value, expectation expected,
                                                                  deadline until) = 0;

    /// Deletes and returns the tag of the delete marker. Fails like put, and with asset_not_found
    /// where nothing is there to delete.
    [[nodiscard]] virtual asio::awaitable<result<record_tag>> erase(asset_id id, expectation expected,
                                                                    deadline until) = 0;
};

} // namespace marquee
