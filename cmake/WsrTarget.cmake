# SPDX-License-Identifier: Apache-2.0
#
# Flags: those of everything compiled here, and those that reach the inside
# of the library.

# wsr_compile(target): language, warnings and sanitizers.
function(wsr_compile target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden
        CXX_STANDARD 11 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion
        $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
        -Wvla -Wundef -Wcast-qual
        # The NAN of clang's headers is a float that it warns of.
        $<$<C_COMPILER_ID:GNU>:-Wdouble-promotion>
        # Nor does clang vectorise each loop that asks for it.
        $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>
        $<$<BOOL:${WSR_WERROR}>:-Werror>
        # No code here reads errno of a mathematical function or enables
        # floating-point traps; both only keep loops from being vectorised.
        -fno-math-errno -fno-trapping-math)
    if(WSR_SANITIZE)
        target_compile_options(${target} PRIVATE
            -fsanitize=${WSR_SANITIZE} -fno-sanitize-recover=all
            -fno-omit-frame-pointer)
        target_link_options(${target} PRIVATE -fsanitize=${WSR_SANITIZE})
    endif()
endfunction()

# wsr_compile_internal(target): for what is written against libwsr's own
# headers: the library itself and its unit tests.
function(wsr_compile_internal target)
    wsr_compile(${target})
    target_include_directories(${target} PRIVATE
        ${PROJECT_SOURCE_DIR}/libwsr ${PROJECT_SOURCE_DIR}/libwsr/include)
    target_include_directories(${target} SYSTEM PRIVATE ${WSR_RANDOM123_DIR}
        ${PROJECT_BINARY_DIR}/libwsr/schema)
    target_compile_definitions(${target} PRIVATE _XOPEN_SOURCE=700)
    target_link_libraries(${target} PRIVATE
        wsr_dep::dnnl wsr_dep::yaml wsr_dep::jansson wsr_dep::zlib
        wsr_dep::protobuf_c Threads::Threads m)
    foreach(name archive jpeg png matio)
        string(TOUPPER WSR_HAVE_LIB${name} have)
        if(TARGET wsr_dep::${name})
            target_link_libraries(${target} PRIVATE wsr_dep::${name})
            target_compile_definitions(${target} PRIVATE ${have}=1)
        else()
            target_compile_definitions(${target} PRIVATE ${have}=0)
        endif()
    endforeach()
    if(WSR_X86_VARIANTS)
        target_compile_definitions(${target} PRIVATE WSR_HAVE_X86_VARIANTS=1)
    else()
        target_compile_definitions(${target} PRIVATE WSR_HAVE_X86_VARIANTS=0)
    endif()
endfunction()

find_package(OpenMP REQUIRED COMPONENTS C)

find_path(WSR_RANDOM123_DIR NAMES Random123/philox.h)
mark_as_advanced(WSR_RANDOM123_DIR)
if(NOT WSR_RANDOM123_DIR)
    message(FATAL_ERROR "libwsr needs Random123 (Random123/philox.h); "
        "cmake/setup.sh installs it on Debian")
endif()

find_program(WSR_PROTOC_C NAMES protoc-c)
mark_as_advanced(WSR_PROTOC_C)
if(NOT WSR_PROTOC_C)
    message(FATAL_ERROR "libwsr needs protoc-c of protobuf-c; "
        "cmake/setup.sh installs it on Debian")
endif()

string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" _wsr_processor)
# The variants are the same sources; ThreadSanitizer needs them once.
if(_wsr_processor MATCHES "^(x86_64|amd64)$" AND
        NOT WSR_SANITIZE STREQUAL "thread")
    set(WSR_X86_VARIANTS ON)
else()
    set(WSR_X86_VARIANTS OFF)
endif()
