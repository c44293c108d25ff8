#include "tests/support/schema_check.hpp"

#include <boost/json/parse.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace marquee::test
{

namespace
{

constexpr std::string_view ending = ".schema.json";

} // namespace

std::string schema_text(const std::string& name)
{
    const auto path = std::filesystem::path(MARQUEE_SCHEMA_DIR) / (name + std::string(ending));
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("no schema " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string document_text(const std::string& name)
{
    std::ifstream file(std::string(MARQUEE_SCHEMA_DIR) + "/../" + name + ".json", std::ios::binary);
    if (!file)
        throw std::runtime_error("no schemas/" + name + ".json");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> schema_names()
{
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(MARQUEE_SCHEMA_DIR))
    {
        auto name = entry.path().filename().string();
        if (name.ends_with(ending))
            names.push_back(name.substr(0, name.size() - ending.size()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string complaints(const std::string& name, std::string_view json)
{
    boost::system::error_code ec;
    const auto document = boost::json::parse(json, ec);
    if (ec)
        return "not JSON: " + ec.message();

    const auto rules = boost::json::parse(schema_text(name));
    valijson::Schema schema;
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7); // our schemas use only what draft 7 knows as well
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(rules), schema);

    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    if (validator.validate(schema, valijson::adapters::BoostJsonAdapter(document), &results))
        return {};
    std::string out;
    for (valijson::ValidationResults::Error e; results.popError(e);)
    {
        for (const auto& step : e.context)
            out += step;
        out += ": " + e.description + '\n';
    }
    return out.empty() ? "refused" : out;
}

} // namespace marquee::test
