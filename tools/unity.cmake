# Unity builds: the files of one folder of a target are compiled as one, which takes a fraction of
# the time, for most of it goes to the libraries' headers and templates. So names are unique within
# a folder, those of anonymous namespaces too; tests whose helpers have short names that others of
# their folder also have are named here. What runs is built file by file, so that one that forgets
# an include is found there.
set(compiled_alone
    tests/catalogue_files/import_test.cpp
    tests/integration/jetstream/ordered_consumer_test.cpp
    tests/integration/reporting/reporting_stream_test.cpp
    tests/unit/broker/micro/service_detail_test.cpp
    tests/unit/broker/program/nats_context_test.cpp
    tests/unit/broker/program/options_test.cpp
    tests/unit/broker/program/settings_test.cpp
    tests/unit/edge/auth/jwt_test.cpp
    tests/unit/edge/routes/play_test.cpp
    tests/unit/edge/upstream/batch_gate_test.cpp
    tests/unit/edge/upstream/live_hub_test.cpp
    tests/unit/edge/upstream/readiness_test.cpp
    tests/unit/schemas/event_test.cpp
    tests/unit/schemas/json_decode_test.cpp
    tests/unit/schemas/json_limits_test.cpp
    tests/unit/schemas/json_schema_test.cpp
    tests/unit/schemas/rfc3339_test.cpp
    tests/unit/schemas/subjects_test.cpp
    tests/unit/services/metadata/search_test.cpp
    tests/unit/services/reporting/view_endpoints_test.cpp)

# use_unity_builds(FOLDER): for all targets of the folder and of those below.
function(use_unity_builds folder)
    get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(name IN LISTS targets)
        get_target_property(type ${name} TYPE)
        if(NOT type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
            continue()
        endif()
        set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
        get_target_property(sources ${name} SOURCES)
        get_target_property(source_folder ${name} SOURCE_DIR)
        foreach(source IN LISTS sources)
            get_filename_component(file ${source} ABSOLUTE BASE_DIR ${source_folder})
            file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${file})
            cmake_path(IS_PREFIX CMAKE_BINARY_DIR ${file} generated)
            # What macros before an include decide is left alone: main() of Boost.Test, sources of
            # Asio and Beast.
            if(generated OR NOT path MATCHES "\\.cpp$" OR path MATCHES "(/|_)main\\.cpp$|/(asio|beast)\\.cpp$"
               OR path IN_LIST compiled_alone)
                continue()
            endif()
            get_filename_component(room ${path} DIRECTORY)
            string(MAKE_C_IDENTIFIER ${room} room)
            set_source_files_properties(${file} TARGET_DIRECTORY ${name} PROPERTIES UNITY_GROUP ${room})
        endforeach()
    endforeach()
    get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
    foreach(each IN LISTS folders)
        use_unity_builds(${each})
    endforeach()
endfunction()
