# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DCC=<C compiler> -DCXX=<C++ compiler>
#       -P check_headers.cmake
#
# Each public header compiles alone, and twice, as C11 and as C++17 without a
# warning.

cmake_minimum_required(VERSION 3.25)

set(common -Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only
    -I${ROOT}/libwsr/include)
set(as_c ${CC} -std=c11 -Wstrict-prototypes ${common} -x c)
set(as_cxx ${CXX} -std=c++17 ${common} -x c++)

file(GLOB_RECURSE headers RELATIVE ${ROOT}/libwsr/include
    ${ROOT}/libwsr/include/*.h)
set(failed "")
foreach(header IN LISTS headers)
    foreach(language c cxx)
        execute_process(
            COMMAND ${as_${language}} -include ${header}
                ${ROOT}/libwsr/include/${header}
            RESULT_VARIABLE result ERROR_VARIABLE output)
        if(NOT result EQUAL 0)
            string(APPEND failed "\n${header} as ${language}:\n${output}")
        endif()
    endforeach()
endforeach()
list(LENGTH headers count)
if(failed)
    message(FATAL_ERROR "headers that do not stand alone:${failed}")
endif()
message(STATUS "${count} headers compile alone, as C11 and as C++17")
