# SPDX-License-Identifier: Apache-2.0
#
# Lists of sources. There is no globbing: a file that is in no list is not
# part of the library.
#
# A family of variants (attacks, ops, ...) is listed in one place, its .def
# file, with a line `WSR_REG(family, name)` per variant. That line
#   - adds <dir>/<name>.c to the library (wsr_family below);
#   - demands and registers the test tests/<dir>/test_<name>.c;
#   - declares and tabulates the class, by including the .def twice in the
#     family's own C file:
#
#       #define WSR_REG(family, name) \
#           extern const wsr__##family##_class wsr__##family##_##name;
#       #include "attack/attacks.def"
#       #undef WSR_REG
#
#       static const wsr__class *const classes[] = {
#       #define WSR_REG(family, name) &wsr__##family##_##name.super,
#       #include "attack/attacks.def"
#       #undef WSR_REG
#           NULL,
#       };
#
# A table of pointers to constants needs neither a generated file nor a
# constructor function, which static archives would drop.

# wsr_check_written(out path): whether a listed file exists. One that does not
# is an error, or a warning with WSR_DRAFT, so that several people can work in
# one tree of which parts are still being written.
function(wsr_check_written out path)
    set(written ON)
    if(NOT EXISTS ${path})
        set(written OFF)
        set(severity FATAL_ERROR)
        if(WSR_DRAFT)
            set(severity WARNING)
        endif()
        message(${severity} "${path} is listed, but does not exist "
            "(-DWSR_DRAFT=ON tolerates that while it is being written)")
    endif()
    set(${out} ${written} PARENT_SCOPE)
endfunction()

# wsr_sources(dir file...): plain sources of libwsr/<dir>.
function(wsr_sources dir)
    foreach(file IN LISTS ARGN)
        set(path ${PROJECT_SOURCE_DIR}/libwsr/${dir}/${file})
        wsr_check_written(written ${path})
        if(written)
            set_property(GLOBAL APPEND PROPERTY WSR_SOURCES ${path})
        endif()
    endforeach()
endfunction()

# wsr_family(family def): sources and tests of a family; `def` is relative to
# libwsr/, and its directory holds the variants.
function(wsr_family family def)
    set(path ${PROJECT_SOURCE_DIR}/libwsr/${def})
    get_filename_component(dir ${def} DIRECTORY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} lines)
    foreach(line IN LISTS lines)
        if(line MATCHES "^(//.*)?$")
            continue()
        endif()
        if(NOT line MATCHES "^WSR_REG\\(${family}, ([a-z][a-z0-9_]*)\\)$")
            message(FATAL_ERROR
                "${def}: '${line}' is not WSR_REG(${family}, name)")
        endif()
        set(name ${CMAKE_MATCH_1})
        wsr_sources(${dir} ${name}.c)
        wsr_check_written(written
            ${PROJECT_SOURCE_DIR}/tests/${dir}/test_${name}.c)
        if(written)
            set_property(GLOBAL APPEND PROPERTY WSR_FAMILY_TESTS ${dir}/${name})
        endif()
    endforeach()
endfunction()

# wsr_native_sources(file...): kernels, relative to libwsr/, compiled once per
# instruction set with WSR_ISA defined as base, avx2 or avx512, which such a
# file puts into the names of what it exports. On processors other than
# x86-64 there is the base variant alone. WSR_HAVE_X86_VARIANTS tells the
# dispatcher (1 or 0).
function(wsr_native_sources)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/libwsr/)
    set_property(GLOBAL APPEND PROPERTY WSR_NATIVE_SOURCES ${ARGN})
endfunction()

# wsr_kernels(def): the kernels that a .def file (relative to libwsr/) lists with
# entries `WSR_KERNEL(file, name, ...)`, see libwsr/kernel/kernels.def. Adds
# <dir>/native_<file>.c to the native sources, demands and registers the test
# tests/<dir>/test_native_<file>.c.
function(wsr_kernels def)
    set(path ${PROJECT_SOURCE_DIR}/libwsr/${def})
    get_filename_component(dir ${def} DIRECTORY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} lines REGEX "^WSR_KERNEL")
    set(names "")
    foreach(line IN LISTS lines)
        if(NOT line MATCHES
                "^WSR_KERNEL\\(([a-z][a-z0-9_]*), [a-z][a-z0-9_]*,")
            message(FATAL_ERROR
                "${def}: '${line}' is not WSR_KERNEL(file, name, ...")
        endif()
        list(APPEND names native_${CMAKE_MATCH_1})
    endforeach()
    list(REMOVE_DUPLICATES names)
    foreach(name IN LISTS names)
        foreach(file libwsr/${dir}/${name}.c tests/${dir}/test_${name}.c)
            wsr_check_written(written_${file} ${PROJECT_SOURCE_DIR}/${file})
        endforeach()
        if(written_libwsr/${dir}/${name}.c)
            wsr_native_sources(${dir}/${name}.c)
        endif()
        if(written_tests/${dir}/test_${name}.c)
            set_property(GLOBAL APPEND PROPERTY WSR_FAMILY_TESTS ${dir}/${name})
        endif()
    endforeach()
endfunction()

# wsr_native_objects(out): make the variants; `out` receives their objects.
function(wsr_native_objects out)
    get_property(sources GLOBAL PROPERTY WSR_NATIVE_SOURCES)
    set(objects "")
    if(sources)
        # ISO C turns contraction off; the kernels want multiply-add in one.
        set(flags_base "")
        set(flags_avx2 -mavx2 -mfma -ffp-contract=fast)
        set(flags_avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2
            -mfma -mprefer-vector-width=512 -ffp-contract=fast)
        set(variants base)
        if(WSR_X86_VARIANTS)
            list(APPEND variants avx2 avx512)
        endif()
        foreach(isa IN LISTS variants)
            add_library(wsr_native_${isa} OBJECT ${sources})
            wsr_compile_internal(wsr_native_${isa})
            target_compile_definitions(wsr_native_${isa}
                PRIVATE WSR_ISA=${isa})
            target_compile_options(wsr_native_${isa}
                PRIVATE ${flags_${isa}})
            # Fuzzers look at what reads files; kernels would only slow them.
            if(WSR_SANITIZE MATCHES "fuzzer")
                target_compile_options(wsr_native_${isa}
                    PRIVATE -fno-sanitize=all)
            endif()
            list(APPEND objects $<TARGET_OBJECTS:wsr_native_${isa}>)
        endforeach()
    endif()
    set(${out} ${objects} PARENT_SCOPE)
endfunction()
