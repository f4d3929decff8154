// SPDX-License-Identifier: Apache-2.0
//
// JSON objects of one line, for logs and results. Floats are written as the
// shortest decimal that reads back to the same float (0.06, not
// 0.059999998658895493); a number that is not finite becomes null.

#include "io/format.h"
#include "io/io.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

// Failures are kept until the line is asked for.
struct wsr__json {
    json_t *object;
    bool failed;  // memory ran short
    bool foreign; // a text is no UTF-8
};

wsr_status wsr__json_new(wsr__json **out)
{
    wsr__json *json = wsr__alloc(1, sizeof(*json));
    *out = NULL;
    if (json == NULL) {
        return WSR_NOMEM;
    }
    json->object = json_object();
    if (json->object == NULL) {
        wsr__free(json);
        return WSR_FAIL(WSR_NOMEM,
                        "out of memory: no JSON object could be had");
    }
    *out = json;
    return WSR_OK;
}

wsr_status wsr__json_event(wsr__json **out, const char *event)
{
    const wsr_status status = wsr__json_new(out);
    if (status == WSR_OK) {
        wsr__json_text(*out, "event", event);
    }
    return status;
}

void wsr__json_free(wsr__json *json)
{
    if (json != NULL) {
        json_decref(json->object);
        wsr__free(json);
    }
}

// Takes the value, also when it is NULL for want of memory.
static void put(wsr__json *json, const char *key, json_t *value)
{
    json->failed |= json_object_set_new(json->object, key, value) != 0;
}

void wsr__json_text(wsr__json *json, const char *key, const char *value)
{
    const size_t length = value == NULL ? 0 : strlen(value);
    errno = 0; // Jansson does not say why there is no text
    json_t *const text = value == NULL ? json_null() : json_string(value);
    json->foreign |= text == NULL && length > 0 && errno != ENOMEM;
    put(json, key, text);
}

void wsr__json_integer(wsr__json *json, const char *key, int64_t value)
{
    put(json, key, json_integer(value));
}

void wsr__json_bool(wsr__json *json, const char *key, bool value)
{
    put(json, key, json_boolean(value));
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

// By way of text: a double that prints as short as the float does.
static json_t *shortest(float value)
{
    char text[32];
    double decimal = 0;
    wsr__format_float(text, value);
    return wsr__parse_double(&decimal, text) ? number(decimal) : json_null();
}

void wsr__json_number(wsr__json *json, const char *key, double value)
{
    put(json, key, number(value));
}

void wsr__json_float(wsr__json *json, const char *key, float value)
{
    put(json, key, shortest(value));
}

// Each that is not finite becomes null.
void wsr__json_numbers(wsr__json *json, const char *key, const double *values,
                       size_t n)
{
    json_t *const list = json_array();
    for (size_t i = 0; i < n; i++) {
        json->failed |= json_array_append_new(list, number(values[i])) != 0;
    }
    put(json, key, list);
}

static int append(const char *text, size_t size, void *ctx)
{
    wsr__str *const line = ctx;
    wsr__str_addn(line, text, size);
    return line->failed ? -1 : 0;
}

// Jansson keeps the keys in the order in which they were added.
wsr_status wsr__json_line(char **out, const wsr__json *json)
{
    wsr__str line = {0};
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    *out = NULL;
    if (json->foreign) {
        return WSR_FAIL(WSR_ARG, "json: a text is no UTF-8");
    }
    if (json->failed ||
        json_dump_callback(json->object, append, &line, flags) != 0) {
        wsr__str_free(&line);
        return WSR_FAIL(WSR_NOMEM, "out of memory: a JSON line");
    }
    *out = line.s;
    return WSR_OK;
}

wsr_status wsr__json_add_line(wsr__str *out, const wsr__json *json)
{
    char *line = NULL;
    const wsr_status status = wsr__json_line(&line, json);
    if (status != WSR_OK) {
        return status;
    }
    wsr__str_addf(out, "%s\n", line);
    wsr_text_free(line);
    return wsr__str_status(out);
}

// ------------------------------------------------------------------ reading

typedef struct feed {
    const char *text;
    size_t left;
    bool shortage;
} feed;

// One byte at a time: a number behind the letter that was left out resets
// errno.
static size_t next_byte(void *buffer, size_t room, void *ctx)
{
    feed *const f = ctx;
    f->shortage |= errno == ENOMEM;
    if (room == 0 || f->left == 0 || f->shortage) {
        return f->shortage ? (size_t)-1 : 0;
    }
    memcpy(buffer, f->text, 1);
    f->text++;
    f->left--;
    return 1;
}

json_t *wsr__json_parse(bool *shortage, const char *text, size_t size,
                        size_t flags, json_error_t *error)
{
    feed f = {text, size, false};
    errno = 0;
    json_t *json = json_load_callback(next_byte, &f, flags, error);
    *shortage = f.shortage || errno == ENOMEM;
    if (*shortage) {
        json_decref(json);
        json = NULL;
    }
    return json;
}
