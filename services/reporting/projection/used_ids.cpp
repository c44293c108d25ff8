// Which ids are used, in the tables.
#include "services/reporting/projection/projection_tables.hpp"

#include "schemas/base32_sha256.hpp"
#include "schemas/event_lines.hpp"
#include "services/reporting/projection/statement_use.hpp"

#include <algorithm>

namespace marquee
{
namespace
{

// No id begins with one of these. What is hidden has a mark by its form, so that ids of the other
// form are not looked for among it.
constexpr char hash_mark = '#'; ///< of ids of any form, as earlier versions hid them; and of users
constexpr char single_mark = '$';
constexpr char batch_mark = '@'; ///< of BATCH.LINE, where BATCH alone is a hash

std::string hash_of(const std::string& id) { return hash_mark + base32_sha256(id); }

std::string hidden_batch(std::string_view batch) { return batch_mark + base32_sha256(batch); }

/// The id of a use whose user was erased.
std::string hidden_id(const std::string& id)
{
    if (const auto of_batch = parse_batch_event_id(id))
        return hidden_batch(of_batch->batch) + '.' + std::to_string(of_batch->line);
    return single_mark + base32_sha256(id);
}

} // namespace

std::string& projection_tables::greatest_like(const std::string& id)
{
    const auto first = static_cast<unsigned char>(id.c_str()[0]);
    auto& known = greatest_.at(first);
    if (!known)
    {
        const std::string from(1, static_cast<char>(first));
        const std::string to(1, static_cast<char>(first + 1)); // ids are ASCII
        const use_of guard(last_like_);
        last_like_.bindNoCopy(1, from);
        last_like_.bindNoCopy(2, to);
        known = last_like_.executeStep() ? last_like_.getColumn(0).getString() : std::string();
    }
    return *known;
}

bool projection_tables::any_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit)
{
    if (erased_.has_hidings())
        return any_use_while_hiding(id, from, to, visit);
    return find_use(id, from, to, visit) || any_hidden_use(id, from, to, visit);
}

bool projection_tables::any_hidden_use(const std::string& id, std::int64_t from, std::int64_t to,
                                       const use_visitor& visit)
{
    if (has_any(hash_mark) && find_use(hash_of(id), from, to, visit))
        return true;
    return has_any(parse_batch_event_id(id) ? batch_mark : single_mark) && find_use(hidden_id(id), from, to, visit);
}

/// In the order that they have when all are hidden.
bool projection_tables::any_use_while_hiding(const std::string& id, std::int64_t from, std::int64_t to,
                                             const use_visitor& visit)
{
    std::vector<std::pair<first_use, std::int64_t>> hidden;
    const auto is_found = [&](const first_use& use, std::int64_t time)
    {
        if (!erased_.hides(use.user, static_cast<std::int64_t>(use.sequence)))
            return visit(use, time);
        hidden.emplace_back(first_use{{}, {}, use.sequence, use.line}, time);
        return false;
    };
    if (find_use(id, from, to, is_found))
        return true;
    (void)any_hidden_use(id, from, to,
                         [&](const first_use& use, std::int64_t time)
                         {
                             hidden.emplace_back(use, time);
                             return false;
                         });
    std::sort(hidden.begin(), hidden.end(),
              [](const auto& a, const auto& b)
              { return std::pair(a.first.sequence, a.first.line) > std::pair(b.first.sequence, b.first.line); });
    return std::any_of(hidden.begin(), hidden.end(), [&](const auto& each) { return visit(each.first, each.second); });
}

bool projection_tables::find_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit)
{
    if (id > greatest_like(id))
        return false;
    const use_of guard(near_);
    near_.bindNoCopy(1, id);
    near_.bind(2, from);
    near_.bind(3, to);
    while (near_.executeStep())
        if (visit({near_.getColumn(3).getString(), near_.getColumn(4).getString(), count_at(near_, 0),
                   count_at(near_, 1)},
                  near_.getColumn(2).getInt64()))
            return true;
    return false;
}

bool projection_tables::any_use_in_batch(const std::string& batch, std::size_t line, std::int64_t from, std::int64_t to,
                                         const use_visitor& visit)
{
    const use_of guard(near_batch_);
    near_batch_.bindNoCopy(1, batch);
    near_batch_.bind(2, from);
    near_batch_.bind(3, to);
    while (near_batch_.executeStep())
    {
        const auto lines = near_batch_.getColumn(2).getString();
        if (line_set::has(lines, line) &&
            visit({{}, {}, count_at(near_batch_, 0), line}, near_batch_.getColumn(1).getInt64()))
            return true;
    }
    return false;
}

bool projection_tables::knows_batch(const std::string& batch)
{
    if (has_any(hash_mark)) // one may be of this batch
        return true;
    return has_batch(batch) || (has_any(batch_mark) && has_batch(hidden_batch(batch)));
}

bool projection_tables::has_batch(const std::string& batch)
{
    const use_of guard(knows_batch_);
    knows_batch_.bindNoCopy(1, batch);
    return knows_batch_.executeStep() && knows_batch_.getColumn(0).getInt() != 0;
}

void projection_tables::take_id(const std::string& id, const id_use& use)
{
    const use_of guard(take_id_);
    take_id_.bind(1, number(use.sequence));
    take_id_.bind(2, number(use.line));
    take_id_.bind(3, use.time);
    take_id_.bindNoCopy(4, id);
    take_id_.bindNoCopy(5, use.asset);
    take_id_.bindNoCopy(6, use.user);
    take_id_.bind(7, use.viewed);
    take_id_.exec();
    if (auto& greatest = greatest_like(id); id > greatest)
        greatest = id;
}

void projection_tables::take_batch(const batch_row& row)
{
    const auto views = pack_views(row.views, step_of(step_kind::hour, row.time / 1'000'000));
    const use_of guard(take_batch_);
    take_batch_.bind(1, number(row.sequence));
    take_batch_.bind(2, row.time);
    take_batch_.bindNoCopy(3, row.batch);
    take_batch_.bindNoCopy(4, row.lines.bytes().data(), static_cast<int>(row.lines.bytes().size()));
    take_batch_.bindNoCopy(5, views.data(), static_cast<int>(views.size()));
    take_batch_.exec();
}

std::size_t projection_tables::prune(const forgotten_until& what, std::size_t limit)
{
    {
        const use_of guard(oldest_);
        if (!oldest_.executeStep() || oldest_.getColumn(0).getInt64() > what.time)
            return 0;
    }
    std::size_t pruned = 0;
    for (auto* table : {&prune_, &prune_batches_})
    {
        const use_of guard(*table);
        table->bind(1, what.time);
        table->bind(2, what.sequence);
        table->bind(3, number(limit));
        pruned += static_cast<std::size_t>(table->exec());
    }
    if (pruned > 0) // the last hash may be gone: then ids need not be looked up twice any more
        for (const auto mark : {hash_mark, single_mark, batch_mark})
            greatest_.at(static_cast<std::size_t>(mark)).reset();
    return pruned;
}

void projection_tables::hide(const erased_users::part& part)
{
    for (const auto& [use, id] : part.uses)
    {
        const auto hash = hidden_id(id);
        const use_of guard(hide_);
        hide_.bindNoCopy(1, hash);
        hide_.bind(2, use);
        hide_.exec();
        if (auto& greatest = greatest_like(hash); hash > greatest)
            greatest = hash;
    }
}

} // namespace marquee
