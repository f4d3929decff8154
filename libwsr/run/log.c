// SPDX-License-Identifier: Apache-2.0
//
// The log of a run, JSON lines. A line is written in one piece and flushed. So
// a process that is killed leaves at most one incomplete line at the end; a
// resumed run cuts it off together with all lines that the checkpoint does not
// count.

#include "run/run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct wsr__run_log {
    FILE *stream; // NULL: the lines go to the reader alone
    char *path;   // NULL likewise
    uint64_t lines;
    wsr__json *line; // begun and not ended
    wsr__run_reader reader;
    void *ctx;
};

// errno must be that of the call before.
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

// Opens the file and truncates it to `keep` lines; 0 makes an empty file.
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
    if (path != NULL) {
        log->path = wsr__strdup(path);
        if (log->path == NULL) {
            status = WSR_NOMEM;
            goto out;
        }
        WSR_TRY(cut(log, keep));
    }
    *out = log;
    log = NULL;
out:
    wsr__run_log_close(log);
    return status;
}

// The next line of the file, without its line feed.
static wsr_status read_line(wsr__str *line, FILE *stream)
{
    line->len = 0;
    wsr__str_add(line, "");
    for (int c = getc(stream); c != '\n' && c != EOF; c = getc(stream)) {
        const char byte = (char)c;
        wsr__str_addn(line, &byte, 1);
    }
    return wsr__str_status(line);
}

// The reader gets the lines that the file holds already, then each new one.
wsr_status wsr__run_log_watch(wsr__run_log *log, wsr__run_reader reader,
                              void *ctx)
{
    wsr_status status = WSR_OK;
    wsr__str line = {0};
    off_t end = 0;
    log->reader = reader;
    log->ctx = ctx;
    if (reader == NULL || log->stream == NULL) {
        return WSR_OK;
    }
    end = ftello(log->stream);
    rewind(log->stream);
    for (uint64_t i = 0; i < log->lines; i++) {
        WSR_TRY(read_line(&line, log->stream));
        reader(line.s, ctx);
    }
    if (fseeko(log->stream, end, SEEK_SET) != 0) {
        status = write_failure(log);
    }
out:
    wsr__str_free(&line);
    return status;
}

// An unfinished line is dropped.
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

// A line that was begun and not ended, after an error, is dropped.
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

// The line feed is part of the same write.
static wsr_status put_line(wsr__run_log *log, wsr__str *text)
{
    const size_t n = text->len;
    wsr__str_add(text, "\n");
    const wsr_status status = wsr__str_status(text);
    if (status != WSR_OK) {
        return status;
    }
    if (log->stream != NULL &&
        (fwrite(text->s, 1, n + 1, log->stream) != n + 1 ||
         fflush(log->stream) != 0)) {
        return write_failure(log);
    }
    log->lines++;
    if (log->reader != NULL) {
        text->s[n] = '\0';
        log->reader(text->s, log->ctx);
    }
    return WSR_OK;
}

// The line is complete: write it, and drop the object in any case.
wsr_status wsr__run_log_end(wsr__run_log *log)
{
    wsr_status status = WSR_OK;
    char *json = NULL;
    wsr__str text = {0};
    WSR_TRY(wsr__json_line(&json, log->line));
    wsr__str_add(&text, json);
    WSR_TRY(put_line(log, &text));
out:
    wsr__str_free(&text);
    wsr_text_free(json);
    wsr__json_free(log->line);
    log->line = NULL;
    return status;
}

// Adds lines that are JSON already, such as those of wsr_eval_json().
wsr_status wsr__run_log_text(wsr__run_log *log, const char *text)
{
    wsr_status status = WSR_OK;
    wsr__str line = {0};
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        line.len = 0;
        wsr__str_addn(&line, text, n);
        WSR_TRY(put_line(log, &line));
        text += n + (text[n] == '\n');
    }
out:
    wsr__str_free(&line);
    return status;
}

// Called before a checkpoint. A pipe or a terminal cannot be synced and need
// not be.
wsr_status wsr__run_log_sync(wsr__run_log *log)
{
    // A pipe or a terminal cannot be synced and need not be.
    if (log->stream != NULL && fsync(fileno(log->stream)) != 0 &&
        errno != EINVAL) {
        return write_failure(log);
    }
    return WSR_OK;
}

// Number of complete lines, which a checkpoint records.
uint64_t wsr__run_log_lines(const wsr__run_log *log)
{
    return log->lines;
}
