// Which subjects are inboxes. A requester names the subject of its reply, and the broker does not
// check that the requester has permission to publish there: a service that replies to any subject
// would delete streams for everyone who may send it a request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The prefixes of subjects that replies may be published to. Immutable, so thread-safe.
class reply_prefixes
{
public:
    /// The default list: `_INBOX`, prefixes of users with private inboxes (`_INBOX_*`), and service
    /// imports (`_R_`).
    [[nodiscard]] static const std::vector<std::string>& usual();

    /// `list` has prefixes that is_reply_prefix() accepts; empty: usual(). `own` is added.
    reply_prefixes(std::vector<std::string> list, std::string own);

    /// Returns whether a message may be published to `subject` because another message names it: a
    /// prefix of the list and at least one more token; no token is empty or a wildcard, and there
    /// are no blanks or control characters.
    [[nodiscard]] bool allow(std::string_view subject) const noexcept;

private:
    struct prefix
    {
        std::string text;
        bool open; ///< its last token may be longer: `_INBOX_*`
    };
    std::vector<prefix> all_;
};

/// Returns whether `text` is tokens of [A-Za-z0-9_-] joined by dots. The last may end with `*`,
/// which matches the rest of that token.
[[nodiscard]] bool is_reply_prefix(std::string_view text) noexcept;

} // namespace marquee
