# SPDX-License-Identifier: Apache-2.0
#
# Packages of Debian and the archive of sources, by CPack:
#
#   cmake --preset package && cmake --build --preset package
#   cpack --preset package
#   cpack -G TGZ --config build-package/CPackSourceConfig.cmake
#
# cmake/packages.sh makes and tries them on Debian 12 and 13.

set(CPACK_PACKAGE_NAME libwsr)
set(CPACK_PACKAGE_VENDOR libwsr)
set(CPACK_PACKAGE_CONTACT "libwsr developers <libwsr@libwsr.invalid>"
    CACHE STRING "Maintainer of the packages")
# CPack would put it in front of that of each package.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME libwsr-${PROJECT_VERSION})
# Expressions for whole paths; no folder above the tree may match.
string(REGEX REPLACE "[^A-Za-z0-9_/-]" "." root ${PROJECT_SOURCE_DIR})
set(CPACK_SOURCE_IGNORE_FILES ^${root}/[.]git ^${root}/build ^${root}/quick-run
    ~$ [.]swp$)

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime data devel tools doc)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Below those of Debian, if it has packages one day.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0wsr1 CACHE STRING "Revision of the packages")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

# wsr_package(component name section architecture summary text): one package.
function(wsr_package component name section architecture summary text)
    string(TOUPPER ${component} id)
    set(package CPACK_DEBIAN_${id}_PACKAGE)
    set(${package}_NAME ${name} PARENT_SCOPE)
    set(${package}_SECTION ${section} PARENT_SCOPE)
    set(${package}_PRIORITY optional PARENT_SCOPE)
    set(CPACK_DEBIAN_${id}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
    set(CPACK_COMPONENT_${id}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
    if(architecture STREQUAL "all")
        set(${package}_ARCHITECTURE all PARENT_SCOPE)
    endif()
endfunction()

set(about
"libwsr finds, trains and measures image classifiers that stay accurate under
adversarial noise of many strengths: architecture search, adversarial training,
attacks and their evaluation, on the processors of one machine.")
set(runtime libwsr${WSR_SOVERSION})
wsr_package(runtime ${runtime} libs any
    "robust neural networks on CPUs - shared library"
    "${about}\n.\nThis package has the shared library.")
wsr_package(data wsr-data science all
    "robust neural networks on CPUs - presets and genotypes"
    "${about}\n.\nThis package has presets and published genotypes.")
wsr_package(devel libwsr-dev libdevel any
    "robust neural networks on CPUs - development files"
    "${about}\n.\nThis package has the headers, the static library and the files for CMake
and pkg-config.")
wsr_package(tools wsr-tools science any
    "robust neural networks on CPUs - programs"
    "${about}\n.\nThis package has wsr-search, wsr-train, wsr-attack and wsr-estimate.")
wsr_package(doc wsr-doc doc all
    "robust neural networks on CPUs - documentation"
    "${about}\n.\nThis package has the documentation and examples in C, C++ and Python.")

set(CPACK_COMPONENT_RUNTIME_DEPENDS data)
set(CPACK_COMPONENT_DEVEL_DEPENDS runtime)
set(CPACK_COMPONENT_TOOLS_DEPENDS runtime)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "dataset-fashion-mnist, wsr-doc")
set(CPACK_DEBIAN_DEVEL_PACKAGE_SUGGESTS "wsr-doc")

# Beside the dependencies above.
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/libwsr)

# Written by the script: what every package of Debian must have.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/finish.cmake)
set(control ${PROJECT_BINARY_DIR}/debian)
file(MAKE_DIRECTORY ${control})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
    ${control}/shlibs ${control}/symbols ${control}/triggers)
set(CPACK_WSR_CONTROL ${control})
set(CPACK_WSR_SOURCE ${PROJECT_SOURCE_DIR})

include(CPack)
