#include "tools/replay/ack.hpp"

#include "schemas/messages.hpp"

namespace marquee::replay
{

result<bool> read_ack(const std::string& reply)
{
    const auto ack = decode_reply<pub_ack>(reply);
    if (ack.has_error())
        return ack.error();
    if (ack->error)
        return fail(errc::unavailable, ack->error->description.value_or("JetStream refused the event"));
    if (ack->seq.value_or(0) == 0) // a cluster answers "duplicate" while the first copy may still be lost
        return fail(errc::malformed_reply, "an acknowledgement without a sequence");
    return ack->duplicate.value_or(false);
}

bool is_permanent(errc code) noexcept { return code == errc::payload_too_large || code == errc::bad_request; }

std::string text_of(const error& why)
{
    if (why == errc::no_responders)
        return "no stream takes subject events (marquee-reporting makes it)";
    return why.detail.empty() ? std::string(title_of(why.code)) : why.detail;
}

} // namespace marquee::replay
