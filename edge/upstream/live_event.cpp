#include "edge/upstream/live_event.hpp"

#include "schemas/json.hpp"

namespace marquee
{

namespace
{

constexpr std::string_view end_of_event = "}\n\n";

void append_count(std::string& to, std::string_view name, const std::optional<std::uint64_t>& count)
{
    if (count)
        ((to += name) += ':') += std::to_string(*count);
}

} // namespace

live_event::live_event(const live_view& view, const live_position& at) : at_(at), asset_(view.asset), user_(view.user)
{
    text_.reserve(160 + view.asset.size() + view.user.size());
    ((text_ += "id: ") += view.id) += "\ndata: {\"asset\":";
    ((text_ += encode_string(view.asset)) += ",\"time\":") += encode_string(view.time);
    append_count(text_, ",\"assetviews\"", view.assetviews);
    unnamed_ = text_.size();
    (text_ += ",\"user\":") += encode_string(view.user);
    append_count(text_, ",\"userviews\"", view.userviews);
    text_ += end_of_event;
}

void live_event::append_to(std::string& text, bool names_users) const
{
    if (names_users)
        text += text_;
    else
        text.append(text_, 0, unnamed_) += end_of_event;
}

std::string live_place_text(const live_place& at) { return "id: " + at.text() + "\n\n"; }

std::string live_gap_text(const live_place& at)
{
    const auto place = at.text();
    return "id: " + place + "\nevent: gap\ndata: {\"next\":\"" + place + "\"}\n\n";
}

std::string live_slow_text() { return "event: slow\ndata: {}\n\n"; }

std::string live_retry_text(std::size_t number)
{
    constexpr std::size_t shortest = 1000; // milliseconds
    constexpr std::size_t spread = 2000;
    constexpr std::size_t step = 377;
    return "retry: " + std::to_string(shortest + number * step % spread) + "\n\n";
}

} // namespace marquee
