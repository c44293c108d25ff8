#include "services/metadata/folding.hpp"

#include "schemas/utf8.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace marquee
{

namespace
{

bool is_ascii(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower_ascii(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c + 32);
    return out;
}

void append_utf8(std::string& out, std::uint32_t point)
{
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80)
        return add(point);
    if (point < 0x800)
        add(0xC0 | (point >> 6));
    else if (point < 0x10000)
    {
        add(0xE0 | (point >> 12));
        add(0x80 | ((point >> 6) & 0x3F));
    }
    else
    {
        add(0xF0 | (point >> 18));
        add(0x80 | ((point >> 12) & 0x3F));
        add(0x80 | ((point >> 6) & 0x3F));
    }
    add(0x80 | (point & 0x3F));
}

/// Whether a sign only modifies its letter. Told by its combining class: overlays, points of Hebrew
/// and Arabic, and all that stand above or below. The others make another letter or syllable:
/// nuktas, voicing marks, viramas, vowels of Thai, Lao and Tibetan.
bool is_accent(std::uint32_t point) noexcept
{
    const auto where = u_getCombiningClass(static_cast<UChar32>(point));
    return where == 1 || (where >= 10 && where <= 36) || where >= 200;
}

/// The plain letters of one that Unicode does not decompose; empty: it stays.
std::string_view plain_letters(std::uint32_t point) noexcept
{
    switch (point)
    {
    case 0xE6: // æ
        return "ae";
    case 0xF0:  // ð
    case 0x111: // đ
        return "d";
    case 0xF8: // ø
        return "o";
    case 0xFE: // þ
        return "th";
    case 0x127: // ħ
        return "h";
    case 0x131: // ı
        return "i";
    case 0x142: // ł
        return "l";
    case 0x153: // œ
        return "oe";
    case 0x167: // ŧ
        return "t";
    default:
        return {};
    }
}

/// Text that is no UTF-8 becomes U+FFFD in its place.
std::string normalized(const icu::Normalizer2* by, const std::string& text)
{
    std::string out;
    out.reserve(text.size());
    icu::StringByteSink<std::string> sink(&out);
    UErrorCode failed = U_ZERO_ERROR;
    by->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr, failed);
    if (U_FAILURE(failed))
        throw std::runtime_error(std::string("ICU cannot normalise: ") + u_errorName(failed));
    return out;
}

const icu::Normalizer2* loaded(const icu::Normalizer2* (*instance)(UErrorCode&))
{
    UErrorCode failed = U_ZERO_ERROR;
    const auto* found = instance(failed);
    if (U_FAILURE(failed))
        throw std::runtime_error(std::string("ICU has no data: ") + u_errorName(failed));
    return found;
}

enum class kind : std::uint8_t
{
    space,
    punctuation, ///< and symbols
    letter,      ///< or digit, or a sign that belongs to the letter before
    ideograph,   ///< a word by itself
};

kind kind_of(std::uint32_t point) noexcept
{
    if (point < 0x80)
    {
        const auto c = static_cast<char>(point);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        return letter ? kind::letter : c <= ' ' || c == 0x7f ? kind::space : kind::punctuation;
    }
    const auto category = U_GET_GC_MASK(static_cast<UChar32>(point));
    if ((category & (U_GC_L_MASK | U_GC_N_MASK)) != 0)
    {
        const bool kana = (point >= 0x3041 && point <= 0x30FF) || (point >= 0x31F0 && point <= 0x31FF);
        const bool own = kana || u_hasBinaryProperty(static_cast<UChar32>(point), UCHAR_IDEOGRAPHIC);
        return own ? kind::ideograph : kind::letter;
    }
    if ((category & U_GC_M_MASK) != 0)
        return kind::letter;
    return (category & (U_GC_Z_MASK | U_GC_CC_MASK)) != 0 ? kind::space : kind::punctuation;
}

bool is_mark(std::uint32_t point) noexcept
{
    return point >= 0x80 && (U_GET_GC_MASK(static_cast<UChar32>(point)) & U_GC_M_MASK) != 0;
}

/// Calls `each(kind, begins, bytes)` for each character of UTF-8; `begins` says whether a word may
/// begin here: not at a sign.
template <class F>
void for_each_character(std::string_view text, const F& each)
{
    while (!text.empty())
    {
        std::uint32_t point = 0;
        const auto size = std::max<std::size_t>(decode_utf8(text, point), 1);
        each(kind_of(point), !is_mark(point), text.substr(0, size));
        text.remove_prefix(size);
    }
}

std::vector<std::string> split(std::string_view folded, bool joined_too)
{
    std::vector<std::string> words;
    std::string joined; // of the run between white space
    std::size_t parts = 0;
    auto before = kind::space;
    const auto end_run = [&]
    {
        if (joined_too && parts > 1)
            words.push_back(joined);
        joined.clear();
        parts = 0;
    };
    for_each_character(folded,
                       [&](kind what, bool begins, std::string_view bytes)
                       {
                           if (what == kind::ideograph)
                           {
                               end_run();
                               words.emplace_back(bytes);
                           }
                           else if (what == kind::letter && before == kind::ideograph && !begins)
                           {
                               words.back() += bytes; // a voicing mark
                               return;
                           }
                           else if (what == kind::letter)
                           {
                               if (before == kind::letter)
                                   words.back() += bytes;
                               else
                               {
                                   words.emplace_back(bytes);
                                   ++parts;
                               }
                               joined += bytes;
                           }
                           else if (what == kind::space)
                               end_run();
                           before = what;
                       });
    end_run();
    return words;
}

} // namespace

std::string fold(std::string_view text)
{
    if (is_ascii(text))
        return lower_ascii(text);
    static const auto* const casefold = loaded(icu::Normalizer2::getNFKCCasefoldInstance);
    static const auto* const decompose = loaded(icu::Normalizer2::getNFDInstance);
    const auto decomposed = normalized(decompose, normalized(casefold, std::string(text)));
    std::string out;
    out.reserve(decomposed.size());
    for (std::string_view rest = decomposed; !rest.empty();)
    {
        std::uint32_t point = 0;
        const auto size = std::max<std::size_t>(decode_utf8(rest, point), 1);
        if (const auto plain = plain_letters(point); !plain.empty())
            out += plain;
        else if (point < 0x80 || !is_accent(point))
            append_utf8(out, point);
        rest.remove_prefix(size);
    }
    return out;
}

std::vector<std::string> words_of(std::string_view folded) { return split(folded, false); }

std::vector<std::string> indexed_words_of(std::string_view folded) { return split(folded, true); }

std::string sort_key_of(std::string_view folded, std::size_t most)
{
    std::string key;
    bool gap = false;
    bool full = false;
    for_each_character(folded,
                       [&](kind what, bool, std::string_view bytes)
                       {
                           if (what == kind::space || what == kind::punctuation)
                           {
                               gap = !key.empty();
                               return;
                           }
                           full = full || key.size() + (gap ? 1 : 0) + bytes.size() > most;
                           if (full)
                               return;
                           if (std::exchange(gap, false))
                               key += ' ';
                           key += bytes;
                       });
    return key;
}

} // namespace marquee
