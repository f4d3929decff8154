// SPDX-License-Identifier: Apache-2.0
//
// Status codes, error detail, version, allocator and log hooks.
//
// Every fallible function of libwsr returns a wsr_status. When it is not
// WSR_OK, wsr_error_detail() holds one line that says what was wrong, the
// value, what is permitted and where. The library never prints, exits, aborts
// or installs signal handlers.

#ifndef WSR_BASE_H
#define WSR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WSR_API __attribute__((visibility("default")))
#define WSR_MUST_USE __attribute__((warn_unused_result))
#else
#define WSR_API
#define WSR_MUST_USE
#endif

#define WSR_VERSION_MAJOR 0
#define WSR_VERSION_MINOR 1
#define WSR_VERSION_PATCH 0

/** Outcome of a call. Numbers are part of the ABI and never reused. */
typedef enum wsr_status {
    WSR_OK = 0,          /**< done */
    WSR_NOMEM = 1,       /**< memory could not be had */
    WSR_ARG = 2,         /**< an argument of the call is not permitted */
    WSR_CONFIG = 3,      /**< a configuration key or value is not permitted */
    WSR_NOTFOUND = 4,    /**< a named thing does not exist */
    WSR_IO = 5,          /**< the operating system refused reading or writing */
    WSR_FORMAT = 6,      /**< a file is not what it should be */
    WSR_SHAPE = 7,       /**< tensor shapes do not fit each other */
    WSR_UNSUPPORTED = 8, /**< meaningful, but not built in */
    WSR_NUMERIC = 9,     /**< a NaN or an infinity turned up */
    WSR_CANCELED = 10,   /**< the caller asked to stop */
    WSR_BACKEND = 11,    /**< oneDNN reported a failure */
    WSR_INTERNAL = 12,   /**< a broken promise of the library itself */
    WSR_BUSY = 13        /**< another process holds it */
} wsr_status;

/**
 * Name a status code.
 *
 * @param status any value
 * @returns [borrowed, static] lower-case words, "unknown status" for others
 */
WSR_API const char *wsr_status_string(wsr_status status);

/**
 * Detail of the last failure on the calling thread.
 *
 * @returns [borrowed] one line without a full stop; undefined after success
 */
WSR_API const char *wsr_error_detail(void);

/**
 * Version of the library as text.
 *
 * @returns [borrowed, static] "major.minor.patch"
 */
WSR_API const char *wsr_version(void);

/**
 * Describe how the library was built and what it runs on: version, oneDNN
 * version, instruction set of the native kernels, number of threads.
 *
 * @returns [borrowed, static] one line
 */
WSR_API const char *wsr_build_info(void);

/**
 * Set the number of threads that kernels use, in all threads that call them.
 *
 * A plan keeps the number that held when it was made.
 *
 * Results may differ in the last bits between thread counts, since oneDNN's
 * reductions do; they are repeatable for one count.
 *
 * @param threads at least 1; 0 takes the number of processors permitted
 */
WSR_API void wsr_set_threads(size_t threads);

/**
 * Number of threads that kernels use.
 *
 * @returns at least 1
 */
WSR_API size_t wsr_threads(void);

/** Release a text that the library handed out as owned; NULL is legal. */
WSR_API void wsr_text_free(char *text);

/**
 * Write a value so that it means itself in option text, "key=value,...", and
 * in specs, "name:key=value" and "idx:IMAGES,LABELS". Everywhere there double
 * quotes around a part of a text, or a backslash before one of `, [ ] " \`,
 * make these characters mean themselves; other backslashes are plain. Inside
 * [brackets] texts stay as they are, for the parser of the list.
 *
 * @param out [out, owned] release with wsr_text_free(); the value itself when
 *        it needs no quotes
 * @param value [borrowed] a path, say
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_option_quote(char **out, const char *value);

/** Memory functions, see wsr_set_allocator(). */
typedef struct wsr_allocator {
    /** Return `size` bytes aligned to `align`, or NULL. */
    void *(*allocate)(void *user, size_t size, size_t align);
    /** Release what allocate returned; never called with NULL. */
    void (*release)(void *user, void *ptr);
    /** Passed on unchanged. */
    void *user;
} wsr_allocator;

/**
 * Replace the allocator of the whole library.
 *
 * Call it before anything else: memory is released by the allocator in force
 * at that time.
 *
 * @param allocator [copied] NULL restores the default
 */
WSR_API void wsr_set_allocator(const wsr_allocator *allocator);

/** Importance of a log line. */
typedef enum wsr_log_level {
    WSR_LOG_DEBUG = 0,  /**< for those who work on the library */
    WSR_LOG_INFO = 1,   /**< progress */
    WSR_LOG_WARNING = 2 /**< a result may not mean what it seems to mean */
} wsr_log_level;

/** Receives a log line without a line feed. */
typedef void (*wsr_log_hook)(wsr_log_level level, const char *line, void *user);

/**
 * Receive the library's log lines. Without a hook they are dropped.
 *
 * @param hook NULL turns logging off
 * @param user [borrowed] passed on unchanged
 */
WSR_API void wsr_set_log_hook(wsr_log_hook hook, void *user);

#ifdef __cplusplus
}
#endif

#endif
