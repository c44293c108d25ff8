// Conversion between messages of nats.c and ours.
#pragma once

#include "broker/base/freed_by.hpp"
#include "broker/nats/message.hpp"
#include "broker/nats/nats_c.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace marquee::detail
{

using nats_msg_ptr = std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>>;

/// Returns whether nats.c may be given `subject`: it puts subjects on the wire as they are, and a
/// blank or control character ends one there.
[[nodiscard]] bool is_wire_safe(std::string_view subject) noexcept;

/// Returns whether no name or value ends its header, or the header section, early.
[[nodiscard]] bool is_wire_safe(const header_list& headers) noexcept;

/// Copies a received message.
[[nodiscard]] message copy_message(natsMsg* from);

/// Copies a received message without its subjects, which a requester knows already.
[[nodiscard]] message copy_reply(natsMsg* from);

/// Makes a message to publish. Null if memory is out or a header cannot be set.
[[nodiscard]] nats_msg_ptr make_nats_message(const char* subject, const char* reply, std::string_view payload,
                                             const header_list& headers);

/// Collects messages and destroys them in batches: natsMsg_Destroy takes a library-wide lock and
/// may wake nats.c's garbage collector thread each time. On the io thread.
class spent_messages
{
public:
    spent_messages() = default;
    ~spent_messages() { destroy(); }
    spent_messages(const spent_messages&) = delete;
    spent_messages& operator=(const spent_messages&) = delete;

    void add(nats_msg_ptr m);
    void destroy();

private:
    static constexpr std::size_t max_messages = 4096;
    static constexpr std::size_t max_bytes = 1 << 20;
    std::vector<nats_msg_ptr> messages_;
    std::size_t bytes_ = 0;
};

} // namespace marquee::detail
