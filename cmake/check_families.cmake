# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -P check_families.cmake
#
# Every family of the library is in the list of families, registry/registry.c.

cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/libwsr/*.c)
set(list_file libwsr/registry/registry.c)
set(list "")
if(EXISTS ${ROOT}/${list_file})
    file(READ ${ROOT}/${list_file} list)
endif()
set(wrong "")
set(count 0)
foreach(file IN LISTS files)
    file(STRINGS ${ROOT}/${file} lines REGEX "^const wsr__family wsr__")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "wsr__family (wsr__[a-z_]+)" _ "${line}")
        set(family ${CMAKE_MATCH_1})
        math(EXPR count "${count} + 1")
        if(NOT list MATCHES "&${family},")
            list(APPEND wrong "${file}: ${family} is missing in ${list_file}")
        endif()
    endforeach()
endforeach()
if(wrong)
    list(JOIN wrong "\n  " text)
    message(FATAL_ERROR "families that callers cannot see:\n  ${text}")
endif()
message(STATUS "${count} families, all of them listed")
