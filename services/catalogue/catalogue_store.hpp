// What a catalogue service (metadata, cdnurl) keeps: one record an asset, with revisions.
#pragma once

#include "broker/deadline.hpp"
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

/// A number that grows with every change of the whole bucket. 0 is no revision: "absent or deleted" where one is expected.
using revision = std::uint64_t;

/// A record as `get` answers it: compact JSON with the id inside.
struct catalogue_entry
{
    std::string value;
    record_tag tag;
};

/// What a change expects of its asset. Where both are given, both hold.
struct expectation
{
    std::optional<revision> rev;   ///< 0: it is absent or deleted
    std::optional<record_tag> tag; ///< one of revision 0 is no record's: nothing meets it

    expectation() = default;
    expectation(std::optional<revision> number) : rev(number) {} // NOLINT(google-explicit-constructor)
    expectation(revision number) : rev(number) {}                // NOLINT(google-explicit-constructor)
    expectation(record_tag state) : tag(state) {}                // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool none() const noexcept { return !rev && !tag; }
};

/// An asset's record at the time of creation of a bucket.
struct catalogue_seed
{
    asset_id id;
    std::string value;
};

/// Part of a list. The views are valid until the store changes or the caller suspends.
struct catalogue_page
{
    std::vector<std::string_view> values; ///< in byte order of the ids
    std::string_view next;                ///< the last id of the page; empty where nothing follows
};

/// Reads are answered from memory and never wait. All members are called on one thread.
class catalogue_store
{
public:
    virtual ~catalogue_store() = default;

    /// The record, or null where it is absent or deleted. Valid until the store changes or the caller suspends.
    [[nodiscard]] virtual const catalogue_entry* get(const asset_id& id) const = 0;

    /// Records with ids after `after` (all, where it is empty): at most `limit`, and at most `max_bytes` of values unless the first alone is larger.
    [[nodiscard]] virtual catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const = 0;

    /// Stores `value` and answers its tag once this store serves it, or what replaced it: then the tag may have no time. Where the asset is
    /// not as expected: revision_mismatch. `unavailable` promises that nothing happened; `outcome_unknown` that it may have.
    [[nodiscard]] virtual asio::awaitable<result<record_tag>> put(asset_id id, std::string value, expectation expected,
                                                                  deadline until) = 0;

    /// Deletes and answers the tag of the delete marker. Fails like put, and with asset_not_found where there is nothing to delete.
    [[nodiscard]] virtual asio::awaitable<result<record_tag>> erase(asset_id id, expectation expected, deadline until) = 0;
};

} // namespace marquee
