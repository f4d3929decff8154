# SPDX-License-Identifier: Apache-2.0
#
# What bash and zsh share: candidates for the value of an option, one a line.
# The dialect is what both understand, with words split as in sh.

# _wsr_member TEXT: the variant that options at the end of a list belong to.
_wsr_member()
{
    local rest=$1 piece member=
    while [ -n "$rest" ]; do
        piece=${rest%%,*}
        rest=${rest#"$piece"}
        rest=${rest#,}
        case ${piece%%=*} in
        *:*) member=${piece%%:*} ;;
        *) case $piece in
            *=*) ;;
            *) member=$piece ;;
            esac ;;
        esac
    done
    printf '%s\n' "$member"
}

# _wsr_each BEFORE WORDS AFTER
_wsr_each()
{
    local word
    for word in $2; do
        printf '%s\n' "$1$word${3-}"
    done
}

# _wsr_spec FAMILY TEXT: the next words of a list "pgd:steps=20,fgsm".
_wsr_spec()
{
    local family=$1 last=${2##*,} before member key
    before=${2%"$last"}
    case $last in
    *=*)
        key=${last%%=*}
        member=$(_wsr_member "$before$last")
        _wsr_each "$before$key=" "${_wsr_words[$family:$member:${key##*:}]-}"
        ;;
    *:*)
        member=${last%%:*}
        _wsr_each "$before$member:" "${_wsr_words[$family:$member]-}" =
        ;;
    *)
        _wsr_each "$before" "${_wsr_words[$family]-}"
        member=$(_wsr_member "$before")
        case $before in
        *:*) _wsr_each "$before" "${_wsr_words[$family:$member]-}" = ;;
        esac
        ;;
    esac
}

# _wsr_keys TOOL TEXT: of "--set train.trainer=madry:eps".
_wsr_keys()
{
    local key=${2%%=*} line
    case $2 in
    *=*)
        _wsr_value "$1" "$key" "${2#*=}" | while IFS= read -r line; do
            printf '%s\n' "$key=$line"
        done
        ;;
    *) _wsr_each "" "${_wsr_words[$1/keys]-}" = ;;
    esac
}

# _wsr_topics TOOL TEXT: of "--help attack:pgd".
_wsr_topics()
{
    case $2 in
    *:*) _wsr_each "${2%%:*}:" "${_wsr_words[${2%%:*}]-}" ;;
    *) _wsr_each "" "all ${_wsr_words[$1/topics]-}" ;;
    esac
}

# _wsr_value TOOL OPTION|KEY TEXT: what may stand for TEXT. "@file" and "@dir"
# are left to the shell.
_wsr_value()
{
    local word
    for word in ${_wsr_words[$1/$2]-}; do
        case $word in
        @spec:*) _wsr_spec "${word#@spec:}" "$3" ;;
        @genotypes) _wsr_each "" "${_wsr_words[genotypes]-}" ;;
        @keys) _wsr_keys "$1" "$3" ;;
        @topics) _wsr_topics "$1" "$3" ;;
        *) printf '%s\n' "$word" ;;
        esac
    done
}
