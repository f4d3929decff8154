# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DLIBRARY=<libwsr.so> -DNM=<nm>
#       -P check_symbols.cmake
#
# The shared library exports what the public headers declare, all of it and
# nothing else, with the version that has the number of the ABI.

cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
    OUTPUT_VARIABLE listing RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "nm cannot read ${LIBRARY}")
endif()
string(REPLACE "\n" ";" listing "${listing}")
file(STRINGS ${ROOT}/CMakeLists.txt abi REGEX "^set\\(WSR_SOVERSION ")
string(REGEX REPLACE "[^0-9]" "" abi "${abi}")
set(exported "")
set(wrong "")
foreach(line IN LISTS listing)
    if(line MATCHES "^[0-9a-f]+ A LIBWSR_${abi}(@|$)")
        continue()
    elseif(line MATCHES "^[0-9a-f]+ [A-Za-z] ([^@ ]+)(.*)$")
        list(APPEND exported ${CMAKE_MATCH_1})
        if(NOT CMAKE_MATCH_2 STREQUAL "@@LIBWSR_${abi}")
            list(APPEND wrong
                "${CMAKE_MATCH_1}: has the version '${CMAKE_MATCH_2}'")
        endif()
    endif()
endforeach()

file(GLOB_RECURSE headers ${ROOT}/libwsr/include/*.h)
set(declared "")
foreach(header IN LISTS headers)
    file(READ ${header} text)
    string(REPLACE ";" " " text "${text}")
    string(REGEX REPLACE "//[^\n]*" "" text "${text}")
    string(REGEX MATCHALL "WSR_API[^(#]*[ *\n](wsr_[a-z0-9_]+)\\(" hits
        "${text}")
    foreach(hit IN LISTS hits)
        string(REGEX MATCH "(wsr_[a-z0-9_]+)\\($" _ "${hit}")
        list(APPEND declared ${CMAKE_MATCH_1})
    endforeach()
endforeach()

foreach(name IN LISTS exported)
    if(NOT name IN_LIST declared)
        list(APPEND wrong "${name}: is exported, but in no public header")
    endif()
endforeach()
foreach(name IN LISTS declared)
    if(NOT name IN_LIST exported)
        list(APPEND wrong "${name}: is declared, but not exported")
    endif()
endforeach()
list(LENGTH exported count)
if(count EQUAL 0)
    list(APPEND wrong "nothing is exported")
endif()
if(wrong)
    list(JOIN wrong "\n  " text)
    message(FATAL_ERROR "exports and headers differ:\n  ${text}")
endif()
message(STATUS "${count} symbols are exported, all of them declared")
