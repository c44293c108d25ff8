// Which subjects are inboxes. A requester names the subject its reply goes to, and the broker does not check that the requester itself might
// publish there: a service that answered anywhere would delete streams for whoever may ask it for a title.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

class reply_prefixes
{
public:
    /// What counts where no list is given: the usual prefix, those of users with inboxes of their own, and service imports.
    [[nodiscard]] static const std::vector<std::string>& usual();

    /// `list` holds prefixes as is_reply_prefix() takes them; empty: usual(). `own` is always among them.
    reply_prefixes(std::vector<std::string> list, std::string own);

    /// Whether a message may be published to `subject` because a message names it: one of the prefixes and at least one further token, no token empty
    /// or a wildcard, no blanks or control characters.
    [[nodiscard]] bool allow(std::string_view subject) const noexcept;

private:
    struct prefix
    {
        std::string text;
        bool open; ///< its last token goes on: `_INBOX_*`
    };
    std::vector<prefix> all_;
};

/// Tokens of [A-Za-z0-9_-] joined by dots; the last may end with `*`, which stands for the rest of that token.
[[nodiscard]] bool is_reply_prefix(std::string_view text) noexcept;

} // namespace marquee
