# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -DSCRATCH=<folder> -DCC=... -DCXX=... -DGENERATOR=...
#       -P check_variants.cmake
#
# docs/adding-a-variant.md says how many files a new variant touches. Here a
# dummy of every family (tests/variants/) is added to a copy of the tree. The
# files touched must be as many as the table says, and the copy must build and
# pass the dummies' tests, which find each in its family.

cmake_minimum_required(VERSION 3.25)

set(tree ${SCRATCH}/tree)
set(dummies ${ROOT}/tests/variants)
set(targets "")
set(wrong "")

file(REMOVE_RECURSE ${SCRATCH})
foreach(part CMakeLists.txt LICENSE cmake docs libwsr tests tools)
    file(COPY ${ROOT}/${part} DESTINATION ${tree})
endforeach()
file(GLOB_RECURSE lists RELATIVE ${tree}/libwsr ${tree}/libwsr/*.def)

# touch(path): count a file of the copy for the variant in hand.
macro(touch path)
    if(NOT ${path} IN_LIST touched)
        list(APPEND touched ${path})
    endif()
endmacro()

macro(add_file path from)
    configure_file(${dummies}/${from} ${tree}/${path} @ONLY)
    touch(${path})
endmacro()

macro(add_line path text)
    file(APPEND ${tree}/${path} "${text}\n")
    touch(${path})
endmacro()

macro(replace path old new)
    file(READ ${tree}/${path} text)
    string(FIND "${text}" "${old}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "${path}: '${old}' is not there")
    endif()
    string(REPLACE "${old}" "${new}" text "${text}")
    file(WRITE ${tree}/${path} "${text}")
    touch(${path})
endmacro()

file(READ ${ROOT}/docs/adding-a-variant.md document)

# compare(what): the files touched with the row "| a <what> | number | ...".
macro(compare what)
    list(LENGTH touched count)
    if(NOT "${document}" MATCHES "\n\\| an? ${what} \\| ([0-9]+) \\|")
        list(APPEND wrong "${what}: the table has no row")
    elseif(NOT count EQUAL CMAKE_MATCH_1)
        list(JOIN touched ", " paths)
        set(said ${CMAKE_MATCH_1})
        list(APPEND wrong
            "${what}: ${count} files are touched, not ${said}: ${paths}")
    endif()
endmacro()

# add_member(what family def header): a dummy's file, line and test.
macro(add_member what family def header)
    set(FAMILY ${family})
    set(HEADER ${header})
    get_filename_component(dir ${def} DIRECTORY)
    add_file(libwsr/${dir}/dummy.c ${family}.c)
    add_line(libwsr/${def} "WSR_REG(${family}, dummy)")
    add_file(tests/${dir}/test_dummy.c test_family.c.in)
    list(APPEND targets test_${dir}_dummy)
    list(REMOVE_ITEM lists ${def})
endmacro()

# add(what family def header): the same, where nothing else is touched.
macro(add what)
    set(touched "")
    add_member(${what} ${ARGN})
    compare(${what})
endmacro()

set(touched "")
add_member(op op op/ops.def op/op.h)
add_line(docs/ops.md "## dummy") # a program prints it, gate/ops_page says how
compare(op)
add("cell operation" cell cell/cells.def cell/cell.h)
add("search space" space space/spaces.def space/space.h)
add("kind of network" net net/nets.def net/net.h)
add("format of tensors" format io/formats.def io/format.h)
add("operator of ONNX" operator onnx/operators.def onnx/operator.h)
add("data set" dataset data/datasets.def data/data.h)
add(augmentation augment augment/augments.def augment/augment.h)
add(corruption corruption corrupt/corruptions.def corrupt/corrupt.h)
add(optimizer optim optim/optims.def optim/optim.h)
add(schedule sched sched/scheds.def sched/sched.h)
add(trainer trainer train/trainers.def train/train.h)
add(estimator estimator estimator/estimators.def estimator/estimator.h)
add(predictor predictor predictor/predictors.def predictor/predictor.h)
add(searcher searcher search/searchers.def search/search.h)

set(touched "")
add_member(attack attack attack/attacks.def attack/attack.h)
replace(docs/attacks.md "| `fgsm` |" "| `dummy` | linf | no | 1 | none |\n| `fgsm` |")
compare(attack)

# A kernel is called by an op; here that is the dummy.
set(touched "")
add_file(libwsr/kernel/native_dummy.c kernel.c)
add_line(libwsr/kernel/kernels.def "WSR_KERNEL(dummy, dummy_forward,
    (float *dst, const float *src, int64_t n), (dst, src, n))")
add_file(tests/kernel/test_native_dummy.c test_kernel.c.in)
replace(libwsr/op/dummy.c "    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] * x[i];
    }
" "    wsr__dummy_forward(y, x, n);
")
list(APPEND targets test_kernel_native_dummy)
list(REMOVE_ITEM lists kernel/kernels.def)
compare("native kernel")

foreach(def IN LISTS lists)
    list(APPEND wrong "${def}: no dummy of that family is added here")
endforeach()
if(wrong)
    list(JOIN wrong "\n  " text)
    message(FATAL_ERROR "docs/adding-a-variant.md is not true:\n  ${text}")
endif()

# ------------------------------------------------------------------ building

function(run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what}:\n${output}")
    endif()
endfunction()

run("configuring with a dummy of each family"
    ${CMAKE_COMMAND} -S ${tree} -B ${SCRATCH}/build -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX}
    -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0 -DCMAKE_CXX_FLAGS=-O0
    -DWSR_WERROR=ON -DWSR_BUILD_TOOLS=OFF -DWSR_BUILD_EXAMPLES=OFF)
run("building with a dummy of each family"
    ${CMAKE_COMMAND} --build ${SCRATCH}/build --parallel 2 --target ${targets})
run("testing a dummy of each family"
    ${CMAKE_CTEST_COMMAND} --test-dir ${SCRATCH}/build --output-on-failure
    --no-tests=error -R "/(native_)?dummy$")
list(LENGTH targets count)
file(REMOVE_RECURSE ${SCRATCH})
message(STATUS "${count} dummies touch the files that the table says")
