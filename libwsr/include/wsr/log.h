// SPDX-License-Identifier: Apache-2.0
//
// Reading the log of a run, `log.jsonl`, and what the programs print with
// --json: one JSON object a line, see docs/json.md.
//
//     wsr_log_reader_open(&log, "DIR/log.jsonl");
//     while (wsr_log_reader_next(&more, log) == WSR_OK && more) {
//         if (strcmp(wsr_log_reader_event(log), "epoch") == 0) {
//             printf("%g %g\n", wsr_log_reader_number(log, "epoch"),
//                    wsr_log_reader_number(log, "loss"));
//         }
//     }
//     wsr_log_reader_close(log);

#ifndef WSR_LOG_H
#define WSR_LOG_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A log that is read line by line. Belongs to one thread at a time. */
typedef struct wsr_log_reader wsr_log_reader;

/**
 * Open a log before its first line. What is appended later is not seen.
 *
 * @param out [out, owned] NULL on failure
 * @param path [borrowed] of a file of at most 1 GiB; the run may be going on
 * @returns WSR_IO when it cannot be read; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_log_reader_open(wsr_log_reader **out,
                                                    const char *path);

/** Close a log; NULL is legal. */
WSR_API void wsr_log_reader_close(wsr_log_reader *log);

/**
 * Go to the next line. Blank lines are passed over, and so is a last line that
 * was cut off.
 *
 * @param more [out] false: there was no further line
 * @param log a log
 * @returns WSR_FORMAT, naming the line, for one that is not a JSON object; the
 *          call after that reads the line behind it; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_log_reader_next(bool *more,
                                                    wsr_log_reader *log);

/** Number of the current line, from 1; 0 before the first. */
WSR_API size_t wsr_log_reader_line(const wsr_log_reader *log);

/**
 * What the current line reports.
 *
 * @returns [borrowed until the next line] "epoch"; "" when it does not say
 */
WSR_API const char *wsr_log_reader_event(const wsr_log_reader *log);

/**
 * A number of the current line.
 *
 * @param key [borrowed] "loss"; a member of an object is "object.member"
 * @returns not a number (NAN) when there is none: also for null, which stands
 *          for a number that was not finite
 */
WSR_API double wsr_log_reader_number(const wsr_log_reader *log,
                                     const char *key);

/**
 * A text of the current line.
 *
 * @param key [borrowed] as above
 * @returns [borrowed until the next line] NULL when there is none
 */
WSR_API const char *wsr_log_reader_text(const wsr_log_reader *log,
                                        const char *key);

/** Length of a list of the current line. @returns 0 when there is none */
WSR_API size_t wsr_log_reader_length(const wsr_log_reader *log,
                                     const char *key);

/**
 * A number of a list of the current line.
 *
 * @returns not a number (NAN) beyond the end, and for what is no number
 */
WSR_API double wsr_log_reader_item(const wsr_log_reader *log, const char *key,
                                   size_t i);

/** Number of keys of the current line, the members of objects counted. */
WSR_API size_t wsr_log_reader_keys(const wsr_log_reader *log);

/**
 * Key number `i` of the current line, in the order of the line.
 *
 * @returns [borrowed until the next line] NULL beyond the end
 */
WSR_API const char *wsr_log_reader_key(const wsr_log_reader *log, size_t i);

#ifdef __cplusplus
}
#endif

#endif
