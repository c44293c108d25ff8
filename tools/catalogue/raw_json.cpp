#include "tools/catalogue/raw_json.hpp"

#include "schemas/ids.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace marquee::catalogue_files
{
namespace
{

namespace json = boost::json;

json::value parse(std::string_view text, boost::system::error_code& ec)
{
    json::parse_options limits;
    limits.max_depth = 32;
    return json::parse(text, ec, {}, limits);
}

/// Walks over text that is known to be JSON.
class cursor
{
public:
    explicit cursor(std::string_view text) : text_(text) { skip_space(); }

    /// Takes one byte where it is next.
    bool take(char wanted)
    {
        if (at_ >= text_.size() || text_[at_] != wanted)
            return false;
        ++at_;
        skip_space();
        return true;
    }

    /// Takes a value.
    std::string_view value()
    {
        const auto from = at_;
        if (at_ < text_.size() && text_[at_] == '"')
            pass_string();
        else if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '['))
            pass_nested();
        else
            at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
        const auto found = text_.substr(from, at_ - from);
        skip_space();
        return found;
    }

private:
    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

    void pass_string()
    {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\')
                ++at_;
        at_ = std::min(at_ + 1, text_.size());
    }

    void pass_nested()
    {
        std::size_t depth = 0;
        do
        {
            const char c = text_[at_];
            if (c == '"')
            {
                pass_string();
                continue;
            }
            if (c == '{' || c == '[')
                ++depth;
            if (c == '}' || c == ']')
                --depth;
            ++at_;
        } while (depth > 0 && at_ < text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace

std::optional<std::vector<raw_member>> members_of_object(std::string_view text)
{
    boost::system::error_code ec;
    if (const auto parsed = parse(text, ec); ec || !parsed.is_object())
        return std::nullopt;
    std::vector<raw_member> found;
    cursor at(text);
    at.take('{');
    if (at.take('}'))
        return found;
    do
    {
        const auto name = at.value();
        at.take(':');
        found.push_back({text_of_string(name).value_or(""), at.value()});
    } while (at.take(','));
    return found;
}

std::optional<std::vector<std::string_view>> elements_of_array(std::string_view text)
{
    boost::system::error_code ec;
    if (const auto parsed = parse(text, ec); ec || !parsed.is_array())
        return std::nullopt;
    std::vector<std::string_view> found;
    cursor at(text);
    at.take('[');
    if (at.take(']'))
        return found;
    do
        found.push_back(at.value());
    while (at.take(','));
    return found;
}

std::optional<std::string> text_of_string(std::string_view raw)
{
    if (raw.size() < 2 || raw.front() != '"')
        return std::nullopt;
    if (const auto inner = raw.substr(1, raw.size() - 2);
        raw.back() == '"' && inner.find_first_of("\\\"") == std::string_view::npos)
        return std::string(inner);
    boost::system::error_code ec;
    const auto parsed = parse(raw, ec);
    if (ec || !parsed.is_string())
        return std::nullopt;
    return std::string(parsed.as_string().data(), parsed.as_string().size());
}

bool is_same_value(std::string_view one, std::string_view other)
{
    if (one == other)
        return true;
    boost::system::error_code first;
    boost::system::error_code second;
    const auto a = parse(one, first);
    const auto b = parse(other, second);
    return !first && !second && a == b;
}

std::string fault_of_json(std::string_view text)
{
    if (const auto valid = valid_utf8_prefix(text); valid < text.size())
        return "not UTF-8 at byte " + std::to_string(valid + 1);
    boost::system::error_code ec;
    const auto parsed = parse(text, ec);
    return ec ? "not JSON: " + ec.message() : std::string();
}

} // namespace marquee::catalogue_files
