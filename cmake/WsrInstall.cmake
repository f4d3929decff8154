# SPDX-License-Identifier: Apache-2.0
#
# What is installed: both libraries, the public headers, presets and
# genotypes, the files by which CMake and pkg-config find them, documentation.
# Each belongs to a component, which is a package of its own (WsrPackage.cmake).

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wsr)

install(TARGETS wsr EXPORT wsr-targets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT devel)
install(TARGETS wsr_static EXPORT wsr-static-targets ARCHIVE COMPONENT devel)
foreach(export wsr-targets wsr-static-targets)
    install(EXPORT ${export} NAMESPACE wsr:: DESTINATION ${package_dir}
        COMPONENT devel)
endforeach()
foreach(mpi openmpi mpich)
    if(TARGET wsr_comm_${mpi})
        install(TARGETS wsr_comm_${mpi} DESTINATION ${CMAKE_INSTALL_LIBDIR}/wsr)
    endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libwsr/include/
    TYPE INCLUDE COMPONENT devel FILES_MATCHING PATTERN *.h)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libwsr/share/
    DESTINATION ${CMAKE_INSTALL_DATADIR}/wsr COMPONENT data)
install(FILES ${PROJECT_SOURCE_DIR}/README.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
    DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)

configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/wsr-config.cmake.in wsr-config.cmake
    INSTALL_DESTINATION ${package_dir})
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(wsr-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/wsr-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/wsr-config-version.cmake
    ${PROJECT_SOURCE_DIR}/cmake/WsrDependencies.cmake
    DESTINATION ${package_dir} COMPONENT devel)

set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH WSR_PC_PREFIX /prefix/${pc_dir} /prefix)
set(WSR_PC_PRIVATE "-ldnnl -lyaml -ljansson -lz -lprotobuf-c")
foreach(name archive jpeg png matio)
    if(TARGET wsr_dep::${name})
        string(APPEND WSR_PC_PRIVATE " -l${name}")
    endif()
endforeach()
string(APPEND WSR_PC_PRIVATE " -fopenmp -lstdc++ -lpthread -lm")
configure_file(${PROJECT_SOURCE_DIR}/cmake/wsr.pc.in wsr.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wsr.pc DESTINATION ${pc_dir}
    COMPONENT devel)
