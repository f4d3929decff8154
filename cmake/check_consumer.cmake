# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=... -DBUILD=... -DSCRATCH=... -DCC=... -DCXX=...
#       -DPKG_CONFIG=... -DVERSION=... -DGENERATOR=... -P check_consumer.cmake
#
# Installs to a staged prefix, and builds and runs a program against it: in C
# and in C++, shared and static, found by CMake and by pkg-config.

cmake_minimum_required(VERSION 3.25)

set(stage ${SCRATCH}/stage)
set(source ${ROOT}/tests/consumer)

# must_run(what command...): the output, or the end.
function(must_run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what}:\n${output}")
    endif()
    string(STRIP "${output}" output)
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
must_run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage})

# ------------------------------------------------------------- through CMake

must_run("configure" ${CMAKE_COMMAND} -S ${source} -B ${SCRATCH}/cmake
    -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${stage} -DWANTED=${VERSION}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX})
must_run("build" ${CMAKE_COMMAND} --build ${SCRATCH}/cmake)
foreach(program c_wsr cxx_wsr c_wsr_static cxx_wsr_static)
    must_run("${program}" ${SCRATCH}/cmake/${program})
    message(STATUS "CMake, ${program}: ${output}")
endforeach()

# --------------------------------------------------------- through pkg-config

file(GLOB_RECURSE pc ${stage}/wsr.pc)
get_filename_component(pc_dir ${pc} DIRECTORY)
get_filename_component(libdir ${pc_dir} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_dir})
must_run("version" ${PKG_CONFIG} --modversion wsr)
if(NOT output STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says version ${output}, not ${VERSION}")
endif()

# through_pkg_config(kind link-flags...): `kind` "--static" takes the private
# libraries as well.
function(through_pkg_config name kind)
    must_run("flags" ${PKG_CONFIG} ${kind} --cflags --libs wsr)
    separate_arguments(flags UNIX_COMMAND "${output}")
    set(program ${SCRATCH}/${name})
    must_run("C" ${CC} -o ${program}-c ${source}/consumer.c ${flags} ${ARGN})
    must_run("C++" ${CXX} -x c++ ${source}/consumer.c -x none
        -o ${program}-cxx ${flags} ${ARGN})
    foreach(language c cxx)
        must_run("${name}" ${program}-${language})
        message(STATUS "pkg-config, ${name}-${language}: ${output}")
    endforeach()
endfunction()

through_pkg_config(shared "" -Wl,-rpath,${libdir})

must_run("flags" ${PKG_CONFIG} --cflags --libs wsr)
separate_arguments(flags UNIX_COMMAND "${output}")
set(strict -Wall -Wextra -Wpedantic -Wconversion -Werror)

# The program that the README shows.
file(READ ${ROOT}/README.md readme)
string(FIND "${readme}" "\n```c\n" begin)
string(SUBSTRING "${readme}" ${begin} -1 readme)
string(SUBSTRING "${readme}" 6 -1 readme)
string(FIND "${readme}" "\n```" end)
string(SUBSTRING "${readme}" 0 ${end} program)
file(WRITE ${SCRATCH}/readme.c "${program}\n")
must_run("README, C" ${CC} -std=c11 ${strict} -o ${SCRATCH}/readme
    ${SCRATCH}/readme.c ${flags} -Wl,-rpath,${libdir})
message(STATUS "README: its program compiles")

# An example that uses much of the interface, from the installed headers alone.
set(example ${ROOT}/examples/own_training.c)
must_run("example, C" ${CC} -std=c11 ${strict} -o ${SCRATCH}/example-c
    ${example} ${flags} -lm -Wl,-rpath,${libdir})
must_run("example, C++" ${CXX} -std=c++17 ${strict} -o ${SCRATCH}/example-cxx
    -x c++ ${example} -x none ${flags} -Wl,-rpath,${libdir})
foreach(language c cxx)
    must_run("example, ${language}" ${CMAKE_COMMAND} -E chdir ${SCRATCH}
        ${SCRATCH}/example-${language})
    message(STATUS "example, ${language}: runs")
endforeach()
file(GLOB shared ${libdir}/libwsr.so*)
file(REMOVE ${shared})
through_pkg_config(static --static)
