#include "services/catalogue/catalogue_table.hpp"

#include <algorithm>

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
    const auto found = slots_.find(key_of(id));
    return found == slots_.end() ? 0 : found->second.entry.tag.revision;
}

result<void> catalogue_table::check_put(const asset_id& id, const expectation& expected) const
{
    const auto* live = find(id);
    const auto now = live ? live->tag : record_tag();
    const bool as_told = !expected.rev || *expected.rev == now.revision;
    const bool as_tagged = !expected.tag || (live && *expected.tag == now);
    if (as_told && as_tagged)
        return {};
    if (!live)
        return fail(errc::revision_mismatch, "the asset does not exist");
    return fail(errc::revision_mismatch,
                as_told ? "the tag is " + to_text(now) : "the revision is " + std::to_string(now.revision));
}

result<void> catalogue_table::check_erase(const asset_id& id, const expectation& expected) const
{
    if (auto matches = check_put(id, expected); matches.has_error())
        return matches;
    if (!find(id))
        return fail(errc::asset_not_found);
    return {};
}

void catalogue_table::set(const asset_id& id, std::string value, record_tag tag, bool alone)
{
    write(key_of(id), {std::move(value), tag}, false, alone);
}

void catalogue_table::mark_deleted(const asset_id& id, record_tag tag, bool alone)
{
    write(key_of(id), {{}, tag}, true, alone);
}

void catalogue_table::set_stranger(std::string_view subject, record_tag tag, bool alone)
{
    write(key_of_stranger(subject), {{}, tag}, true, alone);
}

std::string catalogue_table::key_of_stranger(std::string_view subject) { return '\x01' + std::string(subject); }

void catalogue_table::write(std::string key, catalogue_entry entry, bool deleted, bool alone)
{
    const auto at = slots_.try_emplace(std::move(key)).first;
    auto& to = at->second;
    to.entry = std::move(entry);
    to.deleted = deleted;
    messages_ -= to.messages;
    to.messages = alone ? 1 : std::min(history_, std::max(to.messages + 1, to.messages));
    messages_ += to.messages;
    if (deleted)
        order_.erase(at->first);
    else
        order_.insert_or_assign(at->first, &to);
    if (index_ && deleted)
        index_->removed(at->first);
    else if (index_)
        index_->set(at->first, to.entry);
}

void catalogue_table::forget(const asset_id& id)
{
    if (const auto at = slots_.find(key_of(id)); at != slots_.end())
        remove(at);
}

std::size_t catalogue_table::keep_only(const std::unordered_set<std::string>& keys, revision upto)
{
    const auto before = slots_.size();
    for (auto at = slots_.begin(); at != slots_.end();)
    {
        const auto each = at++;
        if (each->second.entry.tag.revision <= upto && !keys.contains(each->first))
            remove(each);
    }
    return before - slots_.size();
}

void catalogue_table::remove(slot_map::iterator at)
{
    if (index_)
        index_->removed(at->first);
    order_.erase(at->first);
    messages_ -= at->second.messages;
    slots_.erase(at);
}

void catalogue_table::keep_history(std::uint32_t most)
{
    if (most < history_)
        for (auto& [key, each] : slots_)
        {
            messages_ -= each.messages - std::min(each.messages, most);
            each.messages = std::min(each.messages, most);
        }
    history_ = most;
}

} // namespace marquee
