# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -P check_banned.cmake
#
# Words that may not occur: functions that print, end the program, bypass the
# allocator or overrun buffers, and another dialect than ours (in the library);
# unfinished work and paths of somebody's machine (anywhere). Every source starts
# with its licence.

cmake_minimum_required(VERSION 3.25)

set(functions malloc calloc realloc free aligned_alloc posix_memalign
    printf vprintf puts putchar perror exit _exit _Exit quick_exit abort
    strcpy strcat strncpy strncat sprintf vsprintf gets strtok strtok_r
    rand srand random srandom drand48 atoi atol atof strtof scanf sscanf
    setlocale signal sigaction system setenv)
list(JOIN functions "|" functions)
set(call "(^|[^A-Za-z0-9_.>])(${functions})[ \t]*\\(")
# docs/conventions.md. Brackets are neutralised to parentheses, semicolons to
# blanks.
set(dialect "sizeof [^(]|for \\(.*  \\+\\+[a-z]+\\)|^    wsr_status status $")
set(stream "(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)")

# Written in two halves, so that this file passes its own test.
set(unfinished "(TO" "DO|FIX" "ME|XX" "X|HAC" "K|not imple" "mented|place" "holder)")
list(JOIN unfinished "" unfinished)
set(machine "(/wor" "k/|/ho" "me/|/tm" "p/|/far" "m/)")
list(JOIN machine "" machine)

set(wrong "")

# Contents with line feeds kept, brackets and semicolons neutralised so that
# a list of lines stays one item per line.
function(read_lines out path)
    file(READ ${path} text)
    string(REPLACE ";" " " text "${text}")
    string(REPLACE "[" "(" text "${text}")
    string(REPLACE "]" ")" text "${text}")
    string(REPLACE "\\" "/" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# complain about each line that matches; `code` drops comments and strings.
function(check_file path relative pattern code)
    read_lines(lines ${path})
    set(found ${wrong})
    set(number 0)
    foreach(line IN LISTS lines)
        math(EXPR number "${number} + 1")
        if(code)
            string(REGEX REPLACE "\"[^\"]*\"" "" line "${line}")
            string(REGEX REPLACE "//.*$" "" line "${line}")
            if(line MATCHES "^[ \t]*/?\\*")
                continue()
            endif()
        endif()
        if(line MATCHES "${pattern}")
            list(APPEND found "${relative}:${number}: '${CMAKE_MATCH_0}'")
        endif()
    endforeach()
    set(wrong "${found}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE library RELATIVE ${ROOT}
    ${ROOT}/libwsr/*.c ${ROOT}/libwsr/*.h ${ROOT}/libwsr/*.cpp)
foreach(file IN LISTS library)
    if(NOT file STREQUAL "libwsr/base/alloc.c")
        check_file(${ROOT}/${file} ${file} "${call}" TRUE)
    endif()
    check_file(${ROOT}/${file} ${file} "${stream}" TRUE)
    check_file(${ROOT}/${file} ${file} "${dialect}" TRUE)
endforeach()

set(all "")
foreach(dir libwsr tools examples tests cmake docs)
    foreach(kind c h cpp cmake cmake.in txt md sh def yaml)
        file(GLOB_RECURSE more RELATIVE ${ROOT} ${ROOT}/${dir}/*.${kind})
        list(APPEND all ${more})
    endforeach()
endforeach()
list(APPEND all CMakeLists.txt)
foreach(file README.md CHANGELOG.md)
    if(EXISTS ${ROOT}/${file})
        list(APPEND all ${file})
    endif()
endforeach()
foreach(file IN LISTS all)
    check_file(${ROOT}/${file} ${file} "${unfinished}" FALSE)
    check_file(${ROOT}/${file} ${file} "${machine}" FALSE)
    if(file MATCHES "\\.([ch]|cpp)$")
        file(STRINGS ${ROOT}/${file} first LIMIT_COUNT 1)
        if(NOT first STREQUAL "// SPDX-License-Identifier: Apache-2.0")
            list(APPEND wrong "${file}:1: does not start with its licence")
        endif()
    endif()
endforeach()

list(LENGTH all count)
if(wrong)
    list(JOIN wrong "\n  " text)
    message(FATAL_ERROR "words that may not occur:\n  ${text}")
endif()
message(STATUS "${count} files are free of banned words")
