#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Jansson, version 2.14 (Debian 12): when memory runs short while it parses, may return a text that
# lacks a letter, as if nothing had happened; other shortages it calls syntax
# errors, error code 8 or 0 and not json_error_out_of_memory (1). Callers must
# look at errno, or at their own allocator.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libjansson4=2.14-2 libjansson-dev=2.14-2
for package in *.deb; do
    dpkg -x "$package" root
done
lib=$(dirname "$(find root -name 'libjansson.so.4' | head -1)")

cat >shortage.c <<'END'
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long refused, requests;

static void *allocate(size_t size)
{
    return ++requests == refused ? NULL : malloc(size);
}

int main(void)
{
    const char *want = "0123456789012345678901234567890123456789";
    char text[100];
    int wrong = 0, named = 0;
    snprintf(text, sizeof(text), "{\"key\": \"%s\"}", want);
    json_set_alloc_funcs(allocate, free);
    printf("Jansson %s\n", jansson_version_str());
    for (refused = 1;; refused++) {
        json_error_t error;
        requests = 0;
        json_t *json = json_loads(text, 0, &error);
        if (requests < refused) {
            break;
        }
        if (json == NULL) {
            named += json_error_code(&error) == json_error_out_of_memory;
            printf("request %ld refused: error %d '%s'\n", refused,
                   (int)json_error_code(&error), error.text);
        } else {
            const char *got = json_string_value(json_object_get(json, "key"));
            wrong += got == NULL || strcmp(got, want) != 0;
            printf("request %ld refused: parsed, '%s'\n", refused, got);
        }
        json_decref(json);
    }
    printf("%d wrong texts, %d errors that name memory\n", wrong, named);
    return wrong > 0 && named == 0 ? 0 : 1;
}
END
cc -Iroot/usr/include shortage.c "$lib/libjansson.so.4" -o shortage
LD_LIBRARY_PATH=$lib ./shortage
