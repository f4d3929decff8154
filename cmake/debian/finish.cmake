# SPDX-License-Identifier: Apache-2.0
#
# CPack runs this between the installation into its own folders and the
# packages: manual pages are compressed, each package gets its copyright and
# its changelogs, and the library its list of symbols.

if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()

set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

# must_run(command...): its end is the end.
function(must_run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
        ERROR_VARIABLE error)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${ARGN}: ${error}")
    endif()
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} id)
    set(package ${CPACK_DEBIAN_${id}_PACKAGE_NAME})
    set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
    set(doc ${root}/usr/share/doc/${package})
    configure_file(${CPACK_WSR_SOURCE}/cmake/debian/copyright
        ${doc}/copyright COPYONLY)
    configure_file(${CPACK_WSR_SOURCE}/CHANGELOG.md ${doc}/changelog COPYONLY)
    file(WRITE ${doc}/changelog.Debian
"libwsr (${version}) unstable; urgency=medium

  * Packages of libwsr ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
    set(overrides ${CPACK_WSR_SOURCE}/cmake/debian/${package}.overrides)
    if(EXISTS ${overrides})
        configure_file(${overrides}
            ${root}/usr/share/lintian/overrides/${package} COPYONLY)
    endif()
    file(GLOB_RECURSE plain ${root}/usr/share/man/*)
    must_run(gzip -9nf ${plain} ${doc}/changelog ${doc}/changelog.Debian)
endforeach()

# As dh_strip leaves them.
file(GLOB_RECURSE archive ${CPACK_TEMPORARY_DIRECTORY}/devel/usr/lib/*.a)
must_run(strip --strip-debug --remove-section=.comment --remove-section=.note
    --enable-deterministic-archives ${archive})
file(GLOB programs ${CPACK_TEMPORARY_DIRECTORY}/tools/usr/bin/*)
file(GLOB_RECURSE library ${CPACK_TEMPORARY_DIRECTORY}/runtime/usr/lib/*.so.?.*)
file(GLOB_RECURSE plugins ${CPACK_TEMPORARY_DIRECTORY}/runtime/usr/lib/*.so)
must_run(strip --strip-unneeded --remove-section=.comment
    --remove-section=.note ${programs} ${library} ${plugins})

# Of a package in which CPack looks for shared libraries it makes one with
# scripts that call ldconfig, where Debian has a trigger. So what the library
# needs, and what those need who use it, is found out here. The library does
# without plug-ins (lib/wsr), and so without what they need.
set(scratch ${CPACK_WSR_CONTROL}/scratch)
file(WRITE ${scratch}/debian/control
"Source: libwsr

Package: ${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME}
Architecture: any
")
execute_process(COMMAND dpkg-shlibdeps -O ${library} -dSuggests ${plugins}
    WORKING_DIRECTORY ${scratch} OUTPUT_VARIABLE needed ERROR_VARIABLE error
    RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "dpkg-shlibdeps: ${error}")
endif()
foreach(field Depends Suggests)
    string(TOUPPER ${field} id)
    if(needed MATCHES "shlibs:${field}=([^\n]*)")
        set(CPACK_DEBIAN_RUNTIME_PACKAGE_${id} "${CMAKE_MATCH_1}")
    endif()
endforeach()
string(REGEX MATCH "[0-9]+$" abi ${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME})
set(package ${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME})
set(newer "(>= ${CPACK_PACKAGE_VERSION})")
file(WRITE ${CPACK_WSR_CONTROL}/shlibs "libwsr ${abi} ${package} ${newer}\n")
file(WRITE ${CPACK_WSR_CONTROL}/triggers "activate-noawait ldconfig\n")
file(WRITE ${CPACK_WSR_CONTROL}/template
"libwsr.so.${abi} ${package} #MINVER#
* Build-Depends-Package: libwsr-dev
 (symver)LIBWSR_${abi} ${CPACK_PACKAGE_VERSION}
")
must_run(${CMAKE_COMMAND} -E chdir ${scratch} dpkg-gensymbols -p${package}
    -v${CPACK_PACKAGE_VERSION} -e${library} -q
    -I${CPACK_WSR_CONTROL}/template -O${CPACK_WSR_CONTROL}/symbols)
