# SPDX-License-Identifier: Apache-2.0
#
# Candidates as matches; those that end in "=" are followed by no blank.
_wsr_reply()
{
    local line files=
    local -a whole open
    while IFS= read -r line; do
        case $line in
        @file) files=1 ;;
        @dir) files=2 ;;
        *=) open+=("$line") ;;
        *) whole+=("$line") ;;
        esac
    done
    compadd -Q -a whole
    compadd -Q -S '' -a open
    case $files in
    1) _files ;;
    2) _files -/ ;;
    esac
}

# _wsr_split COMMAND...: with words split as in sh, in a process of its own.
_wsr_split()
{
    setopt localoptions shwordsplit
    "$@"
}

_wsr()
{
    local tool=$service cur=$PREFIX option prev=${words[CURRENT-1]}
    local -a lines
    case $cur in
    --*=*) option=${cur%%=*}
        compset -P '--*='
        _wsr_reply < <(_wsr_split _wsr_value "$tool" "$option" "${cur#*=}")
        return ;;
    -*) ;;
    *) case ${_wsr_words[$tool/$prev]+set} in
        set) _wsr_reply < <(_wsr_split _wsr_value "$tool" "$prev" "$cur")
            return ;;
        esac ;;
    esac
    for option in ${=_wsr_words[$tool]}; do
        lines+=("$option:${_wsr_help[$tool/$option]-}")
    done
    _describe option lines
}

_wsr "$@"
