# SPDX-License-Identifier: Apache-2.0
#
# COMPREPLY from candidates that begin with $1. Bash takes what stands behind
# the last "=" or ":" for the word, where these break words.
_wsr_reply()
{
    local text=$1 line before=
    case $COMP_WORDBREAKS in
    *:*) before=${text%"${text##*[=:]}"} ;;
    esac
    while IFS= read -r line; do
        case $line in
        @file) compopt -o filenames 2>/dev/null
            COMPREPLY+=($(compgen -f -- "${text##*[=:]}")) ;;
        @dir) compopt -o filenames 2>/dev/null
            COMPREPLY+=($(compgen -d -- "${text##*[=:]}")) ;;
        "$text"*) COMPREPLY+=("${line#"$before"}") ;;
        esac
        case $line in
        *=) compopt -o nospace 2>/dev/null ;;
        esac
    done
}

_wsr()
{
    local line=${COMP_LINE:0:COMP_POINT} tool=${1##*/} cur= prev= words
    COMPREPLY=()
    read -ra words <<<"$line"
    case $line in
    *[[:space:]]) ;;
    *) cur=${words[${#words[@]}-1]}
        unset "words[${#words[@]}-1]" ;;
    esac
    [ ${#words[@]} -gt 0 ] && prev=${words[${#words[@]}-1]}
    case $cur in
    --*=*) _wsr_reply "${cur#*=}" < <(_wsr_value "$tool" "${cur%%=*}" "${cur#*=}") ;;
    -*) _wsr_reply "$cur" < <(_wsr_each "" "${_wsr_words[$tool]-}") ;;
    *) case ${_wsr_words[$tool/$prev]+set} in
        set) _wsr_reply "$cur" < <(_wsr_value "$tool" "$prev" "$cur") ;;
        *) _wsr_reply "$cur" < <(_wsr_each "" "${_wsr_words[$tool]-}") ;;
        esac ;;
    esac
}

