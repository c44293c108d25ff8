#include "broker/jetstream/state_streams.hpp"

#include "schemas/event.hpp"
#include "schemas/subjects.hpp"

namespace marquee
{

stream_config events_stream()
{
    stream_config config;
    config.name = std::string(names::stream_events);
    config.subject = subjects::events().str();
    config.further_subjects = {subjects::events_admin().str()};
    config.description = "Views from marquee-edge to marquee-reporting, one or several a message";
    config.least_room = longest_event_bytes();
    return config;
}

stream_config bucket_stream(const std::string& bucket)
{
    stream_config config;
    config.name = "KV_" + bucket;
    config.subject = "$KV." + bucket + ".>";
    config.key_value = true;
    config.description = "Records of marquee-" + bucket + ", one key for each asset";
    return config;
}

} // namespace marquee
