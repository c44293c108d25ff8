// Lists: the most viewed, all counts in pages, histories, and views by time.
#include "services/reporting/projection/projection.hpp"

#include "services/reporting/projection/projection_file.hpp"

#include <algorithm>
#include <unordered_map>

namespace marquee
{
namespace
{

bool more_viewed(const views_reply& a, const views_reply& b)
{
    return a.views != b.views ? a.views > b.views : a.id < b.id;
}

bool later_seen(const seen_record& a, const seen_record& b) { return a.last != b.last ? a.last > b.last : a.id < b.id; }

/// Keeps the first `limit` in order.
template <class Element, class Less>
void keep_first(std::vector<Element>& of, std::size_t limit, Less less)
{
    const auto kept = of.begin() + static_cast<std::ptrdiff_t>(std::min(limit, of.size()));
    std::partial_sort(of.begin(), kept, of.end(), less);
    of.erase(kept, of.end());
}

/// Drops what cannot be among the greatest `limit` by `key`. Those that are equal to the last of
/// them stay: their ids decide.
template <class Element, class Key>
void drop_below(std::vector<Element>& of, std::size_t limit, Key key)
{
    if (of.size() <= limit || limit == 0)
        return;
    std::vector<std::decay_t<decltype(key(of.front()))>> keys;
    keys.reserve(of.size());
    for (const auto& each : of)
        keys.push_back(key(each));
    const auto last = keys.begin() + static_cast<std::ptrdiff_t>(limit - 1);
    std::nth_element(keys.begin(), last, keys.end(), std::greater<>());
    std::erase_if(of, [&](const Element& each) { return key(each) < *last; });
}

/// The ids of assets by number. Those that are not written yet are staged.
class asset_names
{
public:
    asset_names(const staged_rows<asset_row>& staged, counter_tables& tables, std::uint32_t first_staged)
        : tables_(tables), first_staged_(first_staged)
    {
        staged.each_staged(
            [&](const std::string& id, const asset_row& row)
            {
                if (row.number >= first_staged)
                    staged_[row.number] = &id;
            });
    }

    [[nodiscard]] std::string operator()(std::uint32_t number) const
    {
        if (number < first_staged_)
            return tables_.asset_id(number).value_or("");
        const auto found = staged_.find(number);
        return found == staged_.end() ? "" : *found->second;
    }

private:
    counter_tables& tables_;
    std::uint32_t first_staged_;
    std::unordered_map<std::uint32_t, const std::string*> staged_;
};

asset_record record_of(const std::string& id, const asset_row& row) { return {id, row.views, row.viewers, row.last}; }

} // namespace

result<std::optional<asset_record>> projection::asset(const asset_id& id)
{
    return file_->run(
        [&](projection_tables&)
        {
            const auto& row = assets_.get(id.text());
            return row.views == 0 ? std::nullopt : std::optional(record_of(id.text(), row));
        });
}

result<std::optional<user_record>> projection::user(const user_id& id)
{
    return file_->run(
        [&](projection_tables&)
        {
            const auto& row = users_.get(id.text());
            return row.views == 0 ? std::nullopt : std::optional(user_record{row.views, row.seen.size(), row.last});
        });
}

/// An asset that is not staged can only have been overtaken: the written top has all of those that
/// still belong there.
result<std::vector<views_reply>> projection::top(std::size_t limit)
{
    return file_->run(
        [&](projection_tables& tables)
        {
            auto all = tables.counters().top(limit);
            std::erase_if(all, [this](const views_reply& each) { return assets_.is_staged(each.id); });
            assets_.each_staged([&](const std::string& id, const asset_row& row) { all.push_back({id, row.views}); });
            keep_first(all, limit, more_viewed);
            return all;
        });
}

result<std::vector<asset_record>> projection::assets_after(const std::string& after, std::size_t limit)
{
    return file_->run(
        [&](projection_tables& tables)
        {
            std::vector<asset_record> all;
            for (const auto& [id, row] : tables.counters().assets_after(after, limit))
                if (!assets_.is_staged(id))
                    all.push_back(record_of(id, row));
            assets_.each_staged(
                [&](const std::string& id, const asset_row& row)
                {
                    if (id > after)
                        all.push_back(record_of(id, row));
                });
            keep_first(all, limit, [](const asset_record& a, const asset_record& b) { return a.id < b.id; });
            return all;
        });
}

result<std::optional<std::vector<seen_record>>>
projection::history(const user_id& id, const std::optional<history_place>& after, std::size_t limit)
{
    return file_->run(
        [&](projection_tables& tables) -> std::optional<std::vector<seen_record>>
        {
            const auto& row = users_.get(id.text());
            if (row.views == 0)
                return std::nullopt;
            auto seen = row.seen;
            const asset_names name(assets_, tables.counters(), committed_.progress.next_asset);
            if (after)
                std::erase_if(
                    seen, [&](const seen_asset& each)
                    { return each.last > after->last || (each.last == after->last && name(each.asset) <= after->id); });
            drop_below(seen, limit, [](const seen_asset& each) { return each.last; });
            std::vector<seen_record> found;
            for (const auto& each : seen)
                found.push_back({name(each.asset), each.views, each.last});
            keep_first(found, limit, later_seen);
            return found;
        });
}

result<std::optional<std::vector<std::uint64_t>>> projection::series(const step_range& steps,
                                                                     const std::optional<asset_id>& of)
{
    return file_->run(
        [&](projection_tables&) -> std::optional<std::vector<std::uint64_t>>
        {
            if (!of)
                return steps_.series(steps, std::nullopt);
            const auto row = assets_.get(of->text());
            if (row.views == 0)
                return std::nullopt;
            return steps_.series(steps, row.number);
        });
}

result<bool> projection::sum_next(const step_range& steps, window_kind kind)
{
    return file_->run([&](projection_tables&) { return steps_.sum_next(steps, kind); });
}

result<std::vector<views_reply>> projection::top(const step_range& steps, std::size_t limit)
{
    return file_->run(
        [&](projection_tables& tables)
        {
            const auto& views = steps_.by_asset(steps);
            struct viewed
            {
                std::uint32_t asset;
                std::uint64_t views;
            };
            std::vector<viewed> all;
            for (std::uint32_t asset = 1; asset < views.size(); ++asset)
                if (views[asset] > 0)
                    all.push_back({asset, views[asset]});
            drop_below(all, limit, [](const viewed& each) { return each.views; });
            const asset_names name(assets_, tables.counters(), committed_.progress.next_asset);
            std::vector<views_reply> found;
            for (const auto& each : all)
                found.push_back({name(each.asset), each.views});
            keep_first(found, limit, more_viewed);
            return found;
        });
}

} // namespace marquee
