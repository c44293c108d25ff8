// All titles that stand: the records of metadata and cdnurl, by id.
#pragma once

#include "tools/catalogue/record_list.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace marquee::catalogue_files
{

struct listed_title
{
    std::string id;
    std::optional<std::string> metadata; ///< the record, as it is written
    std::optional<std::string> url;      ///< the record, as it is written
};

/// Merges both lists. What is changed meanwhile is in it or not, as it happens. On the io thread;
/// `nats` must outlive this object.
class title_list
{
public:
    title_list(connection& nats, std::chrono::milliseconds patience);

    /// The next title in byte order of the ids; nothing at the end. Fails where a service does not
    /// answer for `patience`.
    [[nodiscard]] asio::awaitable<result<std::optional<listed_title>>> next();

private:
    record_list metadata_;
    record_list urls_;
};

} // namespace marquee::catalogue_files
