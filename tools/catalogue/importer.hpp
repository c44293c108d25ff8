// Puts the titles of a file into metadata and cdnurl.
#pragma once

#include "broker/nats/connection.hpp"
#include "tools/catalogue/record_change.hpp"
#include "tools/catalogue/refusals.hpp"
#include "tools/catalogue/seen_ids.hpp"
#include "tools/catalogue/title.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marquee::catalogue_files
{

struct import_settings
{
    bool dry_run = false;                      ///< nothing is put
    std::string separator = "|";               ///< of lists in cells
    std::chrono::milliseconds patience{30000}; ///< the import ends when nothing was answered for so long
};

/// What became of the rows.
struct import_tally
{
    std::uint64_t added = 0;   ///< nothing stood
    std::uint64_t changed = 0; ///< a record stood that was another
    std::uint64_t equal = 0;   ///< nothing was put
    std::uint64_t refused = 0;

    [[nodiscard]] std::uint64_t rows() const noexcept { return added + changed + equal + refused; }
};

/// One import. Rows are read in batches: while the puts of one are under way, the records that
/// stand are read for the next. A put is a compare-and-set on the revision that was read; one whose
/// outcome is unknown is decided by reading again. Everything on the io thread; `nats`, `reader`,
/// `seen` and `refused` must outlive this object.
class importer
{
public:
    importer(connection& nats, import_settings settings, title_reader& reader, seen_ids& seen, refusals& refused);

    /// Runs to the end of the file, or until stop(). Fails if a file cannot be read or written, or
    /// if services do not answer for `patience`; the rows before are settled, and another run goes
    /// on, because what is equal is not put again.
    asio::awaitable<result<void>> run();

    /// Begins no row any more. run() returns when what was sent is settled.
    void stop();

    [[nodiscard]] bool stopped() const noexcept { return stopping_; }
    [[nodiscard]] const import_tally& tally() const noexcept { return tally_; }

private:
    using clock = deadline::clock;

    /// A record of one service that a row changes.
    struct target_record
    {
        bool wanted = false;                             ///< the row says something of it
        bool settled = false;                            ///< it is equal or stored, or the row is refused
        std::optional<std::uint64_t> read_revision = {}; ///< of the first read; 0: absent
        std::optional<pending_reply> pending = {};       ///< the put
        std::size_t bytes = 0;                           ///< of the put
    };

    enum class kind : std::uint8_t
    {
        undecided,
        added,
        changed,
        equal
    };

    struct work
    {
        title_row row;
        kind what = kind::undecided;
        target_record metadata = {};
        target_record url = {};

        [[nodiscard]] bool settled() const noexcept
        {
            return row.refused || (what != kind::undecided && metadata.settled && url.settled);
        }
    };

    /// Rows whose standing records are read by one request to each service.
    struct batch
    {
        std::vector<work> rows;
        std::vector<std::size_t> read = {}; ///< the rows that are read, in the order of the requests
        std::optional<pending_reply> metadata = {};
        std::optional<pending_reply> urls = {};
        std::optional<error> failed = {}; ///< the last failure that may pass
    };

    /// A record that stands; `text` refers to a reply.
    struct standing
    {
        std::uint64_t revision = 0; ///< 0: absent
        std::optional<std::string_view> text = {};
    };

    result<std::unique_ptr<batch>> gather();
    result<bool> take_row(batch& into, std::size_t& bytes, std::size_t& tokens);
    void start_reading(batch& of);
    asio::awaitable<result<void>> compare(batch& of);
    asio::awaitable<result<standing>> stands_alone(const work& of, bool metadata, message& reply);
    asio::awaitable<void> decide(batch& of, work& each, const standing& metadata, const standing& url);
    bool change(work& each, target_record& part, const standing& stands, const result<put_body>& body, bool metadata);
    void put(work& each, target_record& part, const std::string& body, std::uint64_t revision, bool metadata);
    asio::awaitable<void> make_room(batch& of);
    asio::awaitable<void> settle(batch& of);
    asio::awaitable<void> settle(batch& of, work& each, target_record& part, bool metadata);
    asio::awaitable<result<void>> finish(batch& of, bool again);
    asio::awaitable<result<void>> recover(batch& of);
    asio::awaitable<void> wait_for_input();

    connection& nats_;
    import_settings settings_;
    title_reader& reader_;
    seen_ids& seen_;
    refusals& refused_;
    import_tally tally_;
    std::unique_ptr<batch> writing_; ///< its puts are under way
    std::size_t bytes_in_flight_ = 0;
    bool at_end_ = false;
    bool stopping_ = false;
    clock::time_point last_success_ = clock::now();
    asio::steady_timer pause_;
    asio::posix::stream_descriptor input_;
};

} // namespace marquee::catalogue_files
