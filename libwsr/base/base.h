// SPDX-License-Identifier: Apache-2.0
//
// The foundation of all other directories: statuses with their detail line,
// memory, strings, counter-based random numbers, parallel loops, files, and (in
// base/param.h and base/registry.h) schemas and registries.

#ifndef WSR_BASE_BASE_H
#define WSR_BASE_BASE_H

#include "wsr/base.h"

#include <stdarg.h>
#include <stdio.h>

// ---------------------------------------------------------------- statuses

/// Write the detail line of a failure and yield its code. Only the origin of
/// a failure writes it; callers pass the code on with WSR_TRY. The code is
/// named twice so that compilers and analysers see which one is yielded.
#define WSR_FAIL(code, ...) (wsr__fail((code), __VA_ARGS__), (code))

/// Leave the function through its only label `out` when a call fails. Expects
/// a local `wsr_status status`. (Without braces inside, so that it does not
/// count as two levels of nesting.)
#define WSR_TRY(call)                    \
    do                                   \
        if ((status = (call)) != WSR_OK) \
            goto out;                    \
    while (0)

wsr_status wsr__fail(wsr_status code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// Put "place: " in front of the current detail, for callers that alone know
/// where a value came from. Returns `code`.
wsr_status wsr__fail_at(wsr_status code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void wsr__log(wsr_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// ------------------------------------------------------------------ memory

enum { WSR__ALIGN = 64 };

/// `count` zeroed elements of `size` bytes, aligned to WSR__ALIGN. NULL when
/// memory is short or the product overflows; the detail is written then. A
/// count of 0 yields one valid element.
void *wsr__alloc(size_t count, size_t size);

/// Bytes of memory that the system, the limits of the process and its control
/// groups leave; infinity where that is not known.
double wsr__memory_free(void);

/// The same with what the process uses already: all that it may have.
double wsr__memory_available(void);

/// The same without clearing.
void *wsr__alloc_raw(size_t count, size_t size);

void wsr__free(void *ptr); // NULL is legal

/// Make room for `need` elements in a growing array (*array, *capacity).
wsr_status wsr__reserve(void **array, size_t *capacity, size_t need,
                        size_t size);

/// Owned copy of a string, NULL when memory is short.
char *wsr__strdup(const char *text);

// ----------------------------------------------------------------- strings

/// A growing string; {0} is an empty one. Appending after a failure is a
/// no-op, so a sequence of appends is checked once at its end.
typedef struct wsr__str {
    char *s; // NUL-terminated, or NULL while empty
    size_t len;
    size_t capacity;
    bool failed; // memory ran short
} wsr__str;

void wsr__str_addf(wsr__str *str, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void wsr__str_add(wsr__str *str, const char *text);
void wsr__str_addn(wsr__str *str, const char *text, size_t len);
/// Append a field of comma-separated values, in quotes (RFC 4180).
void wsr__str_add_csv(wsr__str *str, const char *text);
void wsr__str_free(wsr__str *str);
wsr_status wsr__str_status(const wsr__str *str);

/// Hand a text over to a caller: the owned bytes to *out and an empty str, or
/// NOMEM and NULL when something was lost.
wsr_status wsr__str_give(char **out, wsr__str *str);

bool wsr__streq(const char *a, const char *b);

/// Bounded copy that never truncates silently: ARG when it does not fit.
wsr_status wsr__strcpy(char *dst, size_t size, const char *src);

/// Owned texts; {0} is an empty list.
typedef struct wsr__names {
    char **names;
    size_t n;
    size_t capacity;
} wsr__names;

/// Append a copy of a text.
wsr_status wsr__names_add(wsr__names *names, const char *text);

/// Sort by code points, as UTF-8.
void wsr__names_sort(wsr__names *names);

/// Place of a text in a sorted list, n when it is not there.
size_t wsr__names_at(const wsr__names *names, const char *text);

/// The one nearest to a word, NULL when none is near.
const char *wsr__names_suggest(const wsr__names *names, const char *word);

void wsr__names_free(wsr__names *names);

/// The thread's locale set aside while text must not depend on it.
typedef struct wsr__locale {
    void *neutral; // NULL when there was no memory for it
    void *previous;
} wsr__locale;

wsr__locale wsr__locale_enter(void);
void wsr__locale_leave(wsr__locale locale);

/// Whole-text parsing of finite decimal numbers, independent of the locale.
/// False for what a double or an int64_t cannot hold, too: infinite, or 0
/// without being written so.
bool wsr__parse_double(double *out, const char *text);
bool wsr__parse_int(int64_t *out, const char *text);

/// The same for numbers of any size: `*out` is infinite or 0 where a double
/// cannot hold them, `*zero` says whether the text means 0.
bool wsr__parse_decimal(double *out, bool *zero, const char *text);

/// Shortest decimal text that reads back to the same float or double.
void wsr__format_float(char out[32], float value);
void wsr__format_double(char out[32], double value);

/// Ends of the interval in which a probability lies that gave this share of n
/// cases, with a confidence of 95 %: Wilson, "Probable inference, the law of
/// succession, and statistical inference", 1927.
void wsr__wilson(double *low, double *high, double share, double n);

/// The candidate nearest to `word` by edit distance when it is near enough to
/// be a typing mistake, else NULL.
const char *wsr__suggest(const char *word, const char *const *candidates,
                         size_t n);

// ---------------------------------------------------------- random numbers

/// What a stream of random numbers is for: a part of its key, so that two
/// purposes never share numbers.
typedef enum wsr__rng_purpose {
    WSR__RNG_INIT = 1,        // parameter initialisation
    WSR__RNG_SHUFFLE,         // order of samples
    WSR__RNG_AUGMENT,         // crops, flips, holes
    WSR__RNG_ATTACK,          // random starts and directions
    WSR__RNG_GUMBEL,          // architecture samples
    WSR__RNG_DROP_PATH,       // per-sample masks
    WSR__RNG_STRENGTH,        // random attack strengths
    WSR__RNG_MEMORY,          // order inside the memories
    WSR__RNG_NOISE,           // input noise of predictor training
    WSR__RNG_SYNTHETIC,       // synthetic data
    WSR__RNG_TEST,            // tests
    WSR__RNG_DROPOUT,         // masks of dropout
    WSR__RNG_BOOTSTRAP,       // samples of samples
    WSR__RNG_MIX,             // mixtures of images
    WSR__RNG_CORRUPTION = 32, // of images
    WSR__RNG_HESSIAN          // starts and probes
} wsr__rng_purpose;

/// A counter-based stream (Philox4x32-10, Salmon et al. 2011, through
/// Random123): the n-th number depends on (seed, purpose, a, b, n) alone.
typedef struct wsr__rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    unsigned used; // numbers taken from block
} wsr__rng;

wsr__rng wsr__rng_at(uint64_t seed, wsr__rng_purpose purpose, uint64_t a,
                     uint32_t b);
uint32_t wsr__rng_u32(wsr__rng *rng);
float wsr__rng_uniform(wsr__rng *rng); // [0, 1), 24 bits
double wsr__rng_normal(wsr__rng *rng); // N(0, 1), Box-Muller
/// n numbers of N(0, 1) in single precision, some ten times faster; other
/// numbers than wsr__rng_normal draws.
void wsr__rng_normals(wsr__rng *rng, float *out, size_t n);
uint32_t wsr__rng_below(wsr__rng *rng, uint32_t n); // [0, n), unbiased
/// Gamma distribution of this shape, > 0, and scale 1. Some numbers of shape a,
/// divided by their sum, are Dirichlet(a, ...), two of them Beta(a, a).
double wsr__rng_gamma(wsr__rng *rng, double shape);
void wsr__rng_permutation(wsr__rng *rng, uint32_t *out, uint32_t n);

/// So many floats, rounded up to a multiple of WSR__ALIGN bytes.
static inline size_t wsr__lines(size_t floats)
{
    const size_t line = WSR__ALIGN / sizeof(float);
    return (floats + line - 1) / line * line;
}

// ---------------------------------------------------------- parallel loops

/// Body of a parallel loop: some of its elements, [begin, end). `part` numbers
/// the thread; bodies of one part never run at the same time.
typedef void (*wsr__body)(void *ctx, int64_t begin, int64_t end, size_t part);

/// Run a body over [0, n), one contiguous share per thread, of which threads
/// that are done early take over what is left at the end. Which part an element
/// falls to is by chance: results must not depend on it. Runs in the calling
/// thread when n is 1, or inside another parallel loop.
void wsr__parallel(int64_t n, wsr__body body, void *ctx);

/// The same with part < most, for bodies with memory of their own per part.
void wsr__parallel_among(int64_t n, int64_t most, wsr__body body, void *ctx);

/// Have the calling thread's OpenMP regions, which oneDNN opens, use
/// wsr_threads() threads, until wsr__threads_leave() gets what this returns.
size_t wsr__threads_enter(void);
void wsr__threads_leave(size_t before);

/// Start the threads that the calling thread's loops will use: OpenMP ends the
/// process when it cannot. NOMEM when they cannot be had.
wsr_status wsr__threads_start(void);

/// Seconds on a monotonic clock.
double wsr__seconds(void);

// ------------------------------------------------------------------- files

/// Read a whole file. [out, owned by the caller] `*data` has a NUL after its
/// last byte. IO when it cannot be read, FORMAT when longer than `limit`.
wsr_status wsr__file_read(unsigned char **data, size_t *size, const char *path,
                          size_t limit);

/// Fail with the detail "path: reason", the system's text for the errno
/// `error`: IO, or NOMEM for ENOMEM.
wsr_status wsr__fail_errno(const char *path, int error);

/// A file written beside `path`, synced, and renamed over it on commit, so
/// that a crash at any instant leaves the old or the new content.
typedef struct wsr__atomic_file {
    FILE *stream;
    char *path;
    char *temporary;
} wsr__atomic_file;

wsr_status wsr__atomic_open(wsr__atomic_file *file, const char *path);
wsr_status wsr__atomic_write(wsr__atomic_file *file, const void *data,
                             size_t size);
/// Sync and rename. `keep_previous` first gives what is there the second name
/// "path.old".
wsr_status wsr__atomic_commit(wsr__atomic_file *file, bool keep_previous);
/// Drop what was not committed; legal after commit and on {0}.
void wsr__atomic_discard(wsr__atomic_file *file);

/// IO when no file can be written at `path`: a folder has its name, the folder
/// it is to lie in is not there, or the permission is lacking.
wsr_status wsr__file_check_place(const char *path);

/// Write a text file atomically.
wsr_status wsr__file_write(const char *path, const void *data, size_t size);

/// Make a directory and its parents; an existing one is fine. IO when it
/// cannot be made or written to.
wsr_status wsr__make_directory(const char *path);

/// Whether there is a file or folder. What the system cannot look at (EIO,
/// EACCES) counts: whoever opens it is told why not.
bool wsr__file_exists(const char *path);

/// "dir/name" as an owned string; NULL when memory is short.
char *wsr__path_join(const char *dir, const char *name);

#endif
