// Messages as plain values. Messages of nats.c do not leave broker/nats: they are copied on the io
// thread and destroyed in batches (see spent_messages).
#pragma once

#include "schemas/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

/// Headers in order (ADR-4). Names are compared byte for byte, as NATS does. All are stored in one
/// string, so that a list costs one allocation. A zero byte follows each name and each value, for
/// nats.c.
class header_list
{
    struct sizes
    {
        std::uint32_t name;
        std::uint32_t value;
    };

public:
    using value_type = std::pair<std::string_view, std::string_view>; ///< name, value

    /// Its views are valid until the list is changed.
    class iterator
    {
    public:
        using value_type = header_list::value_type;
        using difference_type = std::ptrdiff_t;
        using reference = value_type;
        using pointer = const value_type*;
        using iterator_category = std::input_iterator_tag;

        iterator() = default;
        explicit iterator(const char* at) noexcept : at_(at) {}
        value_type operator*() const noexcept
        {
            const auto [name, value] = size();
            return {{text(), name}, {text() + name + 1, value}};
        }
        iterator& operator++() noexcept
        {
            const auto [name, value] = size();
            at_ = text() + name + 1 + value + 1;
            return *this;
        }
        iterator operator++(int) noexcept
        {
            auto before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        friend class header_list;
        [[nodiscard]] sizes size() const noexcept
        {
            sizes both;
            std::memcpy(&both, at_, sizeof both);
            return both;
        }
        [[nodiscard]] const char* text() const noexcept { return at_ + sizeof(sizes); }

        const char* at_ = nullptr;
    };

    /// Adds a header at the end, instead of an earlier one of the same name.
    void set(std::string_view name, std::string_view value)
    {
        if (const auto old = find(name); old != end())
        {
            const auto from = position(old);
            all_.erase(from, position(std::next(old)) - from);
        }
        const sizes both{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
        if (all_.empty())
            all_.reserve(std::max(usual_bytes, sizeof both + name.size() + value.size() + 2));
        all_.append(reinterpret_cast<const char*>(&both),
                    sizeof both); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
        (all_ += name) += '\0';
        (all_ += value) += '\0';
    }

    /// Returns the value, or empty if there is no such header. Valid until the list is changed.
    [[nodiscard]] std::string_view get(std::string_view name) const noexcept
    {
        const auto found = find(name);
        return found == end() ? std::string_view() : (*found).second;
    }

    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) != end(); }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] iterator begin() const noexcept { return iterator(all_.data()); }
    [[nodiscard]] iterator end() const noexcept { return iterator(all_.data() + all_.size()); }

private:
    static constexpr std::size_t usual_bytes = 160; ///< of the headers of a request

    [[nodiscard]] iterator find(std::string_view name) const noexcept
    {
        return std::find_if(begin(), end(), [&](const value_type& each) { return each.first == name; });
    }
    [[nodiscard]] std::size_t position(const iterator& at) const noexcept
    {
        return static_cast<std::size_t>(at.at_ - all_.data());
    }

    std::string all_; ///< per header: sizes, name, zero byte, value, zero byte
};

/// A received message.
struct message
{
    std::string subject;
    std::string reply; ///< empty: no reply is expected
    std::string data;
    header_list headers;
    bool headers_unreadable = false; ///< nats.c cannot parse them (an empty value, for one); `headers` is empty
};

} // namespace marquee
