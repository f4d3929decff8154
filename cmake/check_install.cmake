# SPDX-License-Identifier: Apache-2.0
#
# cmake -DBUILD=... -DSCRATCH=... -DBINDIR=<bin> -DDATADIR=<share>
#       -P check_install.cmake
#
# The installed programs start from any prefix, also after it was moved, and
# read the presets and genotypes of the place where they stand. Manual pages and
# completion are beside them.

cmake_minimum_required(VERSION 3.25)

set(prefix "${SCRATCH}/moved here/prefix")

# must_run(what command...): the output, or the end. Nothing of the build may
# help.
function(must_run what)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=LD_LIBRARY_PATH
        --unset=WSR_SHARE ${ARGN} WORKING_DIRECTORY ${SCRATCH}
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what}:\n${output}${error}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY "${SCRATCH}/moved here")
must_run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix
    ${SCRATCH}/first)
file(RENAME ${SCRATCH}/first ${prefix})

# A preset and a genotype that no other place has.
set(share ${prefix}/${DATADIR}/wsr)
file(COPY_FILE ${share}/genotypes/cna_r.yaml ${share}/genotypes/only_here.yaml)
set(common "data: {spec: 'synthetic:size=16', limit: 32, test_limit: 8}
net: {channels: 4, layers: 2}
train: {epochs: 1, batch: 16, eval_every: 0, trainer: natural}
eval: {attack: fgsm, eps: [0.03], count: 8}
")
file(WRITE ${share}/presets/train/only_here.yaml "${common}")
file(WRITE ${share}/presets/search/only_here.yaml "${common}
supernet: {channels: 4, layers: 2}
search: {warm_up: 1, population: 0, epochs: 1, batch: 16, steps: 1,
  predictor_warm_up: 1, predictor_passes: 1, architectures: 1,
  estimator_batches: 1, val_batches: 1, train_batches: 1, augment: flip}
estimator: {memory: 16, batch: 16, passes: 1}
")

file(WRITE ${share}/presets/estimate/only_here.yaml "networks: only_here
data: {spec: 'synthetic:size=16', limit: 32, test_limit: 8}
net: {channels: 4, layers: 2}
train: {epochs: 1, batch: 16, eval_every: 0, trainer: natural}
attack: {steps: 1, eps: [0.045]}
estimator: {epochs: 1, batch: 8, train_batches: 1, augment: flip}
")

set(bin ${prefix}/${BINDIR})
must_run("wsr-train" ${bin}/wsr-train --preset only_here --genotype only_here
    --out ${SCRATCH}/train)
must_run("wsr-search" ${bin}/wsr-search --preset only_here
    --out ${SCRATCH}/search)
must_run("wsr-attack" ${bin}/wsr-attack --net ${SCRATCH}/train/net.safetensors
    --data synthetic:size=16 --count 4 --attack fgsm)
must_run("wsr-estimate" ${bin}/wsr-estimate --preset only_here
    --out ${SCRATCH}/estimate)
foreach(tool train search attack estimate)
    foreach(file man/man1/wsr-${tool}.1
            bash-completion/completions/wsr-${tool})
        if(NOT EXISTS ${prefix}/${DATADIR}/${file})
            message(FATAL_ERROR "${file} is not installed")
        endif()
    endforeach()
    must_run("wsr-${tool} --help" ${bin}/wsr-${tool} --help)
    if(NOT tool STREQUAL "attack" AND NOT output MATCHES "only_here")
        message(FATAL_ERROR "wsr-${tool} --help names other presets:\n${output}")
    endif()
endforeach()
# Through a link, as package managers put programs into one folder.
file(CREATE_LINK ${bin}/wsr-train ${SCRATCH}/wsr-train SYMBOLIC)
must_run("a link to wsr-train" ${SCRATCH}/wsr-train --preset only_here
    --genotype only_here --out ${SCRATCH}/linked)
message(STATUS "installed, moved, started")
