// SPDX-License-Identifier: Apache-2.0
//
// Reading logs of JSON objects, one a line. The members of an object inside a
// line are fields of the line under dotted keys; objects inside those are not
// looked into. A log that is being written may end in half a line.

#include "wsr/log.h"

#include "io/format.h"
#include "io/io.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { LOG_SIZE = 1 << 30 }; // bytes

typedef struct field {
    char *key;
    const json_t *value; // of the line
} field;

struct wsr_log_reader {
    char *path;
    char *text;
    size_t size;
    size_t at; // where the next line begins
    size_t number;
    json_t *line;
    field *fields;
    size_t n;
    size_t capacity;
};

// The whole file is read at once: what a run appends later is not seen, and a
// line does not change while it is looked into.
wsr_status wsr_log_reader_open(wsr_log_reader **out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *text = NULL;
    wsr_log_reader *log = wsr__alloc(1, sizeof(*log));
    *out = NULL;
    if (log == NULL) {
        return WSR_NOMEM;
    }
    log->path = wsr__strdup(path);
    if (log->path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__file_read(&text, &log->size, path, LOG_SIZE));
    log->text = (char *)text;
    *out = log;
    log = NULL;
out:
    wsr_log_reader_close(log);
    return status;
}

static void drop_line(wsr_log_reader *log)
{
    for (size_t i = 0; i < log->n; i++) {
        wsr__free(log->fields[i].key);
    }
    log->n = 0;
    json_decref(log->line);
    log->line = NULL;
}

void wsr_log_reader_close(wsr_log_reader *log)
{
    if (log != NULL) {
        drop_line(log);
        wsr__free(log->fields);
        wsr__free(log->text);
        wsr__free(log->path);
        wsr__free(log);
    }
}

// -------------------------------------------------------------------- lines

// Takes a value that the line keeps.
static wsr_status add_field(wsr_log_reader *log, const char *object,
                            const char *key, const json_t *value)
{
    wsr_status status = WSR_OK;
    wsr__str full = {0};
    void *fields = log->fields;
    status =
        wsr__reserve(&fields, &log->capacity, log->n + 1, sizeof(*log->fields));
    log->fields = fields;
    WSR_TRY(status);
    wsr__str_addf(&full, "%s%s%s", object, object[0] != '\0' ? "." : "", key);
    WSR_TRY(wsr__str_give(&log->fields[log->n].key, &full));
    log->fields[log->n++].value = value;
out:
    wsr__str_free(&full);
    return status;
}

static wsr_status add_members(wsr_log_reader *log, const char *object,
                              json_t *members)
{
    wsr_status status = WSR_OK;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(members, key, value)
    {
        WSR_TRY(add_field(log, object, key, value));
    }
out:
    return status;
}

// An object inside the line becomes fields under dotted keys, one level deep.
static wsr_status add_fields(wsr_log_reader *log)
{
    wsr_status status = WSR_OK;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(log->line, key, value)
    {
        WSR_TRY(json_is_object(value) ? add_members(log, key, value)
                                      : add_field(log, "", key, value));
    }
out:
    return status;
}

// `ended`: a line feed follows it.
static wsr_status parse(wsr_log_reader *log, const char *text, size_t size,
                        bool ended)
{
    json_error_t error;
    bool shortage = false;
    json_t *const line = wsr__json_parse(&shortage, text, size, 0, &error);
    if (shortage) {
        return WSR_FAIL(WSR_NOMEM, "out of memory: the log (%s:%zu)", log->path,
                        log->number);
    }
    if (json_is_object(line)) {
        log->line = line;
        return add_fields(log);
    }
    json_decref(line);
    return ended ? WSR_FAIL(WSR_FORMAT,
                            "log: a line is not a JSON object (%s:%zu)",
                            log->path, log->number)
                 : WSR_OK;
}

// Carriage returns count as blanks: logs may have come by way of Windows.
static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

// A line that is wrong counts as read, so that the caller may go on.
wsr_status wsr_log_reader_next(bool *more, wsr_log_reader *log)
{
    wsr_status status = WSR_OK;
    drop_line(log);
    *more = false;
    while (status == WSR_OK && log->line == NULL && log->at < log->size) {
        const char *const text = log->text + log->at;
        const size_t left = log->size - log->at;
        const char *const feed = memchr(text, '\n', left);
        const size_t size = feed == NULL ? left : (size_t)(feed - text);
        log->at += feed == NULL ? size : size + 1;
        log->number++;
        if (!is_blank(text, size)) {
            status = parse(log, text, size, feed != NULL);
        }
    }
    *more = status == WSR_OK && log->line != NULL;
    return status;
}

size_t wsr_log_reader_line(const wsr_log_reader *log)
{
    return log->number;
}

// ------------------------------------------------------------------- fields

// Lines have a few dozen fields at most.
static const json_t *find(const wsr_log_reader *log, const char *key)
{
    for (size_t i = 0; i < log->n; i++) {
        if (wsr__streq(log->fields[i].key, key)) {
            return log->fields[i].value;
        }
    }
    return NULL;
}

// NaN stands for a missing field and for one of another type alike.
static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *wsr_log_reader_event(const wsr_log_reader *log)
{
    const char *const event = wsr_log_reader_text(log, "event");
    return event != NULL ? event : "";
}

double wsr_log_reader_number(const wsr_log_reader *log, const char *key)
{
    return number_of(find(log, key));
}

const char *wsr_log_reader_text(const wsr_log_reader *log, const char *key)
{
    return json_string_value(find(log, key));
}

size_t wsr_log_reader_length(const wsr_log_reader *log, const char *key)
{
    return json_array_size(find(log, key));
}

double wsr_log_reader_item(const wsr_log_reader *log, const char *key, size_t i)
{
    return number_of(json_array_get(find(log, key), i));
}

size_t wsr_log_reader_keys(const wsr_log_reader *log)
{
    return log->n;
}

const char *wsr_log_reader_key(const wsr_log_reader *log, size_t i)
{
    return i < log->n ? log->fields[i].key : NULL;
}
