// What each code means, in words for people: one table for the problem documents, for /problems/CODE and for the table of README.md.
#pragma once

#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

struct problem_text
{
    std::string_view meaning; ///< a sentence; the detail of a problem that has no more to say
    std::string_view when;    ///< sentences
    std::string_view cure;    ///< what to do, in sentences
};

[[nodiscard]] problem_text problem_text_of(errc code) noexcept;

/// The code of that name.
[[nodiscard]] std::optional<errc> find_problem(std::string_view name) noexcept;

/// The path where a code is explained, as in a problem's `type`.
[[nodiscard]] std::string problem_path(errc code);

/// What that path answers: plain text.
[[nodiscard]] std::string problem_page(errc code);

/// `text` as a sentence: with a capital letter in front and a mark at its end.
[[nodiscard]] std::string as_sentence(std::string text);

} // namespace marquee
