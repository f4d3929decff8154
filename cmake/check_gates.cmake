# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DSCRATCH=<folder> -DCC=... -DCXX=...
#       -P check_gates.cmake
#
# A check that never fails proves nothing: each of the others is shown a small
# tree with one mistake, and must name it.

cmake_minimum_required(VERSION 3.25)

set(licence "// SPDX-License-Identifier: Apache-2.0\n")
set(failed "")

# gate_must_say(gate words path text [path text]): a tree whose only file is
# `path`, or these two.
function(gate_must_say gate words path text)
    file(REMOVE_RECURSE ${SCRATCH})
    file(WRITE ${SCRATCH}/CMakeLists.txt "")
    file(WRITE ${SCRATCH}/libwsr/base/base.h "${licence}")
    file(WRITE ${SCRATCH}/libwsr/graph/graph.h "${licence}")
    file(WRITE ${SCRATCH}/${path} "${licence}${text}")
    if(ARGC GREATER 4)
        file(WRITE ${SCRATCH}/${ARGV4} "${licence}${ARGV5}")
    endif()
    execute_process(
        COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -DCC=${CC} -DCXX=${CXX}
            -P ${ROOT}/cmake/check_${gate}.cmake
        RESULT_VARIABLE result ERROR_VARIABLE output OUTPUT_QUIET)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # wrapped lines
    string(FIND "${output}" "${words}" at)
    if(result EQUAL 0)
        list(APPEND failed "${gate} accepts ${path} with: ${text}")
    elseif(at EQUAL -1)
        list(APPEND failed "${gate} says of ${path}: ${output}")
    endif()
    set(failed "${failed}" PARENT_SCOPE)
endfunction()

gate_must_say(layers "base may not include graph/graph.h"
    libwsr/base/x.c "#include \"graph/graph.h\"\n")
gate_must_say(layers "is not written from libwsr/"
    libwsr/base/x.c "#include \"base.h\"\n")
gate_must_say(layers "graph/x: is on a circle of includes, by way of graph/y"
    libwsr/graph/x.h "#include \"graph/y.h\"\n"
    libwsr/graph/y.h "#include \"graph/x.h\"\n")
gate_must_say(layers "graph/x: is on a circle of includes, by way of graph/y"
    libwsr/graph/x.c "#include \"graph/y.h\"\n"
    libwsr/graph/y.h "#include \"graph/x.h\"\n")
gate_must_say(layers "has no place in the order"
    libwsr/other/x.c "#include \"base/base.h\"\n")
gate_must_say(layers "<omp.h> is kept to"
    libwsr/graph/x.c "#include <omp.h>\n")
gate_must_say(layers "is no public header"
    libwsr/include/wsr/x.h "#include \"base/base.h\"\n")
gate_must_say(layers "<stdio.h> shows in the interface"
    libwsr/include/wsr/x.h "#include <stdio.h>\n")
gate_must_say(layers "is no public header"
    tools/x.c "#include \"base/base.h\"\n")

gate_must_say(families "wsr__others is missing in"
    libwsr/other/x.c "const wsr__family wsr__others = {\"other\", classes}\;\n")

foreach(call "malloc(1)" "free (p)" "printf(\"x\")" "exit(1)" "strcpy(a, b)"
        "rand()")
    gate_must_say(banned "x.c:3" libwsr/graph/x.c "\n    ${call}\;\n")
endforeach()
gate_must_say(banned "x.c:2" libwsr/graph/x.c "    x = sizeof y\;\n")
gate_must_say(banned "x.c:2" libwsr/graph/x.c "    for (\;\; ++i) {\n")
gate_must_say(banned "x.c:2" libwsr/graph/x.c "    wsr_status status;\n")
gate_must_say(banned "stderr" libwsr/graph/x.c "fputs(\"x\", stderr)\n")
gate_must_say(banned "x.c:2" tests/x.c "// TO${empty}DO\n")
gate_must_say(banned "x.md:2" docs/x.md "see /tm${empty}p/x\n")
gate_must_say(headers "x.h as c"
    libwsr/include/wsr/x.h "size_t wsr_x(void)\;\n")
gate_must_say(headers "x.h as cxx"
    libwsr/include/wsr/x.h "int wsr_x(int class)\;\n")
gate_must_say(headers "x.h as c"
    libwsr/include/wsr/x.h "struct wsr_x { int y\; }\;\n")

# --------------------------------------------------------------- the families

# family_must_say(words def): what configuring says of a .def; "" for nothing.
function(family_must_say words def)
    file(REMOVE_RECURSE ${SCRATCH})
    file(WRITE ${SCRATCH}/libwsr/attack/attacks.def "${def}")
    file(WRITE ${SCRATCH}/libwsr/attack/fgsm.c "")
    file(WRITE ${SCRATCH}/libwsr/attack/pgd.c "")
    file(WRITE ${SCRATCH}/tests/attack/test_fgsm.c "")
    file(WRITE ${SCRATCH}/run.cmake
        "cmake_minimum_required(VERSION 3.25)\n"
        "set(PROJECT_SOURCE_DIR ${SCRATCH})\n"
        "include(${ROOT}/cmake/WsrFamily.cmake)\n"
        "wsr_family(attack attack/attacks.def)\n"
        "get_property(sources GLOBAL PROPERTY WSR_SOURCES)\n"
        "message(\"sources: \${sources}\")\n")
    execute_process(COMMAND ${CMAKE_COMMAND} -P ${SCRATCH}/run.cmake
        ERROR_VARIABLE output OUTPUT_QUIET)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # wrapped lines
    string(FIND "${output}" "${words}" at)
    if(at EQUAL -1)
        list(APPEND failed "a family of '${def}': ${output}")
        set(failed "${failed}" PARENT_SCOPE)
    endif()
endfunction()

family_must_say("sources: ${SCRATCH}/libwsr/attack/fgsm.c"
    "// attacks\n\nWSR_REG(attack, fgsm)\n")
family_must_say("tests/attack/test_pgd.c is listed, but does not exist"
    "WSR_REG(attack, fgsm)\nWSR_REG(attack, pgd)\n")
family_must_say("is not WSR_REG(attack, name)" "WSR_REG(op, fgsm)\n")

file(REMOVE_RECURSE ${SCRATCH})
if(failed)
    list(JOIN failed "\n  " text)
    message(FATAL_ERROR "checks that do not check:\n  ${text}")
endif()
message(STATUS "every check fails when it must")
