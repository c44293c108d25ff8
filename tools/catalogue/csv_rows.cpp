#include "tools/catalogue/csv_rows.hpp"

#include <csv.h>

#include <new>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

int is_never(unsigned char) { return 0; }

bool ends_line(std::string_view piece) { return piece.ends_with('\n') || piece.ends_with('\r'); }

} // namespace

/// libcsv's parser. What it is told of states is in its documentation: `quoted`, `entry_pos`.
struct csv_rows::parser
{
    explicit parser(char delimiter_) : delimiter(delimiter_) { init(); }
    ~parser() { csv_free(&state); }
    parser(const parser&) = delete;
    parser& operator=(const parser&) = delete;

    void init()
    {
        if (csv_init(&state, CSV_STRICT) != 0)
            throw std::bad_alloc();
        csv_set_delim(&state, static_cast<unsigned char>(delimiter));
        csv_set_space_func(&state, is_never); // spaces are part of a field
        csv_set_blk_size(&state, 4096);
    }
    void reset()
    {
        csv_free(&state);
        init();
    }
    /// Whether a row has begun that is not complete.
    [[nodiscard]] bool in_row() const noexcept { return state.pstate != 0; }

    csv_parser state{};
    char delimiter;
};

csv_rows::csv_rows(std::unique_ptr<byte_source> source, char delimiter)
    : source_(std::move(source)), parser_(std::make_unique<parser>(delimiter))
{
}

csv_rows::~csv_rows() = default;

result<read_outcome> csv_rows::next(csv_row& row, bool wait)
{
    for (;;)
    {
        if (unread_.empty())
        {
            const auto read = source_->read(unread_, wait);
            if (read.has_error() || *read == read_outcome::later)
                return read;
            if (*read == read_outcome::end)
            {
                if (!finish())
                    return read_outcome::end;
                give(row);
                return read_outcome::found;
            }
            bytes_ += unread_.size();
        }
        const auto piece = take_piece();
        if (!skipping_)
            feed(piece);
        else if (ends_line(piece))
        {
            skipping_ = false;
            complete_ = true;
        }
        if (complete_)
        {
            give(row);
            return read_outcome::found;
        }
    }
}

/// Returns the bytes up to the end of a line, or all there are. So a row ends only where a piece
/// ends, and its line is known.
std::string_view csv_rows::take_piece()
{
    piece_line_ = line_;
    std::size_t size = 1;
    if (std::exchange(after_cr_, false) && unread_.front() == '\n')
        piece_line_ = line_ - 1;
    else if (const auto at = unread_.find_first_of("\r\n"); at == std::string_view::npos)
        size = unread_.size();
    else
    {
        const bool both = unread_[at] == '\r' && at + 1 < unread_.size() && unread_[at + 1] == '\n';
        size = at + (both ? 2 : 1);
        after_cr_ = unread_[at] == '\r' && !both;
        ++line_;
    }
    const auto piece = unread_.substr(0, size);
    unread_.remove_prefix(size);
    return piece;
}

void csv_rows::feed(std::string_view piece)
{
    auto& state = parser_->state;
    if (!parser_->in_row() && row_.fields.empty())
        row_.line = field_line_ = piece_line_;
    const auto on_field = [](void* bytes, std::size_t size, void* self)
    { static_cast<csv_rows*>(self)->take_field(static_cast<const char*>(bytes), size); };
    const auto on_row = [](int, void* self) { static_cast<csv_rows*>(self)->complete_ = true; };
    const auto read = csv_parse(&state, piece.data(), piece.size(), on_field, on_row, this);
    if (read < piece.size())
    {
        if (csv_error(&state) != CSV_EPARSE)
            throw std::bad_alloc();
        misplaced_quote();
        skipping_ = !ends_line(piece);
        complete_ = !skipping_;
    }
    else if (state.entry_pos > max_row_bytes)
    {
        if (row_.fault.empty())
        {
            row_.fault =
                "larger than " + std::to_string(max_row_bytes) + " bytes" +
                (state.quoted != 0 ? ": is the quote of line " + std::to_string(field_line_) + " closed?" : "");
            row_.fault_at = row_.fields.size();
        }
        state.entry_pos = 1; // forgets what the field has so far
    }
}

void csv_rows::take_field(const char* bytes, std::size_t size)
{
    field_line_ = piece_line_;
    row_bytes_ += size;
    if (row_.fault.empty() && row_bytes_ > max_row_bytes)
        row_.fault = "larger than " + std::to_string(max_row_bytes) + " bytes";
    if (row_.fault.empty() && row_.fields.size() == max_columns)
        row_.fault = "has more than " + std::to_string(max_columns) + " fields";
    if (row_.fault.empty())
        row_.fields.emplace_back(bytes, size);
}

void csv_rows::misplaced_quote()
{
    row_.fault = parser_->state.quoted != 0 ? "text after a closing quote; within quotes a quote is written twice"
                                            : "a quote within a field that does not begin with one";
    row_.fault_at = row_.fields.size();
    parser_->reset();
}

/// The row at the end of the file; false: there is none.
bool csv_rows::finish()
{
    if (std::exchange(skipping_, false))
        return true;
    if (!parser_->in_row())
        return false;
    auto& state = parser_->state;
    constexpr int field_begun = 2;
    if (state.pstate == field_begun && state.quoted != 0)
    {
        row_.fault = "the quote of line " + std::to_string(field_line_) + " is never closed";
        row_.fault_at = row_.fields.size();
        parser_->reset();
        return true;
    }
    const auto on_field = [](void* bytes, std::size_t size, void* self)
    { static_cast<csv_rows*>(self)->take_field(static_cast<const char*>(bytes), size); };
    csv_fini(
        &state, on_field, [](int, void*) {}, this);
    return true;
}

void csv_rows::give(csv_row& row)
{
    row = std::exchange(row_, csv_row());
    complete_ = false;
    row_bytes_ = 0;
}

} // namespace marquee::catalogue_files
