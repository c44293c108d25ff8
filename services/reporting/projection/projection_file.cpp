#include "services/reporting/projection/projection_file.hpp"

#include <unistd.h>

namespace marquee
{

projection_file::projection_file(std::string path, std::shared_ptr<file_lock> lock)
    : path_(std::move(path)), lock_(std::move(lock)), db_(open_database(path_)), log_(db_), tables_(db_),
      corrections_(db_, tables_)
{
}

projection_file::~projection_file()
{
    transaction_.reset();
    (void)log_.empty();
}

void projection_file::commit()
{
    log_.writing();
    transaction_->commit();
    transaction_.reset();
    log_.written();
}

bool projection_file::empty_log()
{
    db_.setBusyTimeout(0); // the caller tries again later
    return log_.empty();
}

error projection_file::condemn(error why)
{
    condition_ = file_condition::broken;
    why_broken_ = why.detail;
    return why;
}

error projection_file::failure_of(const SQLite::Exception& e)
{
    if (!is_disk_full(e))
        return condemn(database_error(path_, e));
    condition_ = file_condition::full;
    return database_error(path_, e);
}

void projection_file::split_transaction()
{
    db_.exec("COMMIT");
    ::usleep(700'000);
    db_.exec("BEGIN");
}

} // namespace marquee
