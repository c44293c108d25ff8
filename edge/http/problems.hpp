// What each code means, in words for people: one table for the problem documents, for
// /problems/CODE and for the table of docs/http-api.md.
#pragma once

#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

struct problem_text
{
    std::string_view meaning; ///< a sentence; also the detail of a problem that has no other
    std::string_view when;    ///< sentences
    std::string_view cure;    ///< what to do, in sentences
};

[[nodiscard]] problem_text problem_text_of(errc code) noexcept;

/// The code of that name; nothing where there is none.
[[nodiscard]] std::optional<errc> find_problem(std::string_view name) noexcept;

/// The path where a code is explained, as in a problem's `type`.
[[nodiscard]] std::string problem_path(errc code);

/// The plain text that this path answers.
[[nodiscard]] std::string problem_page(errc code);

/// `text` with a capital letter at its start and a full stop at its end, unless it has them.
[[nodiscard]] std::string as_sentence(std::string text);

} // namespace marquee
