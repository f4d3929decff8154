// SPDX-License-Identifier: Apache-2.0
//
// The log of a run. A line is written in one piece and flushed, so that a
// process may be killed at any instant and leaves at most one broken line at
// the end, which the next one cuts off together with all that the checkpoint
// does not know of.

#include "train/train.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct wsr__journal {
    FILE *stream;
    char *path;
    uint64_t lines;
    wsr__json *line; // begun and not ended
};

static wsr_status write_failure(const wsr__journal *journal)
{
    return wsr__fail_errno(journal->path, errno);
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

static wsr_status cut(wsr__journal *journal, uint64_t keep)
{
    wsr_status status = WSR_OK;
    off_t bytes = 0;
    journal->stream = fopen(journal->path, keep > 0 ? "r+b" : "wb");
    if (journal->stream == NULL) {
        status = write_failure(journal);
        goto out;
    }
    WSR_TRY(measure(&bytes, journal->stream, journal->path, keep));
    if (fseeko(journal->stream, bytes, SEEK_SET) != 0 ||
        ftruncate(fileno(journal->stream), bytes) != 0) {
        status = write_failure(journal);
        goto out;
    }
    journal->lines = keep;
out:
    return status;
}

wsr_status wsr__journal_open(wsr__journal **out, const char *path,
                             uint64_t keep)
{
    wsr_status status = WSR_OK;
    wsr__journal *journal = wsr__alloc(1, sizeof(*journal));
    *out = NULL;
    if (journal == NULL) {
        return WSR_NOMEM;
    }
    journal->path = wsr__strdup(path);
    if (journal->path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(cut(journal, keep));
    *out = journal;
    journal = NULL;
out:
    wsr__journal_close(journal);
    return status;
}

void wsr__journal_close(wsr__journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->stream != NULL) {
        // Every line was flushed and checked when it was written.
        (void)fclose(journal->stream);
    }
    wsr__json_free(journal->line);
    wsr__free(journal->path);
    wsr__free(journal);
}

wsr_status wsr__journal_begin(wsr__json **line, wsr__journal *journal,
                              const char *event)
{
    wsr_status status = WSR_OK;
    *line = NULL;
    wsr__json_free(journal->line);
    journal->line = NULL;
    WSR_TRY(wsr__json_new(&journal->line));
    wsr__json_text(journal->line, "event", event);
    *line = journal->line;
out:
    return status;
}

static wsr_status put_line(wsr__journal *journal, const wsr__str *text)
{
    const wsr_status status = wsr__str_status(text);
    if (status != WSR_OK) {
        return status;
    }
    if (fwrite(text->s, 1, text->len, journal->stream) != text->len ||
        fflush(journal->stream) != 0) {
        return write_failure(journal);
    }
    journal->lines++;
    return WSR_OK;
}

wsr_status wsr__journal_end(wsr__journal *journal)
{
    wsr_status status = WSR_OK;
    char *json = NULL;
    wsr__str text = {0};
    WSR_TRY(wsr__json_line(&json, journal->line));
    wsr__str_addf(&text, "%s\n", json);
    WSR_TRY(put_line(journal, &text));
out:
    wsr__str_free(&text);
    wsr_text_free(json);
    wsr__json_free(journal->line);
    journal->line = NULL;
    return status;
}

wsr_status wsr__journal_text(wsr__journal *journal, const char *event,
                             const char *text)
{
    wsr__str line = {0};
    const bool empty = strcmp(text, "{}") == 0;
    wsr__str_addf(&line, "{\"event\":\"%s\"%s%s\n", event, empty ? "" : ",",
                  text + 1);
    const wsr_status status = put_line(journal, &line);
    wsr__str_free(&line);
    return status;
}

wsr_status wsr__journal_sync(wsr__journal *journal)
{
    // A pipe or a terminal cannot be synced and need not be.
    if (fsync(fileno(journal->stream)) != 0 && errno != EINVAL) {
        return write_failure(journal);
    }
    return WSR_OK;
}

uint64_t wsr__journal_lines(const wsr__journal *journal)
{
    return journal->lines;
}
