// Server-sent events of counted views, as text (HTML Standard, section 9.2).
#pragma once

#include "schemas/live_messages.hpp"
#include "schemas/live_place.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Which views a client wants.
struct live_filter
{
    std::optional<std::string> asset; ///< nothing: any
    std::optional<std::string> user;
    bool names_users = false; ///< whether its events name users

    [[nodiscard]] bool takes(std::string_view of_asset, std::string_view of_user) const noexcept
    {
        return (!asset || *asset == of_asset) && (!user || *user == of_user);
    }
};

/// A view, and its event.
class live_event
{
public:
    /// `at` is the place that `view.id` names.
    live_event(const live_view& view, const live_position& at);

    [[nodiscard]] const live_position& at() const noexcept { return at_; }
    [[nodiscard]] const std::string& asset() const noexcept { return asset_; }
    [[nodiscard]] const std::string& user() const noexcept { return user_; }

    /// Its user was erased: it is no longer there for anybody.
    void forget() noexcept
    {
        user_.clear();
        text_.clear();
    }
    [[nodiscard]] bool is_forgotten() const noexcept { return text_.empty(); }

    /// Appends the event: its place as `id`, and as `data` the members `asset`, `time`,
    /// `assetviews`, and with `names_users` also `user` and `userviews`.
    void append_to(std::string& text, bool names_users) const;

private:
    live_position at_;
    std::string asset_;
    std::string user_;
    std::string text_;        ///< the whole event
    std::size_t unnamed_ = 0; ///< bytes of it in front of the user
};

/// Moves the client's place, without an event.
[[nodiscard]] std::string live_place_text(const live_place& at);

/// Views are missing before `at`.
[[nodiscard]] std::string live_gap_text(const live_place& at);

/// The client reads too slowly: its stream ends.
[[nodiscard]] std::string live_slow_text();

/// The client is to come back after about two seconds: `number` spreads many of them.
[[nodiscard]] std::string live_retry_text(std::size_t number);

} // namespace marquee
