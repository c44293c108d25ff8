# Precompiled headers: the libraries' headers that most files include, compiled once. For the
# presets of developers. What runs is built without, so that a file that forgets an include is found
# there.

# add_precompiled_headers(NAME MORE …): a target that compiles the headers, with the flags of the
# folder it is made in. `MORE` are headers beyond those below.
function(add_precompiled_headers name)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp CONTENT "")
    add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    target_link_libraries(${name} PRIVATE marquee_flags)
    add_precompiled_definitions(${name})
    target_precompile_headers(${name} PRIVATE
        <algorithm> <array> <atomic> <charconv> <chrono> <functional> <iostream> <map> <memory> <mutex> <optional> <set>
        <sstream> <string> <string_view> <thread> <unordered_map> <utility> <vector>
        <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
        <boost/asio/post.hpp> <boost/asio/redirect_error.hpp> <boost/asio/steady_timer.hpp>
        <boost/asio/use_awaitable.hpp>
        <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/parse.hpp> <boost/json/serialize.hpp>
        <boost/json/value.hpp> <boost/system/result.hpp>
        ${ARGN})
endfunction()

# The compiler takes precompiled headers only where the macros are those they were compiled with.
function(add_precompiled_definitions name)
    foreach(library json program_options unit_test_framework)
        if(TARGET Boost::${library})
            target_compile_definitions(${name} PRIVATE
                $<TARGET_PROPERTY:Boost::${library},INTERFACE_COMPILE_DEFINITIONS>)
        endif()
    endforeach()
endfunction()

# use_precompiled_headers(FROM FOLDER): all targets of the folder and of those below use those of
# FROM. Left out are targets of C-like code, which does not include them, and shared libraries,
# whose flags differ.
function(use_precompiled_headers from folder)
    get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(name IN LISTS targets)
        get_target_property(type ${name} TYPE)
        if(NOT type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$"
           OR name MATCHES "^(marquee_(asio|jwt_maker|tls_client)|marquee-bench-echo)$")
            continue()
        endif()
        add_precompiled_definitions(${name})
        if(from STREQUAL marquee_precompiled_tests)
            target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
        endif()
        target_precompile_headers(${name} REUSE_FROM ${from})
        if(type STREQUAL "EXECUTABLE")
            target_link_libraries(${name} PRIVATE marquee_asio) # some of it is used by its headers alone
        endif()
        # Boost.Test defines main() where BOOST_TEST_MODULE is defined before its header.
        get_target_property(sources ${name} SOURCES)
        get_target_property(source_folder ${name} SOURCE_DIR)
        list(FILTER sources INCLUDE REGEX "(^|/|_)main\\.cpp$")
        list(TRANSFORM sources PREPEND ${source_folder}/)
        set_source_files_properties(${sources} TARGET_DIRECTORY ${name} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${name} PRIVATE -fpch-preprocess) # ccache needs it
        endif()
    endforeach()
    get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
    foreach(each IN LISTS folders)
        use_precompiled_headers(${from} ${each})
    endforeach()
endfunction()
