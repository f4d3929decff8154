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

/** A reader of a log, line by line. One thread at a time may use it. */
typedef struct wsr_log_reader wsr_log_reader;

/**
 * Open a log, positioned before its first line. The reader does not see lines
 * that are appended after this call.
 *
 * @param out [out, owned] NULL on failure
 * @param path [borrowed] path of a file of at most 1 GiB; a run may be writing
 *        to it
 * @returns WSR_IO when it cannot be read; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_log_reader_open(wsr_log_reader **out,
                                                    const char *path);

/** Close a log; NULL is legal. */
WSR_API void wsr_log_reader_close(wsr_log_reader *log);

/**
 * Go to the next line. The reader skips blank lines and an incomplete last
 * line.
 *
 * @param more [out] true when there was a next line
 * @param log a reader
 * @returns WSR_FORMAT, naming the line, for a line that is not a JSON object;
 *          the next call then reads the line after it; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_log_reader_next(bool *more,
                                                    wsr_log_reader *log);

/** Number of the current line, from 1; 0 before the first. */
WSR_API size_t wsr_log_reader_line(const wsr_log_reader *log);

/**
 * Event of the current line (docs/json.md).
 *
 * @returns [borrowed until the next line] such as "epoch"; "" when the line has
 *          no event
 */
WSR_API const char *wsr_log_reader_event(const wsr_log_reader *log);

/**
 * A number of the current line.
 *
 * @param log a reader
 * @param key [borrowed] such as "loss"; "object.member" for a member of an
 *        object
 * @returns NAN when the line has no such number, and when it is null, which
 *          logs write for a number that is not finite
 */
WSR_API double wsr_log_reader_number(const wsr_log_reader *log,
                                     const char *key);

/**
 * A text of the current line.
 *
 * @param log a reader
 * @param key [borrowed] as for wsr_log_reader_number()
 * @returns [borrowed until the next line] NULL when the line has no such text
 */
WSR_API const char *wsr_log_reader_text(const wsr_log_reader *log,
                                        const char *key);

/**
 * Length of a list of the current line.
 *
 * @param log a reader
 * @param key [borrowed] name of a field
 * @returns 0 when it has no such list
 */
WSR_API size_t wsr_log_reader_length(const wsr_log_reader *log,
                                     const char *key);

/**
 * A number of a list of the current line.
 *
 * @param log a reader
 * @param key [borrowed] name of a field
 * @param i number of the item, from 0
 * @returns NAN beyond the end, and for an item that is not a number
 */
WSR_API double wsr_log_reader_item(const wsr_log_reader *log, const char *key,
                                   size_t i);

/** Number of keys of the current line, including the members of objects. */
WSR_API size_t wsr_log_reader_keys(const wsr_log_reader *log);

/**
 * Key number `i` of the current line, in the order of the line.
 *
 * @param log a reader
 * @param i number of the field, from 0
 * @returns [borrowed until the next line] NULL beyond the end
 */
WSR_API const char *wsr_log_reader_key(const wsr_log_reader *log, size_t i);

#ifdef __cplusplus
}
#endif

#endif
