# SPDX-License-Identifier: Apache-2.0
#
# The libraries that libwsr stands on, as imported targets wsr_dep::<name>.
# Read twice: by the build, and by wsr-config.cmake for those who link the
# static library, so that both find the same things in the same way.
#
# oneDNN is looked up by hand: the configuration file that some distributions
# ship demands OpenCL, which nothing here uses.

include(FindPackageHandleStandardArgs)

# _wsr_dependency(NAME header library [OPTIONAL]): define wsr_dep::NAME, or
# fail unless it is optional.
function(_wsr_dependency name header library)
    if(TARGET wsr_dep::${name})
        return()
    endif()
    find_path(WSR_${name}_INCLUDE_DIR NAMES ${header})
    find_library(WSR_${name}_LIBRARY NAMES ${library})
    mark_as_advanced(WSR_${name}_INCLUDE_DIR WSR_${name}_LIBRARY)
    if(WSR_${name}_INCLUDE_DIR AND WSR_${name}_LIBRARY)
        add_library(wsr_dep::${name} UNKNOWN IMPORTED)
        set_target_properties(wsr_dep::${name} PROPERTIES
            IMPORTED_LOCATION ${WSR_${name}_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${WSR_${name}_INCLUDE_DIR})
    elseif(NOT "OPTIONAL" IN_LIST ARGN)
        message(FATAL_ERROR
            "libwsr needs ${name} (${header} and lib${library}); "
            "cmake/setup.sh installs it on Debian")
    endif()
endfunction()

_wsr_dependency(dnnl oneapi/dnnl/dnnl.h dnnl)
_wsr_dependency(yaml yaml.h yaml)
_wsr_dependency(jansson jansson.h jansson)
_wsr_dependency(zlib zlib.h z)
_wsr_dependency(protobuf_c protobuf-c/protobuf-c.h protobuf-c)
_wsr_dependency(archive archive.h archive OPTIONAL)
_wsr_dependency(jpeg jpeglib.h jpeg OPTIONAL)
_wsr_dependency(png png.h png OPTIONAL)
_wsr_dependency(matio matio.h matio OPTIONAL)

find_package(Threads REQUIRED)

# The flag alone, so that programs without a line of C can link the library.
if(NOT TARGET wsr_dep::openmp)
    add_library(wsr_dep::openmp INTERFACE IMPORTED)
    set_target_properties(wsr_dep::openmp PROPERTIES
        INTERFACE_LINK_OPTIONS -fopenmp)
endif()

# Of C++ the library needs what catches exceptions, see kernel/dnnl_guard.cpp.
if(NOT TARGET wsr_dep::cxx)
    add_library(wsr_dep::cxx INTERFACE IMPORTED)
    set_target_properties(wsr_dep::cxx PROPERTIES
        INTERFACE_LINK_LIBRARIES stdc++)
endif()
