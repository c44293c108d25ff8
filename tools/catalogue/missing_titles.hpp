// Titles that stand and are not in the file (--delete-missing).
#pragma once

#include "broker/nats/connection.hpp"
#include "tools/catalogue/seen_ids.hpp"
#include "tools/catalogue/title_list.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee::catalogue_files
{

/// What was found, and up to which revisions: what is changed later is not deleted.
struct missing_count
{
    std::uint64_t titles = 0;
    std::uint64_t metadata_revision = 0;
    std::uint64_t url_revision = 0;
};

struct deletion_tally
{
    std::uint64_t deleted = 0; ///< titles
    std::uint64_t kept = 0;    ///< titles that somebody has changed meanwhile
};

/// On the io thread; `nats` and `seen` must outlive this object.
class missing_titles
{
public:
    missing_titles(connection& nats, seen_ids& seen, std::chrono::milliseconds patience)
        : nats_(nats), seen_(seen), patience_(patience)
    {
    }

    /// Counts the ids of metadata and cdnurl that are not among `seen`. Fails where a service does
    /// not answer for `patience`.
    asio::awaitable<result<missing_count>> count();

    /// Deletes them in both services, each record by its revision; a title of which somebody has
    /// changed a record keeps the other one, too. Fails as count() does; `tally` then has what was
    /// done.
    asio::awaitable<result<void>> erase(missing_count found, deletion_tally& tally);

    /// What runs ends after the titles that it is at, with what it has.
    void stop() noexcept { stopping_ = true; }

private:
    struct title
    {
        std::string id;
        std::uint64_t metadata_revision = 0; ///< 0: absent
        std::uint64_t url_revision = 0;
        bool kept = false;   ///< somebody has changed a record meanwhile
        bool failed = false; ///< a deletion was not confirmed
    };

    asio::awaitable<result<std::vector<title>>> next(title_list& from);
    asio::awaitable<result<void>> read_revisions(std::vector<title>& of, bool metadata);
    asio::awaitable<result<void>> erase_all(std::vector<title> all, const missing_count& found, deletion_tally& tally);
    asio::awaitable<std::optional<error>> delete_records(std::vector<title>& all, bool metadata);

    connection& nats_;
    seen_ids& seen_;
    std::chrono::milliseconds patience_;
    bool stopping_ = false;
};

} // namespace marquee::catalogue_files
