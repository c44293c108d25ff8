# Read by cpack when it starts. The packages of each Debian release have a version of their own, for
# their libraries differ; that of a newer release is higher, as an upgrade to it needs.
file(STRINGS /etc/os-release release REGEX "^VERSION_ID=")
string(REGEX REPLACE "[^0-9]" "" release "${release}")
set(CPACK_DEBIAN_PACKAGE_RELEASE "1~deb${release}")
set(version "${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
set(CPACK_DEBIAN_MARQUEE_PACKAGE_DEPENDS
    "marquee-edge (= ${version}), marquee-services (= ${version}), marquee-tools (= ${version}), curl, openssl")
set(ENV{MARQUEE_PACKAGE_VERSION} ${version}) # for documents
set(ENV{MARQUEE_MAINTAINER} "${CPACK_PACKAGE_CONTACT}")
