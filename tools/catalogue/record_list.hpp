// All records of a catalogue service, page by page.
#pragma once

#include "broker/nats/connection.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::catalogue_files
{

/// A record as it is written.
struct listed_record
{
    std::string id;
    std::string text; ///< the JSON object
};

/// Reads `metadata.list` or `cdnurl.list`. On the io thread; `nats` must outlive this object.
class record_list
{
public:
    record_list(connection& nats, subject list, std::chrono::milliseconds patience)
        : nats_(nats), list_(std::move(list)), patience_(patience)
    {
    }

    /// The next record in byte order of the ids; null at the end. Valid until take().
    [[nodiscard]] asio::awaitable<result<const listed_record*>> peek();

    /// Goes behind the record of peek().
    void take() { ++at_; }

private:
    asio::awaitable<result<void>> read_page();

    connection& nats_;
    subject list_;
    std::chrono::milliseconds patience_;
    std::vector<listed_record> page_;
    std::size_t at_ = 0;
    std::optional<std::string> after_;
    bool last_ = false; ///< no page follows
};

} // namespace marquee::catalogue_files
