#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cmake/site.sh DIR [BUILD]
#
# Makes the documentation as a site in DIR/html: README and docs/, tutorials
# from examples/, references from the registry and the programs of BUILD
# (default: build), every public function from the headers. It fails at any
# warning of Doxygen and at any function that leaves out what it must say.
# Exit code 77: there is no Doxygen here.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
build=$(cd "${2:-$root/build}" && pwd)

if ! command -v doxygen >/dev/null; then
    echo "site: not made: there is no doxygen"
    exit 77
fi

rm -rf "$out/pages" "$out/html" "$out/xml"
python3 "$root/cmake/site.py" pages "$out/pages" "$build"
cat > "$out/Doxyfile" <<END
PROJECT_NAME = libwsr
PROJECT_BRIEF = "robust networks searched, trained and attacked on CPUs"
OUTPUT_DIRECTORY = $out
INPUT = $out/pages $root/libwsr/include
FILE_PATTERNS = *.h *.md
RECURSIVE = YES
STRIP_FROM_PATH = $root/libwsr/include
STRIP_FROM_INC_PATH = $root/libwsr/include
FILTER_PATTERNS = *.h="python3 $root/cmake/site.py filter"
HTML_EXTRA_FILES = $(find "$root/docs" -name '*.svg' | tr '\n' ' ')
GENERATE_LATEX = NO
GENERATE_XML = YES
OPTIMIZE_OUTPUT_FOR_C = YES
JAVADOC_AUTOBRIEF = YES
TOC_INCLUDE_HEADINGS = 2
AUTOLINK_SUPPORT = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = __GNUC__=12 WSR_API= WSR_MUST_USE= __cplusplus=
ENABLE_PREPROCESSING = YES
WARN_NO_PARAMDOC = NO
WARN_AS_ERROR = FAIL_ON_WARNINGS
QUIET = YES
HAVE_DOT = NO
HTML_EXTRA_STYLESHEET = $root/cmake/site.css
HTML_DYNAMIC_SECTIONS = NO
GENERATE_TREEVIEW = NO
SEARCHENGINE = YES
SHOW_USED_FILES = NO
VERBATIM_HEADERS = NO
END
doxygen "$out/Doxyfile"
python3 "$root/cmake/site.py" check "$out/xml"
rm -rf "$out/xml"
echo "site: $out/html/index.html"
