#include "services/metadata/search_index.hpp"

#include "schemas/json.hpp"
#include "schemas/title_place.hpp"
#include "services/metadata/folding.hpp"

#include <boost/json/array.hpp>

#include <bit>
#include <tuple>

namespace marquee
{

namespace
{

// The kinds of terms, which are sorted together.
constexpr char word_sign = 'w';
constexpr char genre_sign = 'g';
constexpr char tag_sign = 't';

std::string text_in(const boost::json::object& record, std::string_view member)
{
    const auto* found = record.if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

/// What the record is found by; a text may come twice.
std::vector<std::string> terms_of(const boost::json::object& record, std::string_view folded_title)
{
    std::vector<std::string> texts;
    for (const auto& word : indexed_words_of(folded_title))
        texts.push_back(word_sign + word);
    texts.push_back(genre_sign + fold(text_in(record, "genre")));
    if (const auto* tags = record.if_contains("tags"); tags != nullptr && tags->is_array())
        for (const auto& tag : tags->as_array())
            if (tag.is_string())
                texts.push_back(tag_sign + fold(std::string_view(tag.as_string())));
    return texts;
}

bool has(const std::vector<std::uint64_t>& bits, std::uint32_t number) noexcept
{
    return (bits[number / 64] >> (number % 64) & 1U) != 0;
}

template <class Numbers>
void add(std::vector<std::uint64_t>& bits, const Numbers& numbers) noexcept
{
    for (const auto number : numbers)
        bits[number / 64] |= std::uint64_t(1) << (number % 64);
}

} // namespace

void search_index::set(std::string_view id, const catalogue_entry& entry)
{
    const auto record = read_object(entry.value).value_or(boost::json::object());
    const auto folded = fold(text_in(record, "title"));
    auto key = sort_key_of(folded, max_title_key_bytes);
    auto place = place_of(id);
    auto number = number_at(place, id);
    if (number && titles_[*number].key != key)
    {
        removed(id);
        number.reset();
        place = place_of(id);
    }
    if (!number)
    {
        number = make_title(id);
        titles_[*number].key = std::move(key);
        by_id_.insert(place, *number);
        by_title_.insert(place_of(titles_[*number].key, id), *number);
    }
    titles_[*number].entry = &entry;
    set_terms(*number, terms_of(record, folded));
}

void search_index::removed(std::string_view id)
{
    const auto place = place_of(id);
    const auto number = number_at(place, id);
    if (!number)
        return;
    auto& gone = titles_[*number];
    by_id_.erase(place);
    by_title_.erase(place_of(gone.key, id));
    clear_terms(*number);
    gone = title();
    free_titles_.push_back(*number);
}

sorted_blocks<search_index::title_number>::position search_index::place_of(std::string_view id) const
{
    return by_id_.first_not([&](title_number each) { return titles_[each].id < id; });
}

sorted_blocks<search_index::title_number>::position search_index::place_of(std::string_view key,
                                                                           std::string_view id) const
{
    const auto before = [&](title_number each)
    {
        const auto& other = titles_[each];
        return std::tuple(std::string_view(other.key), other.id) < std::tuple(key, id);
    };
    return by_title_.first_not(before);
}

sorted_blocks<search_index::term_number>::position search_index::place_of_term(std::string_view text) const
{
    return by_text_.first_not([&](term_number each) { return terms_[each].text < text; });
}

std::optional<search_index::title_number> search_index::number_at(sorted_blocks<title_number>::position place,
                                                                  std::string_view id) const
{
    const auto* found = by_id_.value_at(place);
    return found != nullptr && titles_[*found].id == id ? std::optional(*found) : std::nullopt;
}

const search_index::term* search_index::find_term(const std::string& text) const
{
    const auto found = numbers_.find(text);
    return found != numbers_.end() ? &terms_[found->second] : nullptr;
}

search_index::title_number search_index::make_title(std::string_view id)
{
    auto number = static_cast<title_number>(titles_.size());
    if (free_titles_.empty())
        titles_.emplace_back();
    else
    {
        number = free_titles_.back();
        free_titles_.pop_back();
    }
    titles_[number].id = id;
    return number;
}

search_index::term_number search_index::make_term(const std::string& text)
{
    const auto [known, is_new] = numbers_.try_emplace(text, 0);
    if (!is_new)
        return known->second;
    auto number = static_cast<term_number>(terms_.size());
    if (free_terms_.empty())
        terms_.emplace_back();
    else
    {
        number = free_terms_.back();
        free_terms_.pop_back();
    }
    known->second = number;
    terms_[number].text = known->first;
    by_text_.insert(place_of_term(text), number);
    return number;
}

void search_index::set_terms(title_number of, std::vector<std::string> texts)
{
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    const auto& present = titles_[of].terms;
    if (std::equal(present.begin(), present.end(), texts.begin(), texts.end(),
                   [this](const term_of_title& one, const std::string& text) { return terms_[one.term].text == text; }))
        return;
    clear_terms(of);
    titles_[of].terms.reserve(texts.size());
    for (const auto& text : texts)
    {
        const auto number = make_term(text);
        auto& titles = terms_[number].titles;
        titles_[of].terms.push_back({number, static_cast<std::uint32_t>(titles.size())});
        titles.push_back(of);
    }
}

void search_index::clear_terms(title_number of)
{
    for (const auto& each : titles_[of].terms)
    {
        leave(each);
        auto& left = terms_[each.term];
        if (!left.titles.empty())
            continue;
        const std::string text(left.text);
        by_text_.erase(place_of_term(text));
        left = term();
        numbers_.erase(text);
        free_terms_.push_back(each.term);
    }
    titles_[of].terms = {};
}

/// Takes a title out of a term's list; the last one there takes its place.
void search_index::leave(const term_of_title& from)
{
    auto& of_term = terms_[from.term];
    const auto last = of_term.titles.back();
    auto& of_last = titles_[last].terms;
    const auto entry = std::lower_bound(of_last.begin(), of_last.end(), of_term.text,
                                        [this](const term_of_title& each, std::string_view text)
                                        { return terms_[each.term].text < text; });
    entry->at = from.at;
    of_term.titles[from.at] = last;
    of_term.titles.pop_back();
}

void search_index::add_prefix(const std::string& prefix, bitmap& to) const
{
    by_text_.walk(place_of_term(prefix),
                  [&](term_number each)
                  {
                      const auto& one = terms_[each];
                      if (!one.text.starts_with(prefix))
                          return false;
                      add(to, one.titles);
                      return true;
                  });
}

/// The assets that meet all conditions; nothing where there is no condition.
std::optional<search_index::bitmap> search_index::matches(const search_terms& terms) const
{
    std::vector<std::string> exact;
    for (const auto& word : terms.words)
        exact.push_back(word_sign + word);
    if (terms.genre)
        exact.push_back(genre_sign + *terms.genre);
    if (terms.tag)
        exact.push_back(tag_sign + *terms.tag);
    if (exact.empty() && terms.prefix.empty())
        return std::nullopt;

    const std::size_t size = (titles_.size() + 63) / 64;
    bitmap all;
    const auto narrow = [&all, size](const auto& fill)
    {
        bitmap these(size);
        fill(these);
        if (all.empty())
            all.swap(these);
        else
            for (std::size_t i = 0; i < size; ++i)
                all[i] &= these[i];
    };
    for (const auto& text : exact)
    {
        const auto* found = find_term(text);
        if (found == nullptr)
            return bitmap(size);
        narrow([found](bitmap& these) { add(these, found->titles); });
    }
    if (!terms.prefix.empty())
        narrow([this, &terms](bitmap& these) { add_prefix(word_sign + terms.prefix, these); });
    return all;
}

sorted_blocks<search_index::title_number>::position search_index::first_after(const search_window& window) const
{
    if (!window.by_title)
        return by_id_.first_not([&](title_number each) { return titles_[each].id <= window.after; });
    const auto place = parse_title_place(window.after);
    if (!place)
        return {};
    const auto before = [&](title_number each)
    {
        const auto& other = titles_[each];
        return std::tuple(std::string_view(other.key), other.id) <= std::tuple(place->key, place->id);
    };
    return by_title_.first_not(before);
}

search_found search_index::find(const search_terms& terms, const search_window& window) const
{
    search_found found;
    const auto wanted = matches(terms);
    if (!wanted)
        found.total = size();
    else
        for (const auto bits : *wanted)
            found.total += static_cast<std::size_t>(std::popcount(bits));
    if (found.total == 0)
        return found;
    std::size_t bytes = 0;
    const title* last = nullptr;
    const auto visit = [&](title_number each)
    {
        if (wanted && !has(*wanted, each))
            return true;
        const auto& one = titles_[each];
        const auto& record = one.entry->value;
        bytes += record.size() + 1; // and a comma
        if (found.records.size() == window.limit || (bytes > window.max_bytes && last != nullptr))
        {
            found.next = window.by_title ? encode_title_place({last->key, last->id}) : std::string(last->id);
            return false;
        }
        found.records.push_back(record);
        last = &one;
        return true;
    };
    (window.by_title ? by_title_ : by_id_).walk(first_after(window), visit);
    return found;
}

} // namespace marquee
