// Which assets a search finds, and in which order.
#pragma once

#include "services/catalogue/catalogue_index.hpp"
#include "services/metadata/sorted_blocks.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace marquee
{

/// What is searched for, folded (folding.hpp). What is empty is no condition.
struct search_terms
{
    std::vector<std::string> words; ///< whole words of the title; all of them
    std::string prefix;             ///< a word of the title begins so
    std::optional<std::string> genre;
    std::optional<std::string> tag; ///< one of the strings in the array `tags`
};

/// Which part of the result is wanted.
struct search_window
{
    bool by_title = false;  ///< else in byte order of the ids
    std::string_view after; ///< an id, or the text of a title_place; empty: from the first on
    std::size_t limit = 0;
    std::size_t max_bytes = 0; ///< of records, unless the first alone is larger
};

/// The views are valid until the index changes.
struct search_found
{
    std::vector<std::string_view> records;
    std::size_t total = 0; ///< all that match
    std::string next;      ///< the `after` of the next window; empty: nothing follows
};

/// The titles, genres and tags of all records. A search takes time in proportion to the number of
/// records, a few nanoseconds each; a change, to the terms of its record, however many others have
/// them. Not thread-safe.
class search_index final : public catalogue_index
{
public:
    void set(std::string_view id, const catalogue_entry& entry) override;
    void removed(std::string_view id) override;

    [[nodiscard]] search_found find(const search_terms& terms, const search_window& window) const;

    /// Assets, and different words, genres and tags.
    [[nodiscard]] std::size_t size() const noexcept { return titles_.size() - free_titles_.size(); }
    [[nodiscard]] std::size_t terms() const noexcept { return terms_.size() - free_terms_.size(); }

private:
    using title_number = std::uint32_t;
    using term_number = std::uint32_t;
    using bitmap = std::vector<std::uint64_t>; ///< a bit for each title_number

    /// A term that a title has.
    struct term_of_title
    {
        term_number term = 0;
        std::uint32_t at = 0; ///< the place of the title in term::titles
    };

    struct title
    {
        std::string_view id;
        const catalogue_entry* entry = nullptr;
        std::string key;                  ///< sort_key_of()
        std::vector<term_of_title> terms; ///< in the order of their texts; no two alike
    };

    struct term
    {
        std::string_view text; ///< with the sign of its kind in front; refers to numbers_
        boost::container::small_vector<title_number, 4> titles; ///< in no order
    };

    [[nodiscard]] sorted_blocks<title_number>::position place_of(std::string_view id) const;
    [[nodiscard]] sorted_blocks<title_number>::position place_of(std::string_view key, std::string_view id) const;
    [[nodiscard]] sorted_blocks<term_number>::position place_of_term(std::string_view text) const;
    [[nodiscard]] std::optional<title_number> number_at(sorted_blocks<title_number>::position place,
                                                        std::string_view id) const;
    [[nodiscard]] const term* find_term(const std::string& text) const;
    term_number make_term(const std::string& text);
    title_number make_title(std::string_view id);
    void set_terms(title_number of, std::vector<std::string> texts);
    void clear_terms(title_number of);
    void leave(const term_of_title& from);
    [[nodiscard]] std::optional<bitmap> matches(const search_terms& terms) const;
    void add_prefix(const std::string& prefix, bitmap& to) const;
    [[nodiscard]] sorted_blocks<title_number>::position first_after(const search_window& window) const;

    std::vector<title> titles_;
    std::vector<title_number> free_titles_;
    std::vector<term> terms_;
    std::vector<term_number> free_terms_;
    std::unordered_map<std::string, term_number> numbers_; ///< of the terms, by text
    sorted_blocks<title_number> by_id_;
    sorted_blocks<title_number> by_title_; ///< by key, then by id
    sorted_blocks<term_number> by_text_;
};

} // namespace marquee
