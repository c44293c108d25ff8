#include "broker/micro/bundle.hpp"

#include "schemas/parse_number.hpp"

#include <optional>

namespace marquee
{

namespace
{

constexpr std::string_view line_end = "\r\n";

/// Reads text from the front of a bundle.
class reader
{
public:
    explicit reader(std::string_view text) : all_(text), rest_(text) {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] std::size_t position() const { return all_.size() - rest_.size(); }

    std::optional<std::string_view> until(std::string_view mark)
    {
        const auto found = rest_.find(mark);
        if (found == std::string_view::npos)
            return std::nullopt;
        const auto text = rest_.substr(0, found);
        rest_.remove_prefix(found + mark.size());
        return text;
    }

    std::optional<std::string_view> bytes(std::size_t count)
    {
        if (count > rest_.size())
            return std::nullopt;
        const auto text = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return text;
    }

    std::optional<std::size_t> number(std::string_view mark)
    {
        const auto digits = until(mark);
        return digits ? parse_number<std::size_t>(*digits) : std::nullopt;
    }

private:
    std::string_view all_;
    std::string_view rest_;
};

bool read_headers(std::string_view text, header_list& into)
{
    reader lines(text);
    while (!lines.at_end())
    {
        const auto line = lines.until(line_end);
        const auto colon = line ? line->find(": ") : std::string_view::npos;
        if (colon == std::string_view::npos || colon == 0)
            return false;
        into.set(line->substr(0, colon), line->substr(colon + 2));
    }
    return true;
}

bool read_item(reader& from, message& into)
{
    const auto subject = from.until(" ");
    const auto header_bytes = from.number(" ");
    const auto data_bytes = from.number(line_end);
    if (!subject || subject->empty() || !header_bytes || !data_bytes)
        return false;
    const auto headers = from.bytes(*header_bytes);
    const auto data = from.bytes(*data_bytes);
    const auto end = from.bytes(line_end.size());
    if (!headers || !data || !end || *end != line_end || !read_headers(*headers, into.headers))
        return false;
    into.subject = *subject;
    into.data = *data;
    return true;
}

void append_number(std::string& out, std::size_t value)
{
    char digits[20]; // NOLINT(cppcoreguidelines-avoid-c-arrays): for to_chars
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

} // namespace

void append_to_bundle(std::string& bundle, std::string_view subject, const header_list& headers, std::string_view data,
                      std::string_view without)
{
    std::size_t header_bytes = 0;
    for (const auto& [name, value] : headers)
        if (name != without)
            header_bytes += name.size() + value.size() + 4;
    bundle += subject.empty() ? std::string_view("-") : subject;
    bundle += ' ';
    append_number(bundle, header_bytes);
    bundle += ' ';
    append_number(bundle, data.size());
    bundle += line_end;
    for (const auto& [name, value] : headers)
        if (name != without)
            (((bundle += name) += ": ") += value) += line_end;
    bundle += data;
    bundle += line_end;
}

result<std::vector<message>> read_bundle(std::string_view text)
{
    reader from(text);
    std::vector<message> items;
    while (!from.at_end())
    {
        const auto start = from.position();
        if (items.size() == max_bundle_items)
            return fail(errc::bad_request, "more than " + std::to_string(max_bundle_items) + " items");
        if (!read_item(from, items.emplace_back()))
            return fail(errc::bad_request, "the item at byte " + std::to_string(start) + " is not well-formed");
    }
    return items;
}

} // namespace marquee
