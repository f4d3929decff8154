# SPDX-License-Identifier: Apache-2.0
#
# cmake -DSCRATCH=... -DDOCS=<docs/json.md> -DTRAIN=... -DSEARCH=...
#       -DATTACK=... -DESTIMATE=... -P json.cmake
#
# What the programs print with --json is what docs/json.md says: every line is
# an object with an event and fields of the page, of the types given there; the
# fields marked "always" are never missing; every event and field of the page
# is printed by some run below, but for those that need hours.

cmake_minimum_required(VERSION 3.25)

# -------------------------------------------------------------- the page

# Sets events, fields_<event>, and type_<event>_<field>, always_<event>_<field>
# with "*" of a name as "STAR".
file(STRINGS ${DOCS} lines ENCODING UTF-8)
set(events "")
set(event "")
foreach(line IN LISTS lines)
    if(line MATCHES "^## ([a-z_]+)$")
        set(event ${CMAKE_MATCH_1})
        list(APPEND events ${event})
        set(fields_${event} "")
    elseif(event AND line MATCHES
            "^\\| `([a-z0-9_*]+)` \\| ([a-z ]+) \\|[^|]*\\| ([^|]+) \\|")
        string(REPLACE "*" "STAR" field ${CMAKE_MATCH_1})
        list(APPEND fields_${event} ${field})
        set(type_${event}_${field} "${CMAKE_MATCH_2}")
        set(when_${event}_${field} "${CMAKE_MATCH_3}")
    elseif(event AND line MATCHES "^\\| `")
        message(FATAL_ERROR "${DOCS}: not understood: ${line}")
    endif()
endforeach()
list(LENGTH events count)
if(count LESS 9)
    message(FATAL_ERROR "${DOCS}: describes ${count} events")
endif()

# ------------------------------------------------------------- the lines

set(failures 0)
set(seen "") # "event" and "event.field"

function(complain text)
    message(SEND_ERROR "${text}")
endfunction()

