# cmake -D TEXT=FILE -D INTO=FILE -P embed.cmake: writes the C++ that holds schemas/openapi.json.
file(READ ${TEXT} text)
file(WRITE ${INTO} "#include \"edge/openapi.hpp\"\n\nstd::string_view marquee::openapi_text() noexcept\n{\n    return R\"openapi(${text})openapi\";\n}\n")
