// What a service keeps besides the records to answer about them: metadata's index of titles.
#pragma once

#include "services/catalogue/catalogue_store.hpp"

#include <functional>
#include <memory>

namespace marquee
{

/// Follows the live records of one catalogue_table. Called by the table, on its thread; a record
/// counts from the call on.
class catalogue_index
{
public:
    virtual ~catalogue_index() = default;

    /// The asset has this record now. Both `id` and `entry` stay where they are until removed().
    virtual void set(std::string_view id, const catalogue_entry& entry) = 0;

    /// The asset has no record any more. Of an unknown id: nothing happens.
    virtual void removed(std::string_view id) = 0;
};

/// Makes the index of a new table; empty: there is none, and nothing is spent on it.
using index_maker = std::function<std::unique_ptr<catalogue_index>()>;

} // namespace marquee
