// SPDX-License-Identifier: Apache-2.0
//
// One value of each kind as text: decoding with checks, and printing what
// decodes to the same value again. A failure says only what is wrong with the
// value ("0 is outside [1, 1000]"); the caller knows the key and the place.

#include "base/param.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { PIECE_SIZE = 64 };

// A schema leaves both bounds 0 where any number will do.
static bool is_bounded(const wsr__option *option)
{
    return option->min != 0.0 || option->max != 0.0;
}

static wsr_status fail_bounds(const wsr__option *option, const char *text)
{
    char min[32];
    char max[32];
    wsr__format_double(min, option->min);
    wsr__format_double(max, option->max);
    return WSR_FAIL(WSR_CONFIG, "%.80s is outside [%s, %s]", text, min, max);
}

// The text is shown as it was written, "8/255" and not 0.0313725. A NaN is
// inside no bounds, and the decoders let none through anyway.
static wsr_status check_bounds(const wsr__option *option, double value,
                               const char *text)
{
    const bool inside = value >= option->min && value <= option->max;
    return !is_bounded(option) || inside ? WSR_OK : fail_bounds(option, text);
}

// The words of YAML 1.1, in lower case, and 0 and 1.
static wsr_status decode_bool(void *field, const wsr__option *option,
                              const char *text)
{
    (void)option;
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (wsr__streq(text, yes[i]) || wsr__streq(text, no[i])) {
            *(bool *)field = wsr__streq(text, yes[i]);
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_CONFIG, "'%s' is neither true nor false", text);
}

// One sign, then digits only: strtoll() would also take blanks in front.
static bool is_whole(const char *text)
{
    const size_t sign = text[0] == '+' || text[0] == '-';
    const size_t n = strspn(text + sign, "0123456789");
    return n > 0 && text[sign + n] == '\0';
}

// For a whole number of more than 64 bits: it is beyond any bounds as well.
static wsr_status out_of_range(const wsr__option *option, const char *text)
{
    if (is_bounded(option)) {
        return fail_bounds(option, text);
    }
    return WSR_FAIL(WSR_CONFIG, "%.80s has more than 64 bits", text);
}

// The comparison with bounds is made in double: bounds are small enough to be
// exact there.
static wsr_status decode_int(void *field, const wsr__option *option,
                             const char *text)
{
    int64_t value = 0;
    if (!is_whole(text)) {
        return WSR_FAIL(WSR_CONFIG, "'%.80s' is not a whole number", text);
    }
    if (!wsr__parse_int(&value, text)) {
        return out_of_range(option, text);
    }
    const wsr_status status = check_bounds(option, (double)value, text);
    if (status == WSR_OK) {
        *(int64_t *)field = value;
    }
    return status;
}

// Attack strengths are customarily written as "8/255". False when the text is
// written like no number; a result that a double cannot hold is infinite or 0.
static bool parse_fraction(double *out, bool *zero, const char *text)
{
    const char *const slash = strchr(text, '/');
    char upper[PIECE_SIZE];
    const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    double denominator = 1.0;
    bool unused = false;
    if (len >= sizeof(upper)) {
        return false;
    }
    memcpy(upper, text, len);
    upper[len] = '\0';
    if (!wsr__parse_decimal(out, zero, upper) ||
        (slash != NULL &&
         !wsr__parse_decimal(&denominator, &unused, slash + 1)) ||
        denominator == 0.0) {
        return false;
    }
    *out /= denominator;
    return true;
}

// Numbers are used in single precision: one that becomes infinite there, or 0
// without being written so, is not what was asked for.
static bool is_single(double value, bool zero)
{
    const double half_of_least = 0x1p-150; // rounds to 0
    return fabs(value) <= (double)FLT_MAX &&
           (zero || fabs(value) > half_of_least);
}

static wsr_status decode_float(void *field, const wsr__option *option,
                               const char *text)
{
    double value = 0.0;
    bool zero = false;
    if (!parse_fraction(&value, &zero, text)) {
        return WSR_FAIL(WSR_CONFIG, "'%.80s' is not a number", text);
    }
    wsr_status status = check_bounds(option, value, text);
    if (status == WSR_OK && !is_single(value, zero)) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%.80s is neither 0 nor between 1.4e-45 and 3.4e+38 "
                          "in size",
                          text);
    }
    if (status == WSR_OK) {
        *(double *)field = value;
    }
    return status;
}

