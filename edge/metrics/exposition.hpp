// Prometheus' text format 0.0.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Appends HELP and TYPE of a family. `help` has no backslash and no line break.
void add_head(std::string& to, std::string_view name, std::string_view type, std::string_view help);

/// Appends one sample. `labels` has no braces and may be empty; `value` is a number of the format.
void add_line(std::string& to, std::string_view name, std::string_view labels, std::string_view value);
void add_line(std::string& to, std::string_view name, std::string_view labels, std::uint64_t value);

/// Decimal seconds without rounding, so that a sum never decreases.
[[nodiscard]] std::string in_seconds(std::uint64_t nanoseconds);

/// A finite number in the shortest form that reads as the same.
[[nodiscard]] std::string as_sample(double value);

/// `name="value"`. In the value, `"` and `\` are escaped, what is not printable ASCII becomes `?`,
/// and bytes after the 128th are left out.
[[nodiscard]] std::string as_label(std::string_view name, std::string_view value);

/// What is said of a metric. Constants: an exposition remembers their addresses.
struct metric_family
{
    std::string_view name;
    std::string_view type;
    std::string_view help;
};

/// A page in the making, whose samples may come in any order: those of a family stand together, in
/// the order in which families were first added to.
class exposition
{
public:
    /// `suffix`: of the name, such as `_bucket`.
    void add(const metric_family& of, std::string_view labels, std::string_view value, std::string_view suffix = {});
    void add(const metric_family& of, std::string_view labels, std::uint64_t value, std::string_view suffix = {});

    [[nodiscard]] std::string text() const;

private:
    struct block
    {
        const metric_family* of;
        std::string lines;
    };

    std::vector<block> blocks_;
    std::map<const metric_family*, std::size_t> places_;
};

} // namespace marquee
