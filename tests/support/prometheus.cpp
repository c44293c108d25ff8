#include "tests/support/prometheus.hpp"

#include <cstdlib>
#include <limits>
#include <optional>
#include <regex>
#include <set>

namespace marquee::test
{

namespace
{

const std::regex metric_name("[a-zA-Z_:][a-zA-Z0-9_:]*");
const std::regex sample_line(R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+))re");
const std::regex label_form(R"re(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$))re");

std::optional<double> read_value(const std::string& text)
{
    if (text == "+Inf")
        return std::numeric_limits<double>::infinity();
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0')
        return std::nullopt;
    return value;
}

std::optional<metric_labels> read_labels(const std::string& text)
{
    metric_labels labels;
    for (auto at = text.begin(); at != text.end();)
    {
        std::smatch found;
        if (!std::regex_search(at, text.end(), found, label_form, std::regex_constants::match_continuous))
            return std::nullopt;
        if (!labels.emplace(found[1], found[2]).second)
            return std::nullopt;
        at = found[0].second;
    }
    return labels;
}

std::string series_of(const std::string& name, const metric_labels& labels)
{
    std::string text;
    for (const auto& [label, value] : labels)
        text += (text.empty() ? "" : ",") + label + "=\"" + value + '"';
    return name + '{' + text + '}';
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings)
{
    for (const auto each : endings)
        if (text.ends_with(each))
            return true;
    return false;
}

class reader
{
public:
    explicit reader(metrics_page& into) : page_(into) {}

    void line(const std::string& text)
    {
        std::smatch found;
        static const std::regex help("# HELP (\\S+) (.+)");
        static const std::regex type("# TYPE (\\S+) (counter|gauge|histogram)");
        if (std::regex_match(text, found, help))
            begin(found[1]);
        else if (std::regex_match(text, found, type))
            describe(found[1], found[2]);
        else if (std::regex_match(text, found, sample_line))
            sample(text, found[1], found[2], found[3]);
        else
            complain("cannot be read", text);
    }

    void end()
    {
        for (const auto& name : helped_)
            if (!page_.types.contains(name))
                complain("no TYPE", name);
        for (const auto& [name, type] : page_.types)
            if (type == "histogram")
                check_histogram(name);
    }

    void complain(const std::string& what, const std::string& where)
    {
        page_.complaints.push_back(what + ": " + where);
    }

private:
    void begin(const std::string& name)
    {
        if (!std::regex_match(name, metric_name) || !helped_.insert(name).second)
            complain("a second HELP, or a bad name", name);
        family_ = name;
    }

    void describe(const std::string& name, const std::string& type)
    {
        if (name != family_ || !page_.types.emplace(name, type).second)
            complain("TYPE must follow its HELP, once", name);
        if (name.ends_with("_total") != (type == "counter"))
            complain("counters end with _total, and nothing else does", name);
        if (type == "histogram" && !name.ends_with("_seconds"))
            complain("durations are in seconds", name);
    }

    void sample(const std::string& text, const std::string& name, const std::string& label_text,
                const std::string& number)
    {
        const auto labels = read_labels(label_text);
        const auto value = read_value(number);
        if (!labels || !value)
            return complain("cannot be read", text);
        const auto type = page_.types.find(family_);
        const bool of_histogram = type != page_.types.end() && type->second == "histogram";
        const bool fits =
            of_histogram ? name.starts_with(family_) && ends_with_any(std::string_view(name).substr(family_.size()),
                                                                      {"_bucket", "_sum", "_count"})
                         : name == family_;
        if (type == page_.types.end() || !fits)
            complain("not below the HELP and TYPE of its family", text);
        if (*value < 0)
            complain("negative", text);
        if (!page_.series.emplace(series_of(name, *labels), *value).second)
            complain("a second time", text);
        page_.samples.push_back({name, *labels, *value});
    }

    void check_histogram(const std::string& name)
    {
        struct buckets
        {
            double le = 0;
            double count = 0;
        };
        std::map<metric_labels, buckets> last;
        for (const auto& each : page_.samples)
        {
            if (each.name != name + "_bucket")
                continue;
            auto labels = each.labels;
            const double le = read_value(labels["le"]).value_or(std::numeric_limits<double>::quiet_NaN());
            labels.erase("le");
            auto& before = last[labels];
            if (!(le > before.le) || each.value < before.count)
                complain("buckets must be cumulative, by growing le", series_of(each.name, each.labels));
            before = {le, each.value};
        }
        for (const auto& [labels, at_end] : last)
        {
            const auto count = page_.series.find(series_of(name + "_count", labels));
            if (at_end.le != std::numeric_limits<double>::infinity() || count == page_.series.end() ||
                count->second != at_end.count)
                complain("the last bucket is +Inf and equals the count", series_of(name, labels));
            if (!page_.series.contains(series_of(name + "_sum", labels)))
                complain("no sum", series_of(name, labels));
        }
        for (const auto& each : page_.samples)
            if (each.name == name + "_count" && !last.contains(each.labels))
                complain("a count without buckets", series_of(each.name, each.labels));
    }

    metrics_page& page_;
    std::set<std::string> helped_;
    std::string family_;
};

} // namespace

std::uint64_t metrics_page::sum(std::string_view name, const metric_labels& with) const
{
    double total = 0;
    for (const auto& each : samples)
    {
        bool fits = each.name == name;
        for (const auto& [label, value] : with)
            fits = fits && each.labels.contains(label) && each.labels.at(label) == value;
        total += fits ? each.value : 0;
    }
    return static_cast<std::uint64_t>(total);
}

bool metrics_page::is_monotonic(const std::string& one) const
{
    const auto name = one.substr(0, one.find('{'));
    if (name.ends_with("_total"))
        return true;
    for (const std::string ending : {"_bucket", "_sum", "_count"})
        if (name.ends_with(ending) && types.contains(name.substr(0, name.size() - ending.size())))
            return true;
    return false;
}

metrics_page read_metrics(std::string_view text)
{
    metrics_page page;
    reader reading(page);
    if (!text.ends_with('\n'))
        reading.complain("the last line has no end",
                         std::string(text.substr(text.size() - std::min<std::size_t>(text.size(), 80))));
    while (!text.empty())
    {
        const auto size = text.find('\n');
        reading.line(std::string(text.substr(0, size)));
        text.remove_prefix(size == std::string_view::npos ? text.size() : size + 1);
    }
    reading.end();
    return page;
}

} // namespace marquee::test
