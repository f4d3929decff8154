# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DSCRATCH=... -DCC=<compiler> -DFLAGS="-D... -I..."
#       -DSOVERSION=... [-DWRITE=ON] -P check_abi.cmake
#
# The ABI of the library is that of cmake/abi/libwsr.abi.xz, but for new
# functions and new enumerators: abidiff compares them. With WRITE the file is
# written anew; docs/abi.md says when. The sources with public functions are compiled once more for this,
# with types in the debug information and without optimisation; what they need
# of the others is left undefined.

cmake_minimum_required(VERSION 3.25)

set(dump ${ROOT}/cmake/abi/libwsr.abi.xz)
foreach(program abidw abidiff xz)
    find_program(${program} ${program})
    if(NOT ${program})
        message(STATUS "skipped: there is no ${program} (abigail-tools)")
        return()
    endif()
endforeach()

# must_run(command...): its end is the end.
function(must_run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        list(GET ARGN 0 program)
        message(FATAL_ERROR "${program}:\n${output}")
    endif()
endfunction()

# ------------------------------------------------------- the public functions

file(GLOB headers ${ROOT}/libwsr/include/wsr/*.h)
set(declared "")
foreach(header IN LISTS headers)
    file(READ ${header} text)
    string(REPLACE ";" " " text "${text}")
    string(REGEX MATCHALL "[ *\n]wsr_[a-z0-9_]+\\(" hits "${text}")
    foreach(hit IN LISTS hits)
        string(REGEX MATCH "wsr_[a-z0-9_]+" name "${hit}")
        list(APPEND declared ${name})
    endforeach()
endforeach()

# Definitions begin at the first column.
file(GLOB_RECURSE files ${ROOT}/libwsr/*.c)
set(sources "")
foreach(file IN LISTS files)
    file(STRINGS ${file} lines REGEX "^[a-z][^=;]*wsr_[a-z0-9_]+\\(|^wsr_[a-z]")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "(wsr_[a-z0-9_]+)\\(" hit "${line}")
        if(hit AND CMAKE_MATCH_1 IN_LIST declared
                AND NOT line MATCHES "^static ")
            list(APPEND sources ${file})
            break()
        endif()
    endforeach()
endforeach()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
set(library ${SCRATCH}/libwsr.so.${SOVERSION})
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
must_run(${CC} -std=c11 -g -O0 -fPIC -fvisibility=hidden -w -shared
    ${flags} ${sources} -o ${library} -Wl,-soname,libwsr.so.${SOVERSION}
    -Wl,--version-script=${ROOT}/libwsr/wsr.map
    -Wl,--unresolved-symbols=ignore-all)

# --------------------------------------------------------------- comparison

set(new ${SCRATCH}/libwsr.abi)
must_run(${abidw} --headers-dir ${ROOT}/libwsr/include --drop-private-types
    --drop-undefined-syms --no-corpus-path --no-comp-dir-path --no-show-locs
    --no-architecture --no-elf-needed --type-id-style hash
    --out-file ${new} ${library})
if(WRITE)
    must_run(${xz} -9 -k -f ${new})
    file(COPY_FILE ${new}.xz ${dump})
    message(STATUS "written: ${dump}")
    return()
endif()

execute_process(COMMAND ${xz} -d -c ${dump}
    OUTPUT_FILE ${SCRATCH}/committed.abi RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${dump} cannot be read")
endif()
# What lies behind a handle is ours. abidw finds the public headers by the
# names of their files, which private ones may share; so the types that no
# public header defines are named here.
set(opaque "")
file(GLOB headers ${ROOT}/libwsr/include/*.h ${ROOT}/libwsr/include/wsr/*.h)
foreach(header IN LISTS headers)
    file(STRINGS ${header} lines REGEX "^typedef struct wsr_[a-z0-9_]+ wsr_")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "struct (wsr_[a-z0-9_]+) wsr_[a-z0-9_]+;" hit
            "${line}")
        if(hit)
            list(APPEND opaque ${CMAKE_MATCH_1})
        endif()
    endforeach()
endforeach()
list(JOIN opaque "|" opaque)
file(WRITE ${SCRATCH}/private.supp
    "[suppress_type]\n  type_kind = struct\n"
    "  name_regexp = ^(wsr__.*|${opaque})$\n")

execute_process(COMMAND ${abidiff} --no-added-syms
    --suppressions ${SCRATCH}/private.supp
    ${SCRATCH}/committed.abi ${new}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the ABI has changed; docs/abi.md says what to do:\n"
        "${output}")
endif()
list(LENGTH sources count)
message(STATUS "${count} sources with public functions: the ABI is the same")
