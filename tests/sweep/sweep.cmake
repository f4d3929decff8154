# SPDX-License-Identifier: Apache-2.0
#
# What small runs do while the system fails them (docs/fuzzing.md). The tests
# sweep/NAME take some calls each, evenly spread; sweep/NAME_all (label slow)
# takes all. The n-th request for memory is in tools/memory.

set(wrapped fopen fdopen fwrite fread ferror fflush fclose fsync fseeko ftruncate
    rename link unlink mkdir access stat fstat flock opendir open read write pread
    pwrite)
foreach(step 5 1)
    set(target test_sweep_files_${step})
    add_executable(${target} sweep/test_files.c
        $<TARGET_OBJECTS:test_support>)
    wsr_compile_internal(${target})
    target_compile_definitions(${target} PRIVATE SWEEP_STEP=${step})
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    list(TRANSFORM wrapped PREPEND "LINKER:--wrap=" OUTPUT_VARIABLE wraps)
    target_link_options(${target} PRIVATE ${wraps})
    target_link_libraries(${target} PRIVATE wsr_static PkgConfig::CHECK)
    set(test sweep/files)
    set(labels sweep)
    if(step EQUAL 1)
        set(test sweep/files_all)
        set(labels sweep slow)
    endif()
    add_test(NAME ${test} COMMAND ${target})
    set_tests_properties(${test} PROPERTIES TIMEOUT ${test_timeout}
        LABELS "${labels}"
        ENVIRONMENT "${test_environment};WSR_SCRATCH=${scratch}/${test}")
endforeach()
file(MAKE_DIRECTORY ${scratch}/sweep)

# Whole processes. Sanitizers add nothing: they cannot look for leaks in what is
# traced, and the test above does.
if(WSR_BUILD_TOOLS AND NOT WSR_SANITIZE)
    add_executable(short_calls sweep/short_calls.c)
    wsr_compile(short_calls)
    # FAULT:CALLS of each run
    foreach(fault error:8 interrupt:4 kill:8 full:1 short:1)
        string(REPLACE ":" ";" fault ${fault})
        list(GET fault 1 most)
        list(GET fault 0 fault)
        foreach(calls ${most} 0)
            set(test sweep/${fault})
            set(labels sweep long)
            set(timeout ${test_timeout})
            if(calls EQUAL 0)
                set(test sweep/${fault}_all)
                set(labels sweep slow)
                set(timeout 36000)
            endif()
            if(calls EQUAL 0 AND fault STREQUAL "short")
                continue() # takes all anyway
            endif()
            add_test(NAME ${test} COMMAND python3
                ${CMAKE_CURRENT_SOURCE_DIR}/sweep/faults.py
                ${scratch}/${test} ${PROJECT_BINARY_DIR}/tools ${fault}
                ${calls})
            set_tests_properties(${test} PROPERTIES SKIP_RETURN_CODE 77
                TIMEOUT ${timeout} LABELS "${labels}"
                ENVIRONMENT "${test_environment}")
        endforeach()
    endforeach()
endif()

# What ThreadSanitizer looks at (cmake/tsan.sh): the tests of threads, and tools.
add_executable(race EXCLUDE_FROM_ALL sweep/race.c)
wsr_compile_internal(race)
target_link_libraries(race PRIVATE wsr_static)
add_custom_target(threads)
add_dependencies(threads race test_base_parallel test_base_log test_op_threads_sweep
    test_graph_threads test_data_loader test_data_loader_workers
    test_eval_verify)
if(WSR_BUILD_TOOLS)
    add_dependencies(threads wsr-train wsr-search wsr-attack wsr-estimate)
endif()