# The field of the page that a name is, in `out`; empty when there is none.
function(find_field out event name)
    set(${out} "" PARENT_SCOPE)
    foreach(field IN LISTS fields_${event})
        string(REPLACE "STAR" ".+" pattern "${field}")
        if(name MATCHES "^${pattern}$")
            set(${out} ${field} PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(check_type event field line)
    string(JSON kind TYPE "${line}" ${field})
    string(JSON value GET "${line}" ${field})
    find_field(known ${event} ${field})
    set(type "${type_${event}_${known}}")
    set(good FALSE)
    if(kind STREQUAL "NULL" AND type MATCHES " or null$")
        set(good TRUE)
    elseif(kind STREQUAL "STRING" AND type MATCHES "^text")
        set(good TRUE)
    elseif(kind STREQUAL "NUMBER" AND type MATCHES "^number")
        set(good TRUE)
    elseif(kind STREQUAL "NUMBER" AND type STREQUAL "integer" AND
            value MATCHES "^-?[0-9]+$")
        set(good TRUE)
    elseif(kind STREQUAL "BOOLEAN" AND type STREQUAL "boolean")
        set(good TRUE)
    elseif(kind STREQUAL "ARRAY" AND type STREQUAL "list")
        set(good TRUE)
    elseif(kind STREQUAL "OBJECT" AND type STREQUAL "object")
        set(good TRUE)
    endif()
    if(NOT good)
        complain("${event}.${field} is ${kind} '${value}', not ${type}")
    endif()
endfunction()

# One line: its event, its fields, what is missing.
function(check_line line)
    string(JSON event ERROR_VARIABLE error GET "${line}" event)
    if(error)
        complain("no event (${error}): ${line}")
        return()
    endif()
    if(NOT event IN_LIST events)
        complain("event '${event}' is not described: ${line}")
        return()
    endif()
    set(there ${seen} ${event})
    string(JSON n LENGTH "${line}")
    math(EXPR last "${n} - 1")
    set(own "")
    foreach(i RANGE ${last})
        string(JSON name MEMBER "${line}" ${i})
        if(name STREQUAL "event")
            continue()
        endif()
        find_field(field ${event} ${name})
        if(NOT field)
            complain("${event}.${name} is not described: ${line}")
            continue()
        endif()
        list(APPEND own ${field})
        list(APPEND there ${event}.${field})
        check_type(${event} ${name} "${line}")
    endforeach()
    foreach(field IN LISTS fields_${event})
        if("${when_${event}_${field}}" STREQUAL "always" AND
                NOT field IN_LIST own)
            complain("${event}.${field} is missing: ${line}")
        endif()
    endforeach()
    list(REMOVE_DUPLICATES there)
    set(seen "${there}" PARENT_SCOPE)
endfunction()

# check_run(command...): run it, check all that it prints. No lists here: the
# brackets of a line would be taken for those of the language.
function(check_run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
        OUTPUT_VARIABLE text ERROR_VARIABLE error)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${ARGN}: ${result}: ${error}")
    endif()
    set(count 0)
    while(NOT text STREQUAL "")
        string(FIND "${text}" "\n" end)
        if(end EQUAL -1)
            complain("the last line does not end: ${text}")
            break()
        endif()
        string(SUBSTRING "${text}" 0 ${end} line)
        math(EXPR end "${end} + 1")
        string(SUBSTRING "${text}" ${end} -1 text)
        check_line("${line}")
        math(EXPR count "${count} + 1")
    endwhile()
    message(STATUS "${count} lines")
    set(seen "${seen}" PARENT_SCOPE)
    set(printed ${count} PARENT_SCOPE)
endfunction()

# -------------------------------------------------------------- the runs

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
set(data --data synthetic:size=16 --set data.limit=64 --set data.test_limit=64)
set(net --set net.channels=4 --set net.layers=2)
set(train ${data} ${net} --set train.epochs=2 --set train.batch=16
    --set train.trainer=madry:eps=0.03,steps=1,clean_pass=true --set train.eval_count=8
    --set train.log_every=2 --set eval.count=8)

check_run(${TRAIN} --json --quiet --out ${SCRATCH}/train --genotype cna_r
    ${train} --set eval.attack=fgsm,pgd:steps=2
    --set eval.eps=0.03,8)
set(whole ${printed})
# What is printed is the log, and again when a run is taken up.
file(READ ${SCRATCH}/train/log.jsonl log)
string(REGEX MATCHALL "\n" ends "${log}")
list(LENGTH ends written)
check_run(${TRAIN} --json --resume ${SCRATCH}/train)
if(NOT whole EQUAL written OR NOT printed EQUAL written)
    complain("${whole} and ${printed} lines printed, ${written} in the log")
endif()

check_run(${TRAIN} --json --quiet --dry-run --genotype cna_r ${train})

set(search ${train} --set supernet.channels=4 --set supernet.layers=2
    --set search.warm_up=1 --set search.population=1 --set search.epochs=2
    --set search.random_baseline=2 --set search.holdout_architectures=3 --set search.predictor_warm_up=2
    --set search.predictor_passes=2 --set search.batch=16 --set search.steps=1
    --set search.architectures=2 --set search.estimator_batches=1
    --set search.val_batches=1 --set search.augment=flip
    --set estimator.memory=64 --set estimator.batch=16
    --set estimator.passes=1 --set eval.attack=fgsm --set eval.eps=0.03)
check_run(${SEARCH} --json --out ${SCRATCH}/search ${search})
check_run(${SEARCH} --json --out ${SCRATCH}/compare ${search}
    --set compare=random,rsws)
check_run(${SEARCH} --json --out ${SCRATCH}/table ${search}
    --set table.random=3 --set table.repeated=3 --set table.seeds=2
    --set table.edge_cases=false)
check_run(${SEARCH} --json --out ${SCRATCH}/ranking ${search}
    --set search.ranking=${SCRATCH}/table/table.jsonl
    --set search.derive=measured --set search.derive_measured=3)
check_run(${SEARCH} --json --out ${SCRATCH}/lookup ${search}
    --set search.table=${SCRATCH}/table/table.jsonl
    --set search.table_missing=nearest --set searcher.name=rsws
    --set search.sources=0.03 --set search.targets= --set search.weights=1)

check_run(${ESTIMATE} --json --out ${SCRATCH}/estimate ${data} ${net}
    --networks cna_r --set train.epochs=1 --set train.batch=16
    --set train.trainer=natural --set train.eval_every=0 --set attack.steps=1
    --set attack.eps=0.015,0.045 --set estimator.epochs=1
    --set estimator.batch=8 --set estimator.train_batches=2
    --set estimator.val_batches=2 --set estimator.augment=flip)

set(attack ${ATTACK} --json --net ${SCRATCH}/train/net.safetensors
    --data synthetic:size=16 --count 8)
check_run(${attack} --attack fgsm,pgd:steps=2 --eps 8/255,8
    --out ${SCRATCH}/attack)
check_run(${attack} --attack deepfool --eps inf)
check_run(${attack} --attack cw:steps=2 --eps inf
    --target-class 3)
check_run(${attack} --attack cw:steps=2 --eps inf
    --set attack.target=least)
check_run(${attack} --attack fgsm --eps 8/255 --set attack.quantize=true
    --out ${SCRATCH}/quantized --save ${SCRATCH}/saved.npz)
check_run(${ATTACK} --json --net ${SCRATCH}/train/net.safetensors
    --verify ${SCRATCH}/saved.npz)
check_run(${ATTACK} --json --out ${SCRATCH}/compared
    --compare ${SCRATCH}/attack ${SCRATCH}/quantized)
check_run(${attack} --attack chain:attacks=[fgsm,pgd:steps=2])
check_run(${attack} --attack fgsm --target-class 3)
check_run(${attack} --attack fgsm --set attack.batch=4 --shard 1/2
    --out ${SCRATCH}/shard)
check_run(${attack} --attack fgsm --set attack.target=least)
check_run(${attack} --attack pgd:steps=2 --set attack.fidelity=released)
check_run(${attack} --attack= --corruptions=fog,contrast
    --set corruption.severities=[1,5] --set corruption.count=8
    --set hessian.of=both --set hessian.count=4 --set hessian.iterations=2
    --set hessian.probes=2)

# Fields of several processes, where there is an MPI.
get_filename_component(plugins ${TRAIN}/../../plugins ABSOLUTE)
find_program(mpirun mpirun.openmpi)
if(mpirun AND EXISTS ${plugins}/wsr_comm_openmpi.so)
    check_run(${mpirun} --allow-run-as-root --oversubscribe --bind-to none -n 2
        ${TRAIN} --json --out ${SCRATCH}/ranks ${data} ${net} --genotype cna_r
        --set train.epochs=1 --set train.batch=16 --set train.trainer=natural
        --set train.eval_every=0 --set eval.attack=)
    set(absent "")
else()
    set(absent "several processes")
endif()

foreach(event IN LISTS events)
    foreach(field IN LISTS fields_${event})
        if(absent AND when_${event}_${field} MATCHES "${absent}")
            continue()
        endif()
        if(NOT ${event}.${field} IN_LIST seen)
            complain("${event}.${field} is described, but never printed")
        endif()
    endforeach()
endforeach()
