# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -P check_format.cmake
#
# Formatting of all C files. Versions of clang-format disagree with each
# other, so the check is made by the one that .clang-format is written for.

cmake_minimum_required(VERSION 3.25)

set(version 14)
find_program(CLANG_FORMAT NAMES clang-format-${version} clang-format)
if(NOT CLANG_FORMAT)
    message("skipped: there is no clang-format here")
    return()
endif()
execute_process(COMMAND ${CLANG_FORMAT} --version OUTPUT_VARIABLE found)
if(NOT found MATCHES "version ${version}\\.")
    message("skipped: formatting is checked by clang-format ${version} only")
    return()
endif()

set(files "")
foreach(dir libwsr tools examples tests)
    file(GLOB_RECURSE more ${ROOT}/${dir}/*.c ${ROOT}/${dir}/*.h
        ${ROOT}/${dir}/*.cpp)
    list(APPEND files ${more})
endforeach()
execute_process(
    COMMAND ${CLANG_FORMAT} --dry-run -Werror --style=file ${files}
    WORKING_DIRECTORY ${ROOT}
    RESULT_VARIABLE result ERROR_VARIABLE output)
list(LENGTH files count)
if(NOT result EQUAL 0)
    string(REGEX MATCHALL "[^\n]+: error: [^\n]+" places "${output}")
    list(JOIN places "\n  " text)
    message(FATAL_ERROR "run clang-format -i on these:\n  ${text}")
endif()
message(STATUS "${count} files are formatted")