// Longer texts are refused rather than cut.
static wsr_status decode_text(void *field, const wsr__option *option,
                              const char *text)
{
    (void)option;
    if (strlen(text) >= WSR__TEXT_SIZE) {
        return WSR_FAIL(WSR_CONFIG, "%zu bytes are more than %d (%.40s...)",
                        strlen(text), WSR__TEXT_SIZE - 1, text);
    }
    wsr__text *const held = field;
    memset(held, 0, sizeof(*held)); // params are compared and hashed as bytes
    memcpy(held->s, text, strlen(text));
    return WSR_OK;
}

// Words are few and fixed, such as "linf" and "l2"; the field holds the word
// itself, so params print as they were written.
static wsr_status decode_word(void *field, const wsr__option *option,
                              const char *text)
{
    size_t n = 0;
    for (; option->words[n] != NULL; n++) {
        if (wsr__streq(text, option->words[n])) {
            return decode_text(field, option, text);
        }
    }
    const char *const near = wsr__suggest(text, option->words, n);
    if (near != NULL) {
        return WSR_FAIL(WSR_CONFIG, "'%s' is not permitted, did you mean '%s'",
                        text, near);
    }
    wsr__str all = {0};
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&all, "%s%s", i == 0 ? "" : ", ", option->words[i]);
    }
    const wsr_status status =
        all.failed ? WSR_NOMEM
                   : WSR_FAIL(WSR_CONFIG, "'%s' is not one of %s", text,
                              n == 0 ? "nothing" : all.s);
    wsr__str_free(&all);
    return status;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

// Cut the next element, without blanks around it, out of a list; `*rest`
// moves behind its comma, or to NULL after the last one.
static wsr_status next_piece(char piece[PIECE_SIZE], const char **rest)
{
    const char *begin = *rest;
    const char *const comma = strchr(begin, ',');
    const char *end = comma != NULL ? comma : begin + strlen(begin);
    *rest = comma != NULL ? comma + 1 : NULL;
    while (begin < end && is_space(*begin)) {
        begin++;
    }
    while (end > begin && is_space(end[-1])) {
        end--;
    }
    const size_t len = (size_t)(end - begin);
    if (len >= PIECE_SIZE) {
        return WSR_FAIL(WSR_CONFIG, "'%.40s...' is not a number", begin);
    }
    memcpy(piece, begin, len);
    piece[len] = '\0';
    return WSR_OK;
}

// What is inside the optional brackets.
static wsr_status strip_brackets(wsr__text *inner, const char *text)
{
    const size_t len = strlen(text);
    if (len >= WSR__TEXT_SIZE) {
        return WSR_FAIL(WSR_CONFIG, "'%.40s...' is too long for a list", text);
    }
    const bool opened = len > 0 && text[0] == '[';
    const bool closed = len > 0 && text[len - 1] == ']';
    if (opened != closed || (opened && len < 2)) {
        return WSR_FAIL(WSR_CONFIG, "'%s' has only one of its brackets", text);
    }
    const size_t cut = opened ? 1 : 0;
    memcpy(inner->s, text + cut, len - 2 * cut);
    inner->s[len - 2 * cut] = '\0';
    return WSR_OK;
}

// `field` is written on success only, so that params keep their old value when
// a new one is refused.
typedef wsr_status (*decode_function)(void *field, const wsr__option *option,
                                      const char *text);

// Decode a list of elements of `size` bytes.
static wsr_status decode_list(size_t *n, void *elements, size_t size,
                              decode_function decode, const wsr__option *option,
                              const char *text)
{
    wsr_status status = WSR_OK;
    wsr__text inner;
    char piece[PIECE_SIZE];
    *n = 0;
    WSR_TRY(strip_brackets(&inner, text));
    if (inner.s[strspn(inner.s, " \t")] == '\0') {
        goto out;
    }
    for (const char *rest = inner.s; rest != NULL; (*n)++) {
        if (*n == WSR__LIST_SIZE) {
            status = WSR_FAIL(WSR_CONFIG, "a list of more than %d values",
                              WSR__LIST_SIZE);
            goto out;
        }
        WSR_TRY(next_piece(piece, &rest));
        WSR_TRY(decode((char *)elements + *n * size, option, piece));
    }
out:
    return status;
}

