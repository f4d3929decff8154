#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# completion.sh SCRATCH PAGES
#
# What bash and zsh offer at a line, by the files in the folder PAGES: bash as
# it calls the function, zsh in a terminal, where there is one.
set -u
scratch=$1
pages=$2
failures=0
checks=0

rm -rf "$scratch"
mkdir -p "$scratch/folder" "$scratch/fpath"
cd "$scratch" || exit 1
touch net.safetensors

fail()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
}

. "$pages/wsr.bash"

# offers LINE WORDS: what bash offers, sorted.
offers()
{
    local line=$1 wanted=$2 found
    checks=$((checks + 1))
    COMP_LINE=$line COMP_POINT=${#line}
    COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
    COMPREPLY=()
    tool=${line%% *}
    $(complete -p "${tool##*/}" | sed 's/.*-F \([^ ]*\) .*/\1/') "$tool"
    found=$(printf '%s\n' "${COMPREPLY[@]}" | sort -u | tr '\n' ' ')
    [ "${found% }" = "$wanted" ] || fail "$line: ${found% }, not $wanted"
}

# has LINE WORD: that is among others.
has()
{
    local line=$1
    checks=$((checks + 1))
    COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
    COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
    _wsr "${line%% *}"
    printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$2" || fail "$line: no $2"
}

offers "wsr-train --gen" "--genotype"
offers "wsr-train --genotype cna_m" "cna_m cna_m_1"
offers "wsr-train --preset wsrnet-r" "wsrnet-robust"
offers "/usr/bin/wsr-search --preset qu" "quick"
offers "wsr-attack --attack pgd" "pgd pgddlr pgdl2"
offers "wsr-attack --attack pgd:al" "alpha="
offers "wsr-attack --attack pgd:norm=l" "l2 linf"
offers "wsr-attack --attack fgsm,pgd:steps=20,res" "20,restarts="
offers "wsr-attack --attack=autoattack:q" "queries="
offers "wsr-attack --corruptions=fo" "fog"
offers "wsr-attack --net n" "net.safetensors"
offers "wsr-attack --out fo" "folder"
offers "wsr-train --set train.tr" "train.trainer="
offers "wsr-train --set train.trainer=mad" "madry"
offers "wsr-train --set train.trainer=madry:st" "start= steps="
offers "wsr-search --set searcher.name=rs" "rsws"
offers "wsr-search --help attack:pgdl" "pgdl2"
offers "wsr-search --help sup" "supernet"
offers "wsr-train --threads " ""
offers "wsr-estimate --variants an,e_pl" "an,e_plus"
offers "wsr-attack --preset" ""
has "wsr-attack " "--net"
has "wsr-attack --net net.safetensors --" "--data"
has "wsr-attack --attack pgd:steps=3," "3,fgsm"

# ----------------------------------------------------------------------- zsh

# zsh_offers LINE RESULT...: a shell in a terminal makes each line the result.
# What a key does there is to write the line to a file.
zsh_offers()
{
    zsh -f -c '
        zmodload zsh/zpty || exit 1
        zpty -b shell zsh -f -i
        zpty -w shell "fpath=(${(q)PWD}/fpath \$fpath)"
        zpty -w shell "autoload -Uz compinit; compinit -u -D"
        zpty -w shell "keep() { print -r -- \"\$BUFFER\" >>kept; BUFFER=; }"
        zpty -w shell "zle -N keep; bindkey ^X keep"
        for line wanted in "$@"; do
            zpty -n -w shell "$line"$'"'\t\x18'"'
        done
        for i in {1..300}; do
            zpty -r -t shell part
            [[ -e kept && $(wc -l <kept) -eq $(($# / 2)) ]] && break
            sleep 0.1
        done
        zpty -d shell' zsh "$@"
    while [ $# -gt 0 ]; do
        checks=$((checks + 1))
        read -r line || line="nothing"
        [ "${line% }" = "$2" ] || fail "zsh: $1: $line, not $2"
        shift 2
    done <kept
}

if command -v zsh >/dev/null; then
    cp "$pages/_wsr" fpath/
    zsh_offers "wsr-train --gen" "wsr-train --genotype" \
        "wsr-train --genotype cna_r_" "wsr-train --genotype cna_r_minus" \
        "wsr-attack --attack fgsm,pgd:al" "wsr-attack --attack fgsm,pgd:alpha=" \
        "wsr-attack --corruptions=fo" "wsr-attack --corruptions=fog" \
        "wsr-search --set searcher.name=rs" "wsr-search --set searcher.name=rsws" \
        "wsr-search --help attack:pgdl" "wsr-search --help attack:pgdl2" \
        "wsr-attack --net ne" "wsr-attack --net net.safetensors" \
        "wsr-attack --out fo" "wsr-attack --out folder/" \
        "wsr-attack --verif" "wsr-attack --verify"
else
    echo "not checked: there is no zsh"
fi

[ "$failures" -eq 0 ] || exit 1
echo "$checks completions"
