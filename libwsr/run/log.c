// SPDX-License-Identifier: Apache-2.0
//
// The log of a run. A line is written in one piece and flushed, so that a
// process may be killed at any instant and leaves at most one broken line at
// the end, which the next one cuts off together with all that the checkpoint
// does not know of.

#include "run/run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct wsr__run_log {
    FILE *stream;
    char *path;
    uint64_t lines;
    wsr__json *line; // begun and not ended
};

static wsr_status write_failure(const wsr__run_log *log)
{
    return wsr__fail_errno(log->path, errno);
}

// Bytes of the first `keep` lines of a file that is open for reading.
static wsr_status measure(off_t *bytes, FILE *stream, const char *path,
                          uint64_t keep)
{
    uint64_t lines = 0;
    *bytes = 0;
    while (lines < keep) {
        const int c = getc(stream);
        if (c == EOF) {
            return WSR_FAIL(
                WSR_FORMAT, "%s: has %llu lines, the checkpoint knows %llu",
                path, (unsigned long long)lines, (unsigned long long)keep);
        }
        (*bytes)++;
        lines += c == '\n';
    }
    return WSR_OK;
}

static wsr_status cut(wsr__run_log *log, uint64_t keep)
{
    wsr_status status = WSR_OK;
    off_t bytes = 0;
    log->stream = fopen(log->path, keep > 0 ? "r+b" : "wb");
    if (log->stream == NULL) {
        status = write_failure(log);
        goto out;
    }
    WSR_TRY(measure(&bytes, log->stream, log->path, keep));
    if (fseeko(log->stream, bytes, SEEK_SET) != 0 ||
        ftruncate(fileno(log->stream), bytes) != 0) {
        status = write_failure(log);
        goto out;
    }
    log->lines = keep;
out:
    return status;
}

wsr_status wsr__run_log_open(wsr__run_log **out, const char *path,
                             uint64_t keep)
{
    wsr_status status = WSR_OK;
    wsr__run_log *log = wsr__alloc(1, sizeof(*log));
    *out = NULL;
    if (log == NULL) {
        return WSR_NOMEM;
    }
    log->path = wsr__strdup(path);
    if (log->path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(cut(log, keep));
    *out = log;
    log = NULL;
out:
    wsr__run_log_close(log);
    return status;
}

void wsr__run_log_close(wsr__run_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->stream != NULL) {
        // Every line was flushed and checked when it was written.
        (void)fclose(log->stream);
    }
    wsr__json_free(log->line);
    wsr__free(log->path);
    wsr__free(log);
}

wsr_status wsr__run_log_begin(wsr__json **line, wsr__run_log *log,
                              const char *event)
{
    wsr_status status = WSR_OK;
    *line = NULL;
    wsr__json_free(log->line);
    log->line = NULL;
    WSR_TRY(wsr__json_new(&log->line));
    wsr__json_text(log->line, "event", event);
    *line = log->line;
out:
    return status;
}

static wsr_status put_line(wsr__run_log *log, const wsr__str *text)
{
    const wsr_status status = wsr__str_status(text);
    if (status != WSR_OK) {
        return status;
    }
    if (fwrite(text->s, 1, text->len, log->stream) != text->len ||
        fflush(log->stream) != 0) {
        return write_failure(log);
    }
    log->lines++;
    return WSR_OK;
}

wsr_status wsr__run_log_end(wsr__run_log *log)
{
    wsr_status status = WSR_OK;
    char *json = NULL;
    wsr__str text = {0};
    WSR_TRY(wsr__json_line(&json, log->line));
    wsr__str_addf(&text, "%s\n", json);
    WSR_TRY(put_line(log, &text));
out:
    wsr__str_free(&text);
    wsr_text_free(json);
    wsr__json_free(log->line);
    log->line = NULL;
    return status;
}

wsr_status wsr__run_log_text(wsr__run_log *log, const char *text)
{
    wsr__str line = {0};
    wsr__str_addf(&line, "%s\n", text);
    const wsr_status status = put_line(log, &line);
    wsr__str_free(&line);
    return status;
}

wsr_status wsr__run_log_sync(wsr__run_log *log)
{
    // A pipe or a terminal cannot be synced and need not be.
    if (fsync(fileno(log->stream)) != 0 && errno != EINVAL) {
        return write_failure(log);
    }
    return WSR_OK;
}

uint64_t wsr__run_log_lines(const wsr__run_log *log)
{
    return log->lines;
}
