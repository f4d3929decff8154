# SPDX-License-Identifier: Apache-2.0
#
# Fuzzers, one line a reader. The test fuzz/NAME feeds the target of fuzz_NAME.c
# with changes of good files. In the preset "fuzz" there is also the program
# fuzz_NAME, for libFuzzer.

set(fuzz_dir ${CMAKE_CURRENT_SOURCE_DIR}/fuzz)
add_library(fuzz_support OBJECT ${fuzz_dir}/fuzz.c support/support.c
    support/files.c)
wsr_compile_internal(fuzz_support)
target_include_directories(fuzz_support PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(fuzz_support PRIVATE PkgConfig::CHECK)
add_custom_target(fuzzers)

function(wsr_fuzz_program target)
    wsr_compile_internal(${target})
    target_compile_definitions(${target} PRIVATE
        OPERATORS="${CMAKE_CURRENT_SOURCE_DIR}/onnx/operators.safetensors")
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_options(${target} PRIVATE -Wno-double-promotion)
    target_link_libraries(${target} PRIVATE
        test_gradcheck wsr_static PkgConfig::CHECK)
endfunction()

# wsr_fuzz(name [LABELS label...])
function(wsr_fuzz name)
    cmake_parse_arguments(arg "" "" "LABELS" ${ARGN})
    add_executable(test_fuzz_${name} ${fuzz_dir}/fuzz_${name}.c
        ${fuzz_dir}/test_target.c support/main.c
        $<TARGET_OBJECTS:fuzz_support>)
    wsr_fuzz_program(test_fuzz_${name})
    add_test(NAME fuzz/${name} COMMAND test_fuzz_${name})
    set_tests_properties(fuzz/${name} PROPERTIES
        SKIP_RETURN_CODE 77
        TIMEOUT ${test_timeout}
        ENVIRONMENT "${test_environment};WSR_SCRATCH=${scratch}/fuzz-${name}"
        LABELS "fuzz;${arg_LABELS}")
    add_dependencies(fuzzers test_fuzz_${name})
    if(WSR_SANITIZE MATCHES "fuzzer")
        add_executable(fuzz_${name} ${fuzz_dir}/fuzz_${name}.c
            ${fuzz_dir}/libfuzzer.c $<TARGET_OBJECTS:fuzz_support>)
        wsr_fuzz_program(fuzz_${name})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(fuzzers fuzz_${name})
    endif()
endfunction()

foreach(name checkpoint cifar config estimator eval genotype idx image ledger
        list log mat network onnx options pickle predictor protocol report
        robnet search set spec tensors)
    if(EXISTS ${fuzz_dir}/fuzz_${name}.c)
        wsr_fuzz(${name})
    endif()
endforeach()