// Decoded aside and copied as a whole: the unused rest of the array is zeros,
// and params can be compared as bytes.
static wsr_status decode_floats(void *field, const wsr__option *option,
                                const char *text)
{
    wsr__floats fresh = {0};
    const wsr_status status = decode_list(&fresh.n, fresh.v, sizeof(fresh.v[0]),
                                          decode_float, option, text);
    if (status == WSR_OK) {
        memcpy(field, &fresh, sizeof(fresh));
    }
    return status;
}

static wsr_status decode_ints(void *field, const wsr__option *option,
                              const char *text)
{
    wsr__ints fresh = {0};
    const wsr_status status = decode_list(&fresh.n, fresh.v, sizeof(fresh.v[0]),
                                          decode_int, option, text);
    if (status == WSR_OK) {
        memcpy(field, &fresh, sizeof(fresh));
    }
    return status;
}

static void print_bool(wsr__str *out, const void *field)
{
    wsr__str_add(out, *(const bool *)field ? "true" : "false");
}

static void print_int(wsr__str *out, const void *field)
{
    wsr__str_addf(out, "%" PRId64, *(const int64_t *)field);
}

// The shortest text that reads back to the same double.
static void print_float(wsr__str *out, const void *field)
{
    char text[32];
    wsr__format_double(text, *(const double *)field);
    wsr__str_add(out, text);
}

static void print_text(wsr__str *out, const void *field)
{
    wsr__str_add(out, ((const wsr__text *)field)->s);
}

// With brackets always, so that a list of one is still a list when it is read.
static void print_floats(wsr__str *out, const void *field)
{
    const wsr__floats *const list = field;
    for (size_t i = 0; i < list->n; i++) {
        wsr__str_add(out, i == 0 ? "[" : ", ");
        print_float(out, &list->v[i]);
    }
    wsr__str_add(out, list->n == 0 ? "[]" : "]");
}

static void print_ints(wsr__str *out, const void *field)
{
    const wsr__ints *const list = field;
    for (size_t i = 0; i < list->n; i++) {
        wsr__str_add(out, i == 0 ? "[" : ", ");
        print_int(out, &list->v[i]);
    }
    wsr__str_add(out, list->n == 0 ? "[]" : "]");
}

static const struct {
    decode_function decode;
    void (*print)(wsr__str *out, const void *field);
} kinds[] = {
    [WSR__BOOL] = {decode_bool, print_bool},
    [WSR__INT] = {decode_int, print_int},
    [WSR__FLOAT] = {decode_float, print_float},
    [WSR__WORD] = {decode_word, print_text},
    [WSR__TEXT] = {decode_text, print_text},
    [WSR__FLOATS] = {decode_floats, print_floats},
    [WSR__INTS] = {decode_ints, print_ints},
};

// The kind of an option selects the pair of functions; adding a kind means
// adding a line to the table.
wsr_status wsr__value_decode(void *params, const wsr__option *option,
                             const char *text)
{
    void *const field = (char *)params + option->offset;
    return kinds[option->kind].decode(field, option, text);
}

void wsr__params_print(wsr__str *out, const void *params,
                       const wsr__option *option)
{
    kinds[option->kind].print(out, (const char *)params + option->offset);
}

// ------------------------------------------------------------------- checking

static wsr_status check_number(const wsr__option *option, double value)
{
    char text[32];
    wsr__format_double(text, value);
    return check_bounds(option, value, text);
}

static wsr_status check_floats(const wsr__option *option,
                               const wsr__floats *list)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < list->n && status == WSR_OK; i++) {
        status = check_number(option, list->v[i]);
    }
    return status;
}

static wsr_status check_ints(const wsr__option *option, const wsr__ints *list)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < list->n && status == WSR_OK; i++) {
        status = check_number(option, (double)list->v[i]);
    }
    return status;
}

wsr_status wsr__value_check(const wsr__option *option, const void *value)
{
    wsr__text unused;
    switch (option->kind) {
    case WSR__INT:
        return check_number(option, (double)*(const int64_t *)value);
    case WSR__FLOAT:
        return check_number(option, *(const double *)value);
    case WSR__WORD:
        return decode_word(&unused, option, ((const wsr__text *)value)->s);
    case WSR__FLOATS:
        return check_floats(option, value);
    case WSR__INTS:
        return check_ints(option, value);
    case WSR__BOOL:
    case WSR__TEXT:
    default:
        return WSR_OK;
    }
}
