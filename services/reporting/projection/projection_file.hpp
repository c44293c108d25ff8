// The open file of a projection: SQLite connection, log, statements, transaction, and what can
// still be done with it. Private to this room.
#pragma once

#include "services/reporting/projection/correction_tables.hpp"
#include "services/reporting/projection/database.hpp"
#include "services/reporting/projection/database_file.hpp"
#include "services/reporting/projection/paired_log.hpp"
#include "services/reporting/projection/projection_progress.hpp"
#include "services/reporting/projection/projection_tables.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace marquee
{

/// Single-threaded. All access to the tables goes through run() or a function built on it, which
/// turn what SQLite throws into `unavailable` and keep condition().
class projection_file
{
public:
    /// Opens or creates the file at `path`. Throws SQLite::Exception.
    projection_file(std::string path, std::shared_ptr<file_lock> lock);

    /// Rolls back an open transaction, and empties the log.
    ~projection_file();
    projection_file(const projection_file&) = delete;
    projection_file& operator=(const projection_file&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] file_condition condition() const noexcept { return condition_; }

    /// For uncommitted counts, which use it within run().
    [[nodiscard]] projection_tables& tables() noexcept { return tables_; }

    /// To be used within run().
    [[nodiscard]] correction_tables& corrections() noexcept { return corrections_; }

    /// Returns `work(tables)`. After `broken` every call fails with the first failure.
    template <class Work>
    auto run(Work work) -> result<std::invoke_result_t<Work&, projection_tables&>>;

    /// Equivalent to run(), with all reads in one transaction.
    template <class Work>
    result<void> read(Work work);

    /// Equivalent to run(), committed as one transaction. No other may be open.
    template <class Work>
    result<void> write(Work work);

    /// A transaction that takes several calls of run(). These three throw SQLite::Exception but for
    /// the last.
    void begin() { transaction_.emplace(db_); }
    void commit();
    void rollback() { transaction_.reset(); }
    [[nodiscard]] bool in_transaction() const noexcept { return transaction_.has_value(); }

    /// Empties the log into the database; false where another process reads from it.
    [[nodiscard]] bool empty_log();

    /// Makes the file `broken`, and returns `why`.
    error condemn(error why);

    /// For injected faults only: commits what the open transaction has written so far, leaves time
    /// for a crash (longer than plays wait for their counts), and goes on in another transaction.
    void split_transaction();

private:
    error failure_of(const SQLite::Exception& e);

    std::string path_;
    std::shared_ptr<file_lock> lock_;
    SQLite::Database db_;
    paired_log log_;
    projection_tables tables_;
    correction_tables corrections_;
    std::optional<SQLite::Transaction> transaction_;
    file_condition condition_ = file_condition::sound;
    std::string why_broken_;
};

template <class Work>
auto projection_file::run(Work work) -> result<std::invoke_result_t<Work&, projection_tables&>>
{
    if (condition_ == file_condition::broken)
        return fail(errc::unavailable, why_broken_);
    condition_ = file_condition::sound;
    try
    {
        if constexpr (std::is_void_v<std::invoke_result_t<Work&, projection_tables&>>)
        {
            work(tables_);
            return {};
        }
        else
            return work(tables_);
    }
    catch (const SQLite::Exception& e)
    {
        return failure_of(e);
    }
}

template <class Work>
result<void> projection_file::read(Work work)
{
    return run(
        [&](projection_tables& tables)
        {
            std::optional<SQLite::Transaction> reading;
            if (!in_transaction())
                reading.emplace(db_);
            work(tables);
            if (reading)
                reading->commit();
        });
}

template <class Work>
result<void> projection_file::write(Work work)
{
    return run(
        [&](projection_tables& tables)
        {
            SQLite::Transaction transaction(db_);
            log_.writing();
            work(tables);
            transaction.commit();
            log_.written();
        });
}

} // namespace marquee
