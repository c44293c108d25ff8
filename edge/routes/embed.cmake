# cmake -D TEXT=FILE -D INTO=FILE -P embed.cmake: writes the C++ that holds schemas/openapi.json.
file(READ ${TEXT} text)
string(CONCAT source
    "#include \"edge/routes/openapi.hpp\"\n\n"
    "std::string_view marquee::openapi_text() noexcept\n"
    "{\n    return R\"openapi(${text})openapi\";\n}\n")
file(WRITE ${INTO} "${source}")
