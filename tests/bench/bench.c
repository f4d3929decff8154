// SPDX-License-Identifier: Apache-2.0

#include "bench/bench.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double bench_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void leave(const char *what, const char *value)
{
    fprintf(stderr, "bench: %s: %s\n", what, value);
    exit(1);
}

void bench_must(wsr_status status)
{
    if (status != WSR_OK) {
        leave("failed", wsr_error_detail());
    }
}

const char *bench_text(int argc, char **argv, const char *key,
                       const char *fallback)
{
    const size_t n = strlen(key);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], key, n) == 0 && argv[i][n] == '=') {
            fallback = argv[i] + n + 1;
        }
    }
    return fallback;
}

long bench_number(int argc, char **argv, const char *key, long fallback)
{
    const char *const text = bench_text(argc, argv, key, NULL);
    char *end = NULL;
    const long value = text == NULL ? fallback : strtol(text, &end, 10);
    if (text != NULL && (end == text || *end != '\0')) {
        leave("not a number", text);
    }
    return value;
}

void bench_check(int argc, char **argv, const char *const *keys)
{
    for (int i = 1; i < argc; i++) {
        const size_t n = strcspn(argv[i], "=");
        size_t k = 0;
        while (keys[k] != NULL &&
               (strlen(keys[k]) != n || strncmp(keys[k], argv[i], n) != 0)) {
            k++;
        }
        if (keys[k] == NULL || argv[i][n] != '=') {
            leave("no such option", argv[i]);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double bench_best(void (*step)(void *ctx), void *ctx, long repeat)
{
    double best = 1e300;
    for (long i = 0; i < repeat; i++) {
        const double start = bench_seconds();
        step(ctx);
        const double seconds = bench_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    return best;
}

long bench_peak_mib(void)
{
    struct rusage usage;
    memset(&usage, 0, sizeof(usage));
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

void bench_path(unsigned char *choices, size_t n, long seed)
{
    uint64_t x = (uint64_t)seed + 1;
    for (size_t i = 0; i < n; i++) {
        x = (1103515245 * x + 12345) % (1ULL << 31);
        choices[i] = (unsigned char)((x >> 16) % 8);
    }
}

void bench_peer(char *text, size_t room, const char *command)
{
    // The line is the caller's own, written for a shell.
    FILE *const pipe = popen(command, "r"); // NOLINT(cert-env33-c)
    const size_t n = pipe == NULL ? 0 : fread(text, 1, room - 1, pipe);
    text[n] = '\0';
    if (pipe == NULL || pclose(pipe) != 0 || strchr(text, '{') == NULL) {
        leave("the peer failed", command);
    }
}

double bench_field(const char *json, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof(key), "\"%s\":", name);
    const char *const at = strstr(json, key);
    if (at == NULL) {
        leave("the peer's answer lacks", name);
    }
    return strtod(at + strlen(key), NULL);
}
