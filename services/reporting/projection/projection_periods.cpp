// Lists: the most viewed, all counts in pages, histories, and views by time.
#include "services/reporting/projection/projection.hpp"

#include "services/reporting/projection/projection_file.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace marquee
{
namespace
{

bool more_viewed(const views_reply& a, const views_reply& b)
{
    return a.views != b.views ? a.views > b.views : a.id < b.id;
}

/// Keeps the first `limit` in order.
template <class Element, class Less>
void keep_first(std::vector<Element>& of, std::size_t limit, Less less)
{
    const auto kept = of.begin() + static_cast<std::ptrdiff_t>(std::min(limit, of.size()));
    std::partial_sort(of.begin(), kept, of.end(), less);
    of.erase(kept, of.end());
}

template <class Element>
struct named
{
    std::string id;
    Element of;
};

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

    /// Of elements with an `asset`, those whose ids follow `after`: the first `limit` in byte order
    /// of the ids.
    template <class Element>
    [[nodiscard]] std::vector<named<Element>> first(const std::vector<Element>& of, const std::string& after,
                                                    std::size_t limit) const
    {
        auto found = first_by_scan(of, after, limit);
        for (const auto& each : of)
            if (!found.second || each.asset >= first_staged_)
                if (auto id = id_of(each.asset); id > after)
                    found.first.push_back({std::move(id), each});
        keep_first(found.first, limit, [](const auto& a, const auto& b) { return a.id < b.id; });
        return std::move(found.first);
    }

private:
    [[nodiscard]] std::string id_of(std::uint32_t number) const
    {
        if (number < first_staged_)
            return tables_.asset_id(number).value_or("");
        const auto found = staged_.find(number);
        return found == staged_.end() ? "" : *found->second;
    }

    /// As first(), of what is written, in the order of the ids: where many elements are there for a
    /// few places, it looks at fewer. False: it does not, or did not in time.
    template <class Element>
    [[nodiscard]] std::pair<std::vector<named<Element>>, bool>
    first_by_scan(const std::vector<Element>& of, const std::string& after, std::size_t limit) const
    {
        constexpr std::size_t few = 1024;
        std::pair<std::vector<named<Element>>, bool> found;
        if (of.size() <= few || limit >= of.size() / 8 || limit == 0)
            return found;
        std::unordered_map<std::uint32_t, const Element*> wanted;
        for (const auto& each : of)
            if (each.asset < first_staged_)
                wanted[each.asset] = &each;
        auto left = 4 * of.size();
        found.second = true;
        tables_.each_id_after(after,
                              [&](std::string_view id, std::uint32_t number)
                              {
                                  if (const auto at = wanted.find(number); at != wanted.end())
                                      found.first.push_back({std::string(id), *at->second});
                                  found.second = --left > 0;
                                  return found.second && found.first.size() < std::min(limit, wanted.size());
                              });
        if (!found.second)
            found.first.clear();
        return found;
    }

    counter_tables& tables_;
    std::uint32_t first_staged_;
    std::unordered_map<std::uint32_t, const std::string*> staged_;
};

/// The greatest `limit` elements by `key`, equal ones in byte order of their ids. Where many are
/// equal to the last of them, most ids are not looked up.
template <class Element, class Key>
std::vector<named<Element>> greatest(const asset_names& names, std::vector<Element> of, std::size_t limit, Key key)
{
    std::vector<Element> equal;
    if (limit == 0)
        return {};
    if (of.size() > limit)
    {
        const auto last = of.begin() + static_cast<std::ptrdiff_t>(limit - 1);
        std::nth_element(of.begin(), last, of.end(),
                         [&](const Element& a, const Element& b) { return key(a) > key(b); });
        const auto least = key(*last);
        std::copy_if(of.begin(), of.end(), std::back_inserter(equal),
                     [&](const Element& each) { return key(each) == least; });
        std::erase_if(of, [&](const Element& each) { return key(each) <= least; });
    }
    auto found = names.first(of, "", of.size());
    std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return key(a.of) > key(b.of); });
    auto rest = names.first(equal, "", limit - std::min(limit, found.size()));
    std::move(rest.begin(), rest.end(), std::back_inserter(found));
    return found;
}

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
            const asset_names names(assets_, tables.counters(), committed_.progress.next_asset);
            std::vector<seen_record> found;
            const auto add = [&found](std::vector<named<seen_asset>> all)
            {
                for (auto& [asset, each] : all)
                    found.push_back({std::move(asset), each.views, each.last});
            };
            if (after)
            {
                std::vector<seen_asset> equal;
                std::copy_if(seen.begin(), seen.end(), std::back_inserter(equal),
                             [&](const seen_asset& each) { return each.last == after->last; });
                std::erase_if(seen, [&](const seen_asset& each) { return each.last >= after->last; });
                add(names.first(equal, after->id, limit));
            }
            add(greatest(names, std::move(seen), limit - found.size(),
                         [](const seen_asset& each) { return each.last; }));
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
            const asset_names names(assets_, tables.counters(), committed_.progress.next_asset);
            std::vector<views_reply> found;
            for (auto& [id, each] : greatest(names, std::move(all), limit, [](const viewed& of) { return of.views; }))
                found.push_back({std::move(id), each.views});
            return found;
        });
}

} // namespace marquee
