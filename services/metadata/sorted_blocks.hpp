// A sorted sequence of small values: inserted into and walked quickly.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace marquee
{

/// Values in an order that the caller names at each call; it must be the same each time. Short
/// arrays one after the other: a walk reads memory in sequence, and an insertion moves one array.
/// Not thread-safe.
template <class Value>
class sorted_blocks
{
public:
    static constexpr std::size_t most_in_block = 512;

    struct position
    {
        std::size_t block = 0;
        std::size_t at = 0;
    };

    /// The first value for which `before(value)` is false; it must be true for all before it.
    template <class Before>
    [[nodiscard]] position first_not(const Before& before) const
    {
        const auto block =
            std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& each) { return before(each.back()); });
        if (block == blocks_.end())
            return {blocks_.size(), 0};
        const auto at = std::partition_point(block->begin(), block->end(), before);
        return {static_cast<std::size_t>(block - blocks_.begin()), static_cast<std::size_t>(at - block->begin())};
    }

    /// The value there; null at the end.
    [[nodiscard]] const Value* value_at(position where) const noexcept
    {
        return where.block < blocks_.size() ? &blocks_[where.block][where.at] : nullptr;
    }

    /// Inserts before a position that first_not() has just given.
    void insert(position where, Value value)
    {
        if (blocks_.empty())
            blocks_.emplace_back();
        if (where.block == blocks_.size())
            where = {blocks_.size() - 1, blocks_.back().size()};
        auto& block = blocks_[where.block];
        block.insert(block.begin() + static_cast<std::ptrdiff_t>(where.at), value);
        if (block.size() <= most_in_block)
            return;
        const auto half = block.begin() + static_cast<std::ptrdiff_t>(block.size() / 2);
        std::vector<Value> second(half, block.end());
        block.erase(half, block.end());
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(where.block) + 1, std::move(second));
    }

    /// Erases the value at a position that is not the end.
    void erase(position where)
    {
        auto& block = blocks_[where.block];
        block.erase(block.begin() + static_cast<std::ptrdiff_t>(where.at));
        if (block.empty())
            blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(where.block));
    }

    /// Calls `visit(value)` for each value from a position on, until it returns false.
    template <class Visit>
    void walk(position from, const Visit& visit) const
    {
        for (; from.block < blocks_.size(); ++from.block, from.at = 0)
            for (; from.at < blocks_[from.block].size(); ++from.at)
                if (!visit(blocks_[from.block][from.at]))
                    return;
    }

private:
    std::vector<std::vector<Value>> blocks_; ///< none is empty
};

} // namespace marquee
