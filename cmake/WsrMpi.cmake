# SPDX-License-Identifier: Apache-2.0
#
# MPI libraries that plug-ins can be built with, as wsr_dep::openmpi and
# wsr_dep::mpich. Both may be there. Nothing else is linked with them, so that
# those who link libwsr need neither.

find_package(PkgConfig)
foreach(pair openmpi=ompi-c mpich=mpich)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 mpi)
    list(GET pair 1 module)
    if(PKG_CONFIG_FOUND AND NOT WSR_SANITIZE)
        pkg_check_modules(WSR_${mpi} QUIET IMPORTED_TARGET ${module})
    endif()
    if(TARGET PkgConfig::WSR_${mpi})
        add_library(wsr_dep::${mpi} ALIAS PkgConfig::WSR_${mpi})
        message(STATUS "MPI plug-in: ${mpi} ${WSR_${mpi}_VERSION}")
    else()
        message(STATUS "MPI plug-in: no ${mpi}")
    endif()
endforeach()
