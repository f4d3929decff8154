# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DPROGRAM=<ops_page> -P check_ops_page.cmake
#
# docs/ops.md is what the program prints from the registry.

cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed
    RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} fails: ${output}")
endif()
set(committed "")
if(EXISTS ${ROOT}/docs/ops.md)
    file(READ ${ROOT}/docs/ops.md committed)
endif()
if(NOT committed STREQUAL printed)
    message(FATAL_ERROR "docs/ops.md is not what the registry says; "
        "write it anew:\n    ${PROGRAM} > ${ROOT}/docs/ops.md")
endif()
message(STATUS "docs/ops.md is what the registry says")
