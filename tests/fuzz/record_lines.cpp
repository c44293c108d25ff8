// Replies of `gets`, which the edge splices into its answers without decoding them.
#include "schemas/record_lines.hpp"

#include "schemas/messages.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace marquee;
using marquee::fuzz::require;

namespace
{

void scan(std::string_view record, std::string_view id)
{
    if (raw_metadata raw; scan_record(record, id, raw))
    {
        if (raw.summary.data() + raw.summary.size() + 1 != record.data() + record.size())
            return; // free members are not looked at
        const auto read = decode<asset_metadata_reply>(record);
        require(read.has_value() && read->id == id && encode(*read) == record, "a scanned record decodes to itself");
        const auto members = decode<asset_metadata>(record);
        require(members.has_value(), "and is within the limits");
        require(encode(*members) == "{\"title\":" + std::string(raw.title) + ",\"genre\":" + std::string(raw.genre) +
                                        ",\"summary\":" + std::string(raw.summary) + '}',
                "and its members are those");
    }
    if (raw_url raw; scan_record(record, id, raw))
    {
        const auto read = decode<asset_url_reply>(record);
        require(read.has_value() && read->id == id && encode(*read) == record, "a scanned record decodes to itself");
        const auto members = decode<asset_url>(record);
        require(members.has_value() && encode(*members) == "{\"url\":" + std::string(raw.url) + '}',
                "and its member is that");
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = fuzz::text(data, size);
    scan(input, "1");
    const auto lines = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n'));
    const auto read = read_record_lines(input, lines);
    if (read.has_error())
    {
        require(read.error() == errc::malformed_reply, "a failure is malformed_reply");
        return 0;
    }
    require(read->size() == lines, "a reply has the lines that were requested");
    for (const auto& line : *read)
    {
        require((line.what == record_line::kind::found) == (line.revision > 0), "a record has a revision");
        scan(line.record, "1");
    }
    return 0;
}
