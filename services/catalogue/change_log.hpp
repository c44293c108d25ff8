// The timestamps of changes by this instance: the bucket's acknowledgement does not have them, the
// watch does.
#pragma once

#include "schemas/record_tag.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace marquee
{

/// Keeps the tags of messages that came since the oldest pending change began. Not thread-safe.
class change_log
{
public:
    /// A pending change: tags that come while it exists can be looked up.
    class change
    {
    public:
        change(std::shared_ptr<change_log> log, std::uint64_t taken)
            : log_(std::move(log)), since_(log_->since_.insert(taken))
        {
        }
        ~change() { log_->end(since_); }
        change(const change&) = delete;
        change& operator=(const change&) = delete;

    private:
        std::shared_ptr<change_log> log_;
        std::multiset<std::uint64_t>::iterator since_;
    };

    /// A message came; in order of the revisions.
    void taken(const record_tag& tag)
    {
        if (!since_.empty())
            taken_.push_back(tag);
    }

    /// Revisions may be used again: what is kept is void.
    void clear() { taken_.clear(); }

    /// None where no such message came.
    [[nodiscard]] std::optional<record_tag> find(std::uint64_t revision) const;

    [[nodiscard]] std::size_t size() const noexcept { return taken_.size(); }

private:
    void end(std::multiset<std::uint64_t>::iterator which);

    std::multiset<std::uint64_t> since_; ///< for each pending change, the last revision before it
    std::deque<record_tag> taken_;
};

} // namespace marquee
