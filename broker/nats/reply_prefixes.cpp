#include "broker/nats/reply_prefixes.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::string_view token_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";

bool is_publishable(std::string_view subject) noexcept
{
    std::size_t begin = 0; // of the token
    for (std::size_t at = 0; at <= subject.size(); ++at)
    {
        if (at < subject.size() && subject[at] != '.')
        {
            const auto c = static_cast<unsigned char>(subject[at]);
            if (c <= ' ' || c == 0x7f)
                return false;
            continue;
        }
        const auto length = at - begin;
        if (length == 0 || (length == 1 && (subject[begin] == '*' || subject[begin] == '>')))
            return false;
        begin = at + 1;
    }
    return true;
}

} // namespace

const std::vector<std::string>& reply_prefixes::usual()
{
    static const std::vector<std::string> list{"_INBOX", "_INBOX_*", "_R_"};
    return list;
}

reply_prefixes::reply_prefixes(std::vector<std::string> list, std::string own)
{
    if (list.empty())
        list = usual();
    list.push_back(std::move(own));
    for (auto& text : list)
    {
        const bool open = text.ends_with('*');
        if (open)
            text.pop_back();
        all_.push_back({std::move(text), open});
    }
}

bool reply_prefixes::allow(std::string_view subject) const noexcept
{
    const auto begins = [subject](const prefix& each)
    {
        if (!subject.starts_with(each.text))
            return false;
        const auto end = each.open ? subject.find('.', each.text.size()) : each.text.size();
        return end < subject.size() && subject[end] == '.';
    };
    return std::any_of(all_.begin(), all_.end(), begins) && is_publishable(subject);
}

bool is_reply_prefix(std::string_view text) noexcept
{
    if (text.ends_with('*'))
        text.remove_suffix(1);
    return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos &&
           text.find_first_not_of(token_characters) == std::string_view::npos;
}

} // namespace marquee
