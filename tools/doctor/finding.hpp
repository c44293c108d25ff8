// What an examination says about one thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace marquee::doctor
{

enum class severity
{
    ok = 1,
    warning, ///< works; views or records may be lost, or it will soon not work
    problem  ///< something does not work
};

struct finding
{
    severity how = severity::ok;
    std::string about;  ///< a part of the system
    std::string detail; ///< what is so; may hold text from the wire
    std::string cure;   ///< a command or an act that changes it; empty where all is well
};

using findings = std::vector<finding>;

/// `problem  EVENTS: …`, and in a second line the cure. Text from the wire cannot forge a line or
/// reorder one. Thread-safe.
[[nodiscard]] std::string text_of(const finding& each);

/// The cure where the broker may have refused an answer to this user.
[[nodiscard]] std::string ask_as_operator();

/// `1.5 GiB`, `12 bytes`: rounded, for people. Thread-safe.
[[nodiscard]] std::string size_about(std::uint64_t bytes);

[[nodiscard]] std::size_t count(const findings& all, severity how) noexcept;

} // namespace marquee::doctor
