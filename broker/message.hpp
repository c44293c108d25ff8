// Messages as plain values. nats.c's own message never leaves broker/: it is copied on the io thread and destroyed in batches
// (its destructor wakes a library thread each time).
#pragma once

#include "schemas/error.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// Headers in order (ADR-4). Names are compared exactly, as NATS does.
class header_list
{
public:
    using value_type = std::pair<std::string, std::string>;

    header_list() = default;

    void set(std::string_view name, std::string_view value)
    {
        for (auto& [n, v] : items_)
            if (n == name)
            {
                v = value;
                return;
            }
        items_.emplace_back(name, value);
    }

    /// The value, or empty where the header is absent. Valid while the list is unchanged.
    [[nodiscard]] std::string_view get(std::string_view name) const noexcept
    {
        for (const auto& [n, v] : items_)
            if (n == name)
                return v;
        return {};
    }

    [[nodiscard]] bool has(std::string_view name) const noexcept
    {
        return std::any_of(items_.begin(), items_.end(), [&](const auto& item) { return item.first == name; });
    }

    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return items_.begin(); }
    [[nodiscard]] auto end() const noexcept { return items_.end(); }

private:
    std::vector<value_type> items_;
};

/// A message that arrived.
struct message
{
    std::string subject;
    std::string reply; ///< empty: no answer is wanted
    std::string data;
    header_list headers;
    bool headers_unreadable =
        false; ///< there are headers, and nats.c cannot parse them: one has an empty value, say. `headers` is empty
};

} // namespace marquee
