// How texts are compared by a search: without regard to case, accents and forms of one character.
// The only file besides its .cpp that knows of ICU. All functions are thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The text in lower case (full case folding), compatibility forms replaced, invisible characters
/// and accents removed: "Été" and "ÉTÉ" are "ete", "Straße" is "strasse", "Łódź" is "lodz". Signs
/// that make another letter stay: vowel signs of Indic scripts and of Thai, voicing marks of kana.
/// Takes and returns UTF-8; the time grows with the square of a run of accents at most.
[[nodiscard]] std::string fold(std::string_view text);

/// The words of a folded text, in order: runs of letters, digits and their signs; each ideograph
/// and each kana is a word by itself.
[[nodiscard]] std::vector<std::string> words_of(std::string_view folded);

/// Equivalent to words_of(), and besides each run between white space that has punctuation inside,
/// without it: of "spider-man", "spider", "man" and "spiderman". What is found by.
[[nodiscard]] std::vector<std::string> indexed_words_of(std::string_view folded);

/// What titles are sorted by: the words of a folded text between single spaces, ideographs not
/// separated, cut to `most` bytes at the end of a character.
[[nodiscard]] std::string sort_key_of(std::string_view folded, std::size_t most);

} // namespace marquee
