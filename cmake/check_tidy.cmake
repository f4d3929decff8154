# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DBUILD=<build folder> -DDIR=<folder of sources>
#       -P check_tidy.cmake
#
# clang-tidy over the sources of one folder, with the commands that compile
# them. Every version has other checks; .clang-tidy is written for one.

cmake_minimum_required(VERSION 3.25)

set(version 14)
find_program(CLANG_TIDY NAMES clang-tidy-${version} clang-tidy)
if(NOT CLANG_TIDY)
    message("skipped: there is no clang-tidy here")
    return()
endif()
execute_process(COMMAND ${CLANG_TIDY} --version OUTPUT_VARIABLE found)
if(NOT found MATCHES "version ${version}\\.")
    message("skipped: the analyser is clang-tidy ${version} only")
    return()
endif()

# Of GCC's own headers clang lacks but this one.
set(extra ${BUILD}/gcc-headers)
execute_process(COMMAND ${CC} -print-file-name=include/omp.h
    OUTPUT_VARIABLE omp OUTPUT_STRIP_TRAILING_WHITESPACE)
if(EXISTS ${omp})
    file(COPY ${omp} DESTINATION ${extra})
endif()

# Each file has its commands before it, several where it is compiled for
# several processors or programs. Commands that differ in their output alone
# are one.
file(STRINGS ${BUILD}/compile_commands.json lines
    REGEX "^ *\"(command|file)\": ")
file(GLOB sources ${ROOT}/${DIR}/*.c)
set(files "")
set(commands "")
foreach(line IN LISTS lines)
    string(REGEX MATCH "\"(command|file)\": (\".*\"),?$" match "${line}")
    string(JSON ${CMAKE_MATCH_1} GET "[${CMAKE_MATCH_2}]" 0)
    if(CMAKE_MATCH_1 STREQUAL "file" AND file IN_LIST sources)
        string(REGEX REPLACE " -o [^ ]+" "" command "${command}")
        if(NOT command IN_LIST commands)
            list(APPEND files ${file})
            list(APPEND commands "${command}")
        endif()
    endif()
endforeach()
list(LENGTH files count)
if(count EQUAL 0)
    message("skipped: nothing in ${DIR} is compiled here")
    return()
endif()
# Loops over blocks of numbers have paths without end. A fifth of the usual
# number of states per function takes a fifth of the time.
set(budget "")
foreach(word -Xclang -analyzer-config -Xclang max-nodes=40000)
    list(APPEND budget --extra-arg=${word})
endforeach()

# One command at a time: given several, the checks of va_list mix them up.
set(failed "")
foreach(file command IN ZIP_LISTS files commands)
    separate_arguments(words UNIX_COMMAND "${command}")
    list(POP_FRONT words)
    execute_process(
        COMMAND ${CLANG_TIDY} --quiet --extra-arg=-idirafter${extra} ${budget}
            ${file} -- ${words}
        WORKING_DIRECTORY ${BUILD}
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT result EQUAL 0)
        string(APPEND failed "${output}${errors}")
    endif()
endforeach()
if(failed)
    message("${failed}")
    message(FATAL_ERROR "clang-tidy objects to ${DIR}")
endif()
message(STATUS "${count} compilations of ${DIR} pass clang-tidy")
