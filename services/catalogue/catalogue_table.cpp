#include "services/catalogue/catalogue_table.hpp"

namespace marquee
{

const catalogue_entry* catalogue_table::find(const asset_id& id) const
{
    const auto found = slots_.find(id.text());
    return found == slots_.end() || found->second.deleted ? nullptr : &found->second.entry;
}

catalogue_page catalogue_table::list(std::string_view after, std::size_t limit, std::size_t max_bytes) const
{
    catalogue_page page;
    std::size_t bytes = 0;
    std::string_view last;
    for (auto at = order_.upper_bound(after); at != order_.end(); ++at)
    {
        const auto& value = at->second->entry.value;
        bytes += value.size() + 1; // and a comma
        if (page.values.size() == limit || (bytes > max_bytes && !page.values.empty()))
        {
            page.next = last;
            break;
        }
        page.values.push_back(value);
        last = at->first;
    }
    return page;
}

revision catalogue_table::last_revision(const asset_id& id) const
{
    const auto found = slots_.find(id.text());
    return found == slots_.end() ? 0 : found->second.entry.rev;
}

result<void> catalogue_table::check_put(const asset_id& id, std::optional<revision> expected) const
{
    if (!expected)
        return {};
    const auto* live = find(id);
    const revision now = live ? live->rev : 0;
    if (now == *expected)
        return {};
    return fail(errc::revision_mismatch, live ? "the revision is " + std::to_string(now) : "the asset does not exist");
}

result<void> catalogue_table::check_erase(const asset_id& id, std::optional<revision> expected) const
{
    if (auto matches = check_put(id, expected); matches.has_error())
        return matches;
    if (!find(id))
        return fail(errc::asset_not_found);
    return {};
}

void catalogue_table::set(const asset_id& id, std::string value, revision rev)
{
    const auto [at, added] = slots_.try_emplace(id.text());
    at->second = slot{{std::move(value), rev}, false};
    order_.insert_or_assign(at->first, &at->second);
}

void catalogue_table::mark_deleted(const asset_id& id, revision rev)
{
    const auto [at, added] = slots_.try_emplace(id.text());
    at->second = slot{{{}, rev}, true};
    order_.erase(at->first);
}

} // namespace marquee
