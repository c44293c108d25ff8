// The options of the export of traces.
#pragma once

#include "broker/telemetry/otlp_exporter.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <memory>
#include <string>

namespace marquee
{

/// Adds --otlp and --otlp-headers-file.
void add_trace_options(boost::program_options::options_description& options);

/// Whether the values make sense; for settings_description::check. Files are not opened.
[[nodiscard]] result<void> check_trace_options(const boost::program_options::variables_map& given);

/// Starts the export and makes it the sink of the process; null without --otlp. `instance`: the
/// service id. Keep it until no other thread ends spans. Fails with bad_request where the file of
/// headers cannot be used.
[[nodiscard]] result<std::unique_ptr<otlp_exporter>> start_export(const boost::program_options::variables_map& given,
                                                                  const std::string& program,
                                                                  const std::string& instance);

/// Logs why a program cannot start, and returns its exit code.
[[nodiscard]] int report_unusable(const error& why);

} // namespace marquee
