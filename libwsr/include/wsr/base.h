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
/** A function that the library exports. */
#define WSR_API __attribute__((visibility("default")))
/** The caller must use what the function returns. */
#define WSR_MUST_USE __attribute__((warn_unused_result))
#else
#define WSR_API
#define WSR_MUST_USE
#endif

#define WSR_VERSION_MAJOR 0 /**< of these headers: major.minor.patch */
#define WSR_VERSION_MINOR 1 /**< likewise */
#define WSR_VERSION_PATCH 0 /**< likewise */

/** The version as one number, which grows with it: 0.1.0 is 100. */
#define WSR_VERSION_NUMBER \
    (WSR_VERSION_MAJOR * 10000 + WSR_VERSION_MINOR * 100 + WSR_VERSION_PATCH)

/** Whether the headers are of this version or later, for the preprocessor. */
#define WSR_VERSION_AT_LEAST(major, minor, patch) \
    (WSR_VERSION_NUMBER >= (major)*10000 + (minor)*100 + (patch))

/** Outcome of a call. Numbers are part of the ABI and never reused. */
typedef enum wsr_status {
    WSR_OK = 0,          /**< done */
    WSR_NOMEM = 1,       /**< an allocation failed */
    WSR_ARG = 2,         /**< an argument of the call is not permitted */
    WSR_CONFIG = 3,      /**< a configuration key or value is not permitted */
    WSR_NOTFOUND = 4,    /**< a named thing does not exist */
    WSR_IO = 5,          /**< the operating system refused reading or writing */
    WSR_FORMAT = 6,      /**< the content of a file is not valid */
    WSR_SHAPE = 7,       /**< tensor shapes do not fit each other */
    WSR_UNSUPPORTED = 8, /**< valid, but this build cannot do it */
    WSR_NUMERIC = 9,     /**< a number is NaN or infinite */
    WSR_CANCELED = 10,   /**< the caller asked to stop */
    WSR_BACKEND = 11,    /**< oneDNN reported a failure */
    WSR_INTERNAL = 12,   /**< an error in the library itself */
    WSR_BUSY = 13        /**< another process uses the folder */
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
 * Version of the library as a number. A program that was compiled with the
 * headers of one version and runs with the library of another one can compare
 * it with WSR_VERSION_NUMBER; see docs/abi.md for which versions go together.
 *
 * @returns WSR_VERSION_NUMBER of the headers that the library was built with
 */
WSR_API unsigned wsr_version_number(void);

/**
 * Describe how the library was built and what it runs on: version, oneDNN
 * version, instruction set of the native kernels, number of threads.
 *
 * @returns [borrowed, static] one line
 */
WSR_API const char *wsr_build_info(void);

/**
 * Set the number of threads that kernels use. The number holds for the whole
 * process. A plan keeps the number that was set when the plan was made.
 *
 * Results are repeatable for one number of threads. They may differ in the last
 * bits between two numbers, since oneDNN's reductions do.
 *
 * @param threads at least 1; 0 takes the number of processors that the process
 *        may use
 */
WSR_API void wsr_set_threads(size_t threads);

/**
 * Number of threads that kernels use.
 *
 * @returns at least 1
 */
WSR_API size_t wsr_threads(void);

/** Release a text that a function returned as [owned]; NULL is legal. */
WSR_API void wsr_text_free(char *text);

/**
 * Quote a value for use in option text ("key=value,...") and in specs
 * ("name:key=value", "idx:IMAGES,LABELS"). In these texts the characters
 * `, [ ] "` and the backslash have a meaning unless they stand in double quotes
 * or follow a backslash. A backslash before any other character is an ordinary
 * character. Text inside [brackets] keeps its quotes, because the parser of the
 * list reads them.
 *
 * @param out [out, owned] the quoted value, or a copy of the value when it
 * needs no quotes; release with wsr_text_free()
 * @param value [borrowed] such as a path
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_option_quote(char **out, const char *value);

/** Allocation functions of the caller, see wsr_set_allocator(). */
typedef struct wsr_allocator {
    /** Return `size` bytes aligned to `align`, or NULL. */
    void *(*allocate)(void *user, size_t size, size_t align);
    /** Release a block that allocate returned; never called with NULL. */
    void (*release)(void *user, void *ptr);
    /** Pointer that the library passes to both functions. */
    void *user;
} wsr_allocator;

/**
 * Replace the allocator of the whole library.
 *
 * Call it before any other function: a block is released by the allocator that
 * is set at that time, which must be the one that allocated it.
 *
 * @param allocator [copied] NULL restores the default
 */
WSR_API void wsr_set_allocator(const wsr_allocator *allocator);

/** Importance of a log line. */
typedef enum wsr_log_level {
    WSR_LOG_DEBUG = 0,  /**< for developers of the library */
    WSR_LOG_INFO = 1,   /**< progress */
    WSR_LOG_WARNING = 2 /**< a result may be misleading */
} wsr_log_level;

/** Function of the caller that receives a log line, without a line feed. */
typedef void (*wsr_log_hook)(wsr_log_level level, const char *line, void *user);

/**
 * Set the function that receives the library's log lines. Without a hook the
 * library drops them.
 *
 * @param hook NULL removes the hook
 * @param user [borrowed] the library passes it to the hook
 */
WSR_API void wsr_set_log_hook(wsr_log_hook hook, void *user);

#ifdef __cplusplus
}
#endif

#endif
