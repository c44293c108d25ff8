#include "broker/nats/nats_message.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace marquee::detail
{

bool is_wire_safe(std::string_view subject) noexcept
{
    return std::none_of(subject.begin(), subject.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

bool is_wire_safe(const header_list& headers) noexcept
{
    return std::none_of(headers.begin(), headers.end(),
                        [](const header_list::value_type& header)
                        {
                            const auto& [name, value] = header;
                            return name.empty() || name.find_first_of(": \r\n") != std::string_view::npos ||
                                   value.find_first_of("\r\n") != std::string_view::npos;
                        });
}

message copy_message(natsMsg* from)
{
    auto to = copy_reply(from);
    if (const char* s = natsMsg_GetSubject(from))
        to.subject = s;
    if (const char* r = natsMsg_GetReply(from))
        to.reply = r;
    return to;
}

message copy_reply(natsMsg* from)
{
    message to;
    to.data.assign(natsMsg_GetData(from), static_cast<std::size_t>(natsMsg_GetDataLength(from)));

    const char** keys = nullptr;
    int count = 0;
    if (const auto s = natsMsgHeader_Keys(from, &keys, &count); s != NATS_OK)
    {
        to.headers_unreadable = s != NATS_NOT_FOUND;
        return to;
    }
    for (int i = 0; i < count; ++i)
    {
        const char* value = nullptr;
        if (natsMsgHeader_Get(from, keys[i], &value) == NATS_OK && value != nullptr)
            to.headers.set(keys[i], value);
    }
    std::free(keys); // NOLINT(cppcoreguidelines-no-malloc): nats.c hands over a malloc'ed array
    return to;
}

nats_msg_ptr make_nats_message(const char* subject, const char* reply, std::string_view payload,
                               const header_list& headers)
{
    natsMsg* raw = nullptr;
    if (natsMsg_Create(&raw, subject, reply, payload.data(), static_cast<int>(payload.size())) != NATS_OK)
        return nullptr;
    nats_msg_ptr made(raw);
    for (const auto& [name, value] : headers)
        if (natsMsgHeader_Set(raw, name.data(), value.data()) != NATS_OK) // a zero byte follows both
            return nullptr;
    return made;
}

void spent_messages::add(nats_msg_ptr m)
{
    bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(m.get()));
    messages_.push_back(std::move(m));
    if (messages_.size() >= max_messages || bytes_ >= max_bytes)
        destroy();
}

void spent_messages::destroy()
{
    messages_.clear();
    bytes_ = 0;
}

} // namespace marquee::detail
