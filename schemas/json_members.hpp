// Shared by json_encode.cpp and json_decode.cpp; not for other files.
#pragma once

#include "schemas/live_messages.hpp"
#include "schemas/messages.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>

/// Expands APPLY for each message: the types that encode() and decode() are instantiated for.
#define MARQUEE_FOR_EACH_MESSAGE(APPLY)                                                                                \
    APPLY(asset_metadata)                                                                                              \
    APPLY(asset_metadata_reply)                                                                                        \
    APPLY(asset_url)                                                                                                   \
    APPLY(asset_url_reply)                                                                                             \
    APPLY(put_reply)                                                                                                   \
    APPLY(delete_reply)                                                                                                \
    APPLY(error_reply)                                                                                                 \
    APPLY(list_request)                                                                                                \
    APPLY(search_request)                                                                                              \
    APPLY(metadata_page)                                                                                               \
    APPLY(search_page)                                                                                                 \
    APPLY(url_page)                                                                                                    \
    APPLY(views_reply)                                                                                                 \
    APPLY(counts_reply)                                                                                                \
    APPLY(top_request)                                                                                                 \
    APPLY(top_reply)                                                                                                   \
    APPLY(asset_views_reply)                                                                                           \
    APPLY(user_views_reply)                                                                                            \
    APPLY(series_request)                                                                                              \
    APPLY(series_reply)                                                                                                \
    APPLY(history_request)                                                                                             \
    APPLY(history_page)                                                                                                \
    APPLY(views_page)                                                                                                  \
    APPLY(correction)                                                                                                  \
    APPLY(live_request)                                                                                                \
    APPLY(live_view)                                                                                                   \
    APPLY(live_reply)                                                                                                  \
    APPLY(play_event_json)                                                                                             \
    APPLY(cloud_event_json)                                                                                            \
    APPLY(play_reply)                                                                                                  \
    APPLY(event_counts_reply)                                                                                          \
    APPLY(titled_top_reply)                                                                                            \
    APPLY(health_reply)                                                                                                \
    APPLY(problem)                                                                                                     \
    APPLY(js_api_error)                                                                                                \
    APPLY(pub_ack)

namespace marquee
{

/// The described members of a message, in the order on the wire.
template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

/// A message: a struct with BOOST_DESCRIBE_STRUCT.
template <class T>
concept described = boost::describe::has_describe_members<T>::value;

/// A message that keeps members it does not name.
template <class T>
concept open_ended = requires(T message)
{
    message.further;
};

/// A JSON number; bool has a JSON type of its own.
template <class T>
concept number = std::integral<T> && !std::same_as<T, bool>;

} // namespace marquee
