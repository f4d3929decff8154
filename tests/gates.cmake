# SPDX-License-Identifier: Apache-2.0
#
# Checks of the tree rather than of what it computes. Those that look at
# sources run in every build; those of the installed library make no sense of
# a sanitized one, whose run-time must come first in the program.

set(cmake_dir ${PROJECT_SOURCE_DIR}/cmake)

# wsr_gate(name label -Dvariable=value...): runs cmake/check_<name>.cmake.
function(wsr_gate test label script)
    add_test(NAME ${test} COMMAND ${CMAKE_COMMAND}
        -DROOT=${PROJECT_SOURCE_DIR} -DCC=${CMAKE_C_COMPILER}
        -DBUILD=${PROJECT_BINARY_DIR} ${ARGN} -P ${script})
    set_tests_properties(${test} PROPERTIES
        LABELS ${label}
        TIMEOUT 900
        SKIP_REGULAR_EXPRESSION "skipped: ")
endfunction()

find_program(WSR_CXX NAMES c++ g++ clang++)
mark_as_advanced(WSR_CXX)

wsr_gate(gate/layers gate ${cmake_dir}/check_layers.cmake)
wsr_gate(gate/families gate ${cmake_dir}/check_families.cmake)
wsr_gate(gate/ops_page gate ${cmake_dir}/check_ops_page.cmake
    -DPROGRAM=$<TARGET_FILE:ops_page>)
wsr_gate(gate/banned gate ${cmake_dir}/check_banned.cmake)
wsr_gate(gate/format gate ${cmake_dir}/check_format.cmake)
wsr_gate(gate/headers gate ${cmake_dir}/check_headers.cmake -DCXX=${WSR_CXX})
wsr_gate(gate/gates gate ${cmake_dir}/check_gates.cmake -DCXX=${WSR_CXX}
    -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/scratch-gates)

if(NOT WSR_SANITIZE)
    wsr_gate(gate/symbols gate ${cmake_dir}/check_symbols.cmake
        -DNM=${CMAKE_NM} -DLIBRARY=$<TARGET_FILE:wsr>)
    # The lists are those that the library is compiled with.
    set(lists "$<TARGET_PROPERTY:wsr_objects,COMPILE_DEFINITIONS>")
    set(flags "-D$<JOIN:${lists}, -D>")
    set(lists "$<TARGET_PROPERTY:wsr_objects,INCLUDE_DIRECTORIES>")
    string(APPEND flags " -I$<JOIN:${lists}, -I>")
    set(abi -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/abi
        -DSOVERSION=${WSR_SOVERSION} "-DFLAGS=${flags}")
    wsr_gate(gate/abi gate ${cmake_dir}/check_abi.cmake ${abi})
    add_custom_target(abi_dump COMMAND ${CMAKE_COMMAND}
        -DROOT=${PROJECT_SOURCE_DIR} -DCC=${CMAKE_C_COMPILER} ${abi}
        -DWRITE=ON -P ${cmake_dir}/check_abi.cmake VERBATIM)
    add_dependencies(abi_dump wsr_onnx_schema)
    wsr_gate(gate/consumer gate ${cmake_dir}/check_consumer.cmake
        -DCXX=${WSR_CXX} -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/consumer
        -DPKG_CONFIG=${PKG_CONFIG_EXECUTABLE} -DVERSION=${PROJECT_VERSION}
        -DGENERATOR=${CMAKE_GENERATOR})

    wsr_gate(gate/variants gate ${cmake_dir}/check_variants.cmake
        -DCXX=${WSR_CXX} -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/variants
        -DGENERATOR=${CMAKE_GENERATOR})
    set_tests_properties(gate/variants PROPERTIES LABELS "gate;long")

    if(WSR_BUILD_TOOLS)
        wsr_gate(gate/install gate ${cmake_dir}/check_install.cmake
            -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/install
            -DBINDIR=${CMAKE_INSTALL_BINDIR} -DDATADIR=${CMAKE_INSTALL_DATADIR})
    endif()

    file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true
        RELATIVE ${PROJECT_SOURCE_DIR}
        ${PROJECT_SOURCE_DIR}/libwsr/* ${PROJECT_SOURCE_DIR}/libwsr/*/*
        ${PROJECT_SOURCE_DIR}/tests/*
        ${PROJECT_SOURCE_DIR}/tools ${PROJECT_SOURCE_DIR}/tools/*
        ${PROJECT_SOURCE_DIR}/examples)
    # Compiled by their own gates.
    list(REMOVE_ITEM folders tests/consumer tests/variants)
    foreach(folder IN LISTS folders)
        file(GLOB sources ${PROJECT_SOURCE_DIR}/${folder}/*.c)
        if(sources)
            wsr_gate(lint/${folder} lint ${cmake_dir}/check_tidy.cmake
                -DDIR=${folder})
            # The longest first, so that they do not end up alone.
            set(cost 0)
            foreach(source IN LISTS sources)
                file(SIZE ${source} bytes)
                math(EXPR cost "${cost} + ${bytes}")
            endforeach()
            set_tests_properties(lint/${folder} PROPERTIES COST ${cost})
        endif()
    endforeach()
endif()
