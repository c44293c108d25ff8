#include "tests/bench/bench.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <numeric>

namespace marquee::bench
{

std::vector<figures> alternate(const settings& with, const std::vector<load>& loads)
{
    std::vector<std::map<std::string, std::vector<double>>> all(loads.size());
    for (int turn = 0; turn < with.alternations; ++turn)
        for (std::size_t i = 0; i < loads.size(); ++i)
        {
            std::cerr << "bench: " << loads[i].name << " (" << turn + 1 << " of " << with.alternations << ")\n";
            for (const auto& [name, value] : loads[i].run())
                all[i][name].push_back(value);
        }
    std::vector<figures> medians(loads.size());
    for (std::size_t i = 0; i < loads.size(); ++i)
        for (auto& [name, values] : all[i])
            medians[i][name] =
                name == "wrong" ? std::accumulate(values.begin(), values.end(), 0.0) : median(std::move(values));
    return medians;
}

double median(std::vector<double> values)
{
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double quantile(std::vector<float>& values, double part)
{
    if (values.empty())
        return 0;
    const auto index = std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

void add_latencies(figures& to, std::vector<float>& microseconds)
{
    to["p50"] = quantile(microseconds, 0.5);
    to["p99"] = quantile(microseconds, 0.99);
    to["p999"] = quantile(microseconds, 0.999);
}

std::string number(double value, int decimals)
{
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

table::table(std::string title, std::vector<std::string> columns) : title_(std::move(title)), rows_{std::move(columns)}
{
}

table::~table()
{
    std::vector<std::size_t> widths;
    const auto width = [](const std::string& text) // of UTF-8
    {
        return static_cast<std::size_t>(
            std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    };
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
        {
            widths.resize(std::max(widths.size(), i + 1));
            widths[i] = std::max(widths[i], width(row[i]));
        }
    const auto print = [&](const std::vector<std::string>& row)
    {
        for (std::size_t i = 0; i < row.size(); ++i)
        {
            const std::string space(widths[i] - width(row[i]), ' ');
            std::cout << "| " << (i == 0 ? row[i] + space : space + row[i]) << ' ';
        }
        std::cout << "|\n";
    };
    std::cout << '\n' << title_ << "\n\n";
    print(rows_.front());
    for (std::size_t i = 0; i < widths.size(); ++i)
        std::cout << '|' << std::string(widths[i] + 1, '-') << (i == 0 ? '-' : ':');
    std::cout << "|\n";
    for (std::size_t i = 1; i < rows_.size(); ++i)
        print(rows_[i]);
    std::cout << std::flush;
}

void table::row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

void note(const std::string& text) { std::cout << '\n' << text << std::endl; }

} // namespace marquee::bench
