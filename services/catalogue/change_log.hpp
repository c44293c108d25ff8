// When the stream stored the changes that this instance makes: the bucket's acknowledgement does not say, the watch does.
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

/// Remembers what was taken in since the oldest change began that is under way. Not thread-safe.
class change_log
{
public:
    /// A change under way. Whatever is taken in during its life can be looked up.
    class change
    {
    public:
        change(std::shared_ptr<change_log> log, std::uint64_t taken) : log_(std::move(log)), since_(log_->since_.insert(taken)) {}
        ~change() { log_->end(since_); }
        change(const change&) = delete;
        change& operator=(const change&) = delete;

    private:
        std::shared_ptr<change_log> log_;
        std::multiset<std::uint64_t>::iterator since_;
    };

    /// In order of the revisions.
    void taken(const record_tag& tag)
    {
        if (!since_.empty())
            taken_.push_back(tag);
    }

    /// Revisions may be used again: what is remembered is void.
    void clear() { taken_.clear(); }

    /// Nothing where it was never taken in.
    [[nodiscard]] std::optional<record_tag> find(std::uint64_t revision) const;

    [[nodiscard]] std::size_t size() const noexcept { return taken_.size(); }

private:
    void end(std::multiset<std::uint64_t>::iterator which);

    std::multiset<std::uint64_t> since_; ///< for each change, the last revision taken in before it
    std::deque<record_tag> taken_;
};

} // namespace marquee
