// From nats.c's messages to ours and back.
#pragma once

#include "broker/message.hpp"
#include "broker/nats_c.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace marquee::detail
{

using nats_msg_ptr = std::unique_ptr<natsMsg, c_deleter<natsMsg, natsMsg_Destroy>>;

/// A copy with our types.
[[nodiscard]] message copy_message(natsMsg* from);

/// The same without its subjects: what a requester knows already.
[[nodiscard]] message copy_reply(natsMsg* from);

/// A message with headers, to publish. Null when memory is out or a header cannot be set.
[[nodiscard]] nats_msg_ptr make_nats_message(const char* subject, const char* reply, std::string_view payload,
                                             const header_list& headers);

/// Messages that wait to be destroyed: each destruction takes a library-wide lock and may wake the collector thread, so they go in batches.
class spent_messages
{
public:
    ~spent_messages() { destroy(); }
    void add(nats_msg_ptr m);
    void destroy();

private:
    static constexpr std::size_t max_messages = 4096;
    static constexpr std::size_t max_bytes = 1 << 20;
    std::vector<nats_msg_ptr> messages_;
    std::size_t bytes_ = 0;
};

} // namespace marquee::detail
