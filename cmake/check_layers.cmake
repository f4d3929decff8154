# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=<repository> -P check_layers.cmake
#
# The directories of libwsr/ form a total order: a file includes its own
# directory and those to the left only. Public headers include public headers
# and the standard library. Tools and examples see nothing but the public
# headers. Third-party headers stay where the table says.

cmake_minimum_required(VERSION 3.25)

set(order base config tensor comm augment corrupt data kernel op graph onnx sched optim cell
    space net io run hessian estimator attack eval predictor train search estimate
    report registry)

# header prefix = files that may include it, as a regular expression
set(confined
    "omp.h=^base/parallel\\.c$"
    "Random123/=^base/rng\\.c$"
    "yaml.h=^config/"
    "dnnl=^kernel/"
    "oneapi/=^kernel/"
    "archive=^data/"
    "jpeglib.h=^data/jpeg\\.c$"
    "jerror.h=^data/jpeg\\.c$"
    "png.h=^data/png\\.c$"
    "matio.h=^data/svhn\\.c$"
    "onnx.pb-c.h=^onnx/"
    "protobuf-c/=^onnx/"
    "mpi.h=^comm/mpi\\.c$"
    "jansson.h=^io/"
    "zlib.h=^(data|io)/")

set(wrong "")

# The quoted and the angled includes of a file, as two lists.
function(read_includes path quoted angled)
    file(STRINGS ${path} lines REGEX "^[ \t]*#[ \t]*include")
    set(q "")
    set(a "")
    foreach(line IN LISTS lines)
        if(line MATCHES "include[ \t]*\"([^\"]+)\"")
            list(APPEND q ${CMAKE_MATCH_1})
        elseif(line MATCHES "include[ \t]*<([^>]+)>")
            list(APPEND a ${CMAKE_MATCH_1})
        endif()
    endforeach()
    set(${quoted} "${q}" PARENT_SCOPE)
    set(${angled} "${a}" PARENT_SCOPE)
endfunction()

macro(complain file text)
    list(APPEND wrong "${file}: ${text}")
endmacro()

# ------------------------------------------------- directories of the library

file(GLOB_RECURSE files RELATIVE ${ROOT}/libwsr
    ${ROOT}/libwsr/*.c ${ROOT}/libwsr/*.h ${ROOT}/libwsr/*.cpp)
list(FILTER files EXCLUDE REGEX "^include/")
list(LENGTH files count)
foreach(file IN LISTS files)
    string(REGEX REPLACE "/.*" "" own ${file})
    list(FIND order ${own} own_rank)
    if(own_rank EQUAL -1)
        complain(${file} "directory ${own} has no place in the order")
        continue()
    endif()
    read_includes(${ROOT}/libwsr/${file} quoted angled)
    foreach(header IN LISTS quoted)
        if(header MATCHES "^wsr/")
            continue()
        endif()
        if(NOT EXISTS ${ROOT}/libwsr/${header})
            complain(${file} "\"${header}\" is not written from libwsr/")
            continue()
        endif()
        string(REGEX REPLACE "/.*" "" other ${header})
        list(FIND order ${other} other_rank)
        if(other_rank EQUAL -1 OR other_rank GREATER own_rank)
            complain(${file} "${own} may not include ${header}")
        endif()
    endforeach()
    foreach(header IN LISTS angled)
        foreach(rule IN LISTS confined)
            string(REGEX MATCH "^(.*)=(.*)$" _ "${rule}")
            set(prefix ${CMAKE_MATCH_1})
            set(where ${CMAKE_MATCH_2})
            string(FIND ${header} ${prefix} at)
            if(at EQUAL 0 AND NOT file MATCHES "${where}")
                complain(${file} "<${header}> is kept to ${where}")
            endif()
        endforeach()
    endforeach()
endforeach()

# -------------------------------------------------------------- public headers

file(GLOB_RECURSE headers RELATIVE ${ROOT}/libwsr/include
    ${ROOT}/libwsr/include/*.h)
foreach(header IN LISTS headers)
    read_includes(${ROOT}/libwsr/include/${header} quoted angled)
    foreach(other IN LISTS quoted)
        if(NOT other MATCHES "^wsr/" OR
           NOT EXISTS ${ROOT}/libwsr/include/${other})
            complain(${header} "\"${other}\" is no public header")
        endif()
    endforeach()
    foreach(other IN LISTS angled)
        if(NOT other MATCHES "^std(bool|def|int|arg)\\.h$")
            complain(${header} "<${other}> shows in the interface")
        endif()
    endforeach()
endforeach()

# --------------------------------------------------------------------- circles

# A source and the header of its name are one unit. Units whose includes have
# all been taken out are taken out in turn; what is left when none is lies on a
# circle, or includes what does.

set(units "")
foreach(file IN LISTS files headers)
    set(path ${ROOT}/libwsr/${file})
    if(file IN_LIST headers)
        set(path ${ROOT}/libwsr/include/${file})
    endif()
    string(REGEX REPLACE "\\.(h|c|cpp)$" "" unit ${file})
    read_includes(${path} quoted angled)
    foreach(header IN LISTS quoted)
        string(REGEX REPLACE "\\.h$" "" other ${header})
        if(header MATCHES "\\.h$" AND NOT other STREQUAL unit)
            list(APPEND includes_${unit} ${other})
        endif()
    endforeach()
    list(APPEND units ${unit})
endforeach()
list(REMOVE_DUPLICATES units)

set(rest "")
while(NOT "${units}" STREQUAL "${rest}")
    set(rest "${units}")
    set(units "")
    foreach(unit IN LISTS rest)
        set(open "")
        foreach(other IN LISTS includes_${unit})
            if(NOT done_${other})
                list(APPEND open ${other})
            endif()
        endforeach()
        set(includes_${unit} "${open}")
        if(open STREQUAL "")
            set(done_${unit} TRUE)
        else()
            list(APPEND units ${unit})
        endif()
    endforeach()
endwhile()
# Of these, leave out units that nothing left includes: they are on no circle.
set(rest "")
while(NOT "${units}" STREQUAL "${rest}")
    set(rest "${units}")
    set(used "")
    foreach(unit IN LISTS rest)
        list(APPEND used ${includes_${unit}})
    endforeach()
    set(units "")
    foreach(unit IN LISTS rest)
        if(unit IN_LIST used)
            list(APPEND units ${unit})
        endif()
    endforeach()
endwhile()
foreach(unit IN LISTS units)
    list(REMOVE_DUPLICATES includes_${unit})
    list(JOIN includes_${unit} ", " others)
    complain(${unit} "is on a circle of includes, by way of ${others}")
endforeach()

# ------------------------------------------------------------------- consumers

file(GLOB_RECURSE programs RELATIVE ${ROOT}
    ${ROOT}/tools/*.c ${ROOT}/tools/*.h ${ROOT}/examples/*.c)
foreach(program IN LISTS programs)
    get_filename_component(dir ${ROOT}/${program} DIRECTORY)
    read_includes(${ROOT}/${program} quoted angled)
    foreach(header IN LISTS quoted)
        if(program MATCHES "^tools/" AND EXISTS ${ROOT}/tools/${header})
            continue()
        endif()
        if(NOT header MATCHES "^wsr(\\.h$|/)" AND NOT EXISTS ${dir}/${header})
            complain(${program} "\"${header}\" is no public header")
        endif()
    endforeach()
endforeach()

if(wrong)
    list(JOIN wrong "\n  " text)
    message(FATAL_ERROR "includes against the order:\n  ${text}")
endif()
message(STATUS "${count} files include only what lies below them")
