// SPDX-License-Identifier: Apache-2.0
//
// Requests of a whole process for memory, those of other libraries and of
// operator new included, are counted, and one of them (or all from one on) is
// refused. Linked into a program, or a module for LD_PRELOAD, for which there
// are these variables of the environment:
//   FAIL_ALLOC_AT=n    refuse request n
//   FAIL_ALLOC_FROM=n  refuse request n and all that follow
//   FAIL_ALLOC_COUNT=FILE  the number of requests is written there at the end
//   FAIL_ALLOC_WHO=FILE    function and library that made the refused request
// The module counts from main() on: what the constructors of libraries ask for
// before is beyond any program. mmap is left alone, see docs/memory.md.

#define _GNU_SOURCE

#include "fail_alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#pragma GCC visibility push(default) // so that all libraries see them

// The C library's own functions under their second names, by which they are
// reached without looking anything up, which would ask for memory.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static atomic_ulong requests;
static atomic_ulong at;   // 0: none
static atomic_ulong from; // 0: none
static const char *spared_library;

// Files without the buffers of stdio, which would ask for memory.
static void put(const char *variable, const char *const *words)
{
    const char *const path = getenv(variable);
    const int file =
        path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    for (size_t i = 0; file >= 0 && words[i] != NULL; i++) {
        (void)!write(file, words[i], strlen(words[i]));
    }
    if (file >= 0) {
        (void)close(file);
    }
}

// Count a request; whether it is to be refused.
static bool refused(const char *function, const void *caller)
{
    const unsigned long n = atomic_fetch_add(&requests, 1) + 1;
    const unsigned long last = atomic_load(&from);
    if (n != atomic_load(&at) && (last == 0 || n < last)) {
        return false;
    }
    Dl_info info = {0};
    if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) {
        info.dli_fname = "?";
    }
    if (spared_library != NULL && strcmp(function, "posix_memalign") == 0 &&
        strstr(info.dli_fname, spared_library) != NULL) {
        return false;
    }
    put("FAIL_ALLOC_WHO",
        (const char *[]){function, " ", info.dli_fname, "\n", NULL});
    errno = ENOMEM;
    return true;
}

#define REFUSED refused(__func__, __builtin_return_address(0))

unsigned long fail_alloc_requests(void)
{
    return atomic_load(&requests);
}

void fail_alloc_at(unsigned long nth, const char *spared)
{
    spared_library = spared;
    atomic_store(&at, nth == 0 ? 0 : atomic_load(&requests) + nth);
}

void *malloc(size_t size)
{
    return REFUSED ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return REFUSED ? NULL : __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    return REFUSED ? NULL : __libc_realloc(ptr, size);
}

void *memalign(size_t align, size_t size);

void *memalign(size_t align, size_t size)
{
    return REFUSED ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return REFUSED ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **ptr, size_t align, size_t size)
{
    void *const fresh = REFUSED ? NULL : __libc_memalign(align, size);
    if (fresh == NULL) {
        return ENOMEM;
    }
    *ptr = fresh;
    return 0;
}

// ------------------------------------------------------------ as a module

#ifdef FAIL_ALLOC_MODULE
static unsigned long number(const char *name)
{
    unsigned long n = 0;
    const char *text = getenv(name);
    for (; text != NULL && *text >= '0' && *text <= '9'; text++) {
        n = 10 * n + (unsigned long)(*text - '0');
    }
    return n;
}

typedef int start(int (*)(int, char **, char **), int, char **, void (*)(void),
                  void (*)(void), void (*)(void), void *);

start __libc_start_main;

// The C library's own function.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-function-size)
int __libc_start_main(int (*program)(int, char **, char **), int argc,
                      char **argv, void (*init)(void), void (*fini)(void),
                      void (*loader)(void), void *stack)
{
    union {
        void *object;
        start *function;
    } next = {.object = dlsym(RTLD_NEXT, "__libc_start_main")};
    atomic_store(&requests, 0);
    atomic_store(&at, number("FAIL_ALLOC_AT"));
    atomic_store(&from, number("FAIL_ALLOC_FROM"));
    return next.function(program, argc, argv, init, fini, loader, stack);
}

__attribute__((destructor)) static void report(void)
{
    char text[24];
    size_t place = sizeof(text) - 1;
    text[place] = '\0';
    unsigned long n = atomic_load(&requests);
    do {
        text[--place] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    put("FAIL_ALLOC_COUNT", (const char *[]){text + place, "\n", NULL});
}
#endif

#pragma GCC visibility pop
