#include "services/reporting/projection/erased_users.hpp"

#include "schemas/base32_sha256.hpp"
#include "services/reporting/projection/statement_use.hpp"

#include <algorithm>

namespace marquee
{
namespace
{

std::string hash_of_user(const std::string& id) { return '#' + base32_sha256(id); }

} // namespace

erased_users::erased_users(SQLite::Database& db)
    : db_(db), any_erasure_(db, "SELECT EXISTS (SELECT 1 FROM erasures)"),
      erased_at_(db, "SELECT sequence FROM erasures WHERE user = ?"),
      uses_(db, "SELECT use, id, user, sequence FROM first_uses WHERE use > ? AND use <= ? ORDER BY use"),
      first_row_(db, "SELECT use FROM first_uses WHERE use > ? ORDER BY use LIMIT 1")
{
    read_hidings();
}

void erased_users::note(const std::string& user, std::uint64_t sequence, std::int64_t time, std::int64_t window)
{
    SQLite::Statement note(db_, "INSERT OR REPLACE INTO erasures (user, sequence, time) VALUES (?, ?, ?)");
    note.bind(1, hash_of_user(user));
    note.bind(2, number(sequence));
    note.bind(3, time);
    note.exec();
    if (window == 0)
        return;
    SQLite::Statement drop(db_, "DELETE FROM erasures WHERE time <= ?");
    drop.bind(1, time - window);
    drop.exec();
}

std::uint64_t erased_users::erased_at(const std::string& user)
{
    {
        const use_of guard(any_erasure_); // mostly there is none, and no hash to be made
        if (!any_erasure_.executeStep() || any_erasure_.getColumn(0).getInt() == 0)
            return 0;
    }
    const use_of guard(erased_at_);
    erased_at_.bind(1, hash_of_user(user));
    return erased_at_.executeStep() ? count_at(erased_at_, 0) : 0;
}

std::vector<std::pair<std::string, std::uint64_t>> erased_users::between(std::uint64_t after, std::uint64_t through,
                                                                         std::size_t limit)
{
    std::vector<std::pair<std::string, std::uint64_t>> found;
    SQLite::Statement read(db_, "SELECT user, sequence FROM erasures WHERE sequence > ? AND sequence <= ? "
                                "ORDER BY sequence DESC LIMIT ?");
    read.bind(1, number(after));
    read.bind(2, number(through));
    read.bind(3, number(limit));
    while (read.executeStep())
        found.emplace_back(read.getColumn(0).getString().substr(1), count_at(read, 1));
    return found;
}

void erased_users::begin_hiding(const std::string& user, std::uint64_t sequence)
{
    const auto last = db_.execAndGet("SELECT coalesce(max(use), 0) FROM first_uses").getInt64();
    SQLite::Statement begin(db_, "INSERT INTO hidings (user, sequence, last) VALUES (?, ?, ?)");
    begin.bind(1, user);
    begin.bind(2, number(sequence));
    begin.bind(3, last);
    begin.exec();
    begun_ = {{db_.getLastInsertRowid(), last}, user, sequence};
}

void erased_users::begun()
{
    hidings_.push_back(begun_.which);
    auto& of_user = hidden_[begun_.user];
    of_user = std::max(of_user, begun_.sequence);
}

void erased_users::read_hidings()
{
    hidings_.clear();
    hidden_.clear();
    SQLite::Statement read(db_, "SELECT number, user, sequence, last FROM hidings ORDER BY number");
    while (read.executeStep())
    {
        hidings_.push_back({read.getColumn(0).getInt64(), read.getColumn(3).getInt64()});
        auto& sequence = hidden_[read.getColumn(1).getString()];
        sequence = std::max(sequence, count_at(read, 2));
    }
}

bool erased_users::hides(const std::string& user, std::int64_t sequence) const
{
    const auto found = hidden_.find(user);
    return found != hidden_.end() && std::cmp_less(sequence, found->second);
}

erased_users::part erased_users::next_part(std::size_t rows)
{
    if (in_pass_ == 0)
    {
        in_pass_ = hidings_.size();
        passed_ = 0;
    }
    std::int64_t last = 0;
    for (std::size_t i = 0; i < in_pass_; ++i)
        last = std::max(last, hidings_[i].last);
    auto before = last; // there is nothing left, or those before are pruned
    {
        const use_of guard(first_row_);
        first_row_.bind(1, passed_);
        if (first_row_.executeStep())
            before = std::min(last, first_row_.getColumn(0).getInt64() - 1);
    }
    part found;
    found.through = std::min(last, before + static_cast<std::int64_t>(rows));
    found.ends_pass = found.through >= last;
    const use_of guard(uses_);
    uses_.bind(1, before);
    uses_.bind(2, found.through);
    while (uses_.executeStep())
        if (hides(uses_.getColumn(2).getString(), uses_.getColumn(3).getInt64()))
            found.uses.emplace_back(uses_.getColumn(0).getInt64(), uses_.getColumn(1).getString());
    return found;
}

void erased_users::save_part(const part& hidden)
{
    if (!hidden.ends_pass)
        return;
    SQLite::Statement drop(db_, "DELETE FROM hidings WHERE number <= ?");
    drop.bind(1, hidings_[in_pass_ - 1].number);
    drop.exec();
}

void erased_users::forget_part(const part& hidden)
{
    passed_ = hidden.through;
    if (!hidden.ends_pass)
        return;
    in_pass_ = 0;
    read_hidings();
}

} // namespace marquee
