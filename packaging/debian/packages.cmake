# CPack's settings for the Debian packages; what only cpack knows is in project.cmake.
set(MARQUEE_MAINTAINER "Marquee contributors <maintainers@marquee.invalid>" CACHE STRING
    "Who maintains the Debian packages")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "${MARQUEE_MAINTAINER}")
set(CPACK_PACKAGE_VENDOR Marquee)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/debian/project.cmake)
set(CPACK_COMPONENTS_ALL edge services tools marquee)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)

set(about "Marquee answers a player's request to play a video over HTTP, asks its
services over NATS, and counts the view in a JetStream stream.")
set(CPACK_COMPONENT_EDGE_DESCRIPTION "HTTP edge of the Marquee play backend
${about}
.
This package has the edge, the only part that speaks HTTP.")
set(CPACK_COMPONENT_SERVICES_DESCRIPTION "services of the Marquee play backend: metadata, cdnurl, reporting
${about}
.
This package has the services that the edge asks. They need a nats-server
with JetStream, 2.10 or newer.")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "tools for the Marquee play backend
${about}
.
This package has what people run by hand, such as marquee-doctor, which
examines a running system.")
set(CPACK_COMPONENT_MARQUEE_DESCRIPTION "play backend of a video site, with all of its parts
${about}
.
This package depends on the edge, the services and the tools, and has the
documentation, and marquee-run, which runs all of it on one machine.")
foreach(component EDGE SERVICES TOOLS)
    string(TOLOWER marquee-${component} CPACK_DEBIAN_${component}_PACKAGE_NAME)
    set(CPACK_DEBIAN_${component}_PACKAGE_SHLIBDEPS ON)
endforeach()
set(CPACK_DEBIAN_MARQUEE_PACKAGE_NAME marquee)
set(CPACK_DEBIAN_MARQUEE_PACKAGE_ARCHITECTURE all)
# The user of marquee-reporting is made from sysusers.d.
set(CPACK_DEBIAN_SERVICES_PACKAGE_DEPENDS "systemd-standalone-sysusers | systemd")
set(CPACK_DEBIAN_SERVICES_PACKAGE_SUGGESTS "nats-server (>= 2.10)")

# Maintainer scripts, and the files that dpkg asks about before it replaces a changed one. What has
# no services only has something to remove.
foreach(component edge services marquee)
    set(control ${CMAKE_CURRENT_BINARY_DIR}/control-${component})
    set(conffiles "")
    set(services "")
    foreach(service ${${component}_services})
        string(APPEND conffiles "/etc/marquee/${service}.conf\n")
        string(APPEND services " ${service}")
    endforeach()
    string(STRIP "${services}" services)
    foreach(step configure purge)
        set(${step} "")
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/${component}.${step})
            file(READ debian/${component}.${step} ${step})
            string(STRIP "${${step}}" ${step})
        endif()
    endforeach()
    string(TOUPPER ${component} upper)
    set(scripts postrm)
    if(services)
        file(WRITE ${control}/conffiles "${conffiles}")
        set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${control}/conffiles)
        list(APPEND scripts postinst prerm)
    endif()
    foreach(script ${scripts})
        configure_file(debian/${script}.in ${control}/${script} @ONLY)
        list(APPEND CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${control}/${script})
    endforeach()
endforeach()

include(CPack)
