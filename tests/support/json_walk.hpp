// Every object within a JSON document.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <functional>

namespace marquee::test
{

/// Calls `seen` with each object in `from`, outer ones first, in the order of the text.
inline void visit(const boost::json::value& from, const std::function<void(const boost::json::object&)>& seen)
{
    if (from.is_array())
        for (const auto& each : from.as_array())
            visit(each, seen);
    if (!from.is_object())
        return;
    seen(from.as_object());
    for (const auto& [name, value] : from.as_object())
        visit(value, seen);
}

} // namespace marquee::test
