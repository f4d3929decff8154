// SPDX-License-Identifier: Apache-2.0
//
// Genotypes as DARTS-style programs write them into logs and sources:
//
//   NAME = Genotype(normal=[('sep_conv_3x3', 0), ...],
//                   normal_concat=range(2, 6), reduce=[...],
//                   reduce_concat=[2, 3, 4, 5])
//
// A reader of just that form, with Python's comments and either kind of quote
// and bracket; it is not an interpreter.

#include "space/space.h"

#include <string.h>

static const char opening[] = "Genotype(";

typedef struct reader {
    const char *text;
    const char *at;
    const char *where;
} reader;

// Line of the reader's position, counted when a message needs it.
static size_t line_of(const reader *r)
{
    size_t line = 1;
    for (const char *s = r->text; s < r->at; s++) {
        line += *s == '\n';
    }
    return line;
}

static wsr_status expected(const reader *r, const char *what)
{
    const char c = *r->at;
    if (c == '\0') {
        return WSR_FAIL(WSR_FORMAT, "%s is missing at the end (%s:%zu)", what,
                        r->where, line_of(r));
    }
    return WSR_FAIL(WSR_FORMAT, "%s is missing before '%c' (%s:%zu)", what, c,
                    r->where, line_of(r));
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static void skip_space(reader *r)
{
    for (;;) {
        r->at += strspn(r->at, " \t\r\n");
        if (*r->at != '#') {
            return;
        }
        r->at += strcspn(r->at, "\n");
    }
}

// Take one of `set` if it is next; yields what was taken, or NUL.
static char take(reader *r, const char *set)
{
    skip_space(r);
    if (*r->at == '\0' || strchr(set, *r->at) == NULL) {
        return '\0';
    }
    return *r->at++;
}

static wsr_status read_word(reader *r, char *out, size_t size)
{
    skip_space(r);
    size_t n = 0;
    while (is_word(r->at[n])) {
        n++;
    }
    if (n == 0 || n >= size) {
        return expected(r, "a word");
    }
    memcpy(out, r->at, n);
    out[n] = '\0';
    r->at += n;
    return WSR_OK;
}

static wsr_status read_int(reader *r, int64_t *out)
{
    char digits[24];
    size_t n = 0;
    skip_space(r);
    while (n + 1 < sizeof(digits) && ((r->at[n] >= '0' && r->at[n] <= '9') ||
                                      (n == 0 && r->at[n] == '-'))) {
        digits[n] = r->at[n];
        n++;
    }
    digits[n] = '\0';
    if (!wsr__parse_int(out, digits)) {
        return expected(r, "an integer");
    }
    r->at += n;
    return WSR_OK;
}

static wsr_status read_pair(reader *r, wsr__genotype_edge *out)
{
    wsr_status status = WSR_OK;
    const char open = take(r, "([");
    out->line = line_of(r);
    if (open == '\0') {
        return expected(r, "('operation', state)");
    }
    const char quote = take(r, "'\"");
    if (quote == '\0') {
        return expected(r, "a quote");
    }
    WSR_TRY(read_word(r, out->op, sizeof(out->op)));
    if (*r->at != quote) {
        status = expected(r, "a quote");
        goto out;
    }
    r->at++;
    if (take(r, ",") == '\0') {
        status = expected(r, "','");
        goto out;
    }
    WSR_TRY(read_int(r, &out->state));
    (void)take(r, ",");
    if (take(r, open == '(' ? ")" : "]") == '\0') {
        status = expected(r, open == '(' ? "')'" : "']'");
    }
out:
    return status;
}

// The comma or the closing bracket after an element. `*more` tells which.
static wsr_status read_gap(reader *r, bool *more, char close)
{
    const char set[] = {',', close, '\0'};
    const char got = take(r, set);
    *more = false;
    if (got == '\0') {
        return expected(r, close == ')' ? "',' or ')'" : "',' or ']'");
    }
    if (got == ',') {
        const char end[] = {close, '\0'};
        *more = take(r, end) == '\0'; // a trailing comma is fine
    }
    return WSR_OK;
}

static wsr_status read_edges(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    const char open = take(r, "([");
    bool more = true;
    out->line = line_of(r);
    if (open == '\0') {
        return expected(r, "'['");
    }
    while (more) {
        if (out->n_edges == WSR__GENOTYPE_EDGES) {
            status = WSR_FAIL(WSR_FORMAT, "more than %d pairs (%s:%zu)",
                              WSR__GENOTYPE_EDGES, r->where, line_of(r));
            goto out;
        }
        WSR_TRY(read_pair(r, &out->edges[out->n_edges++]));
        WSR_TRY(read_gap(r, &more, open == '(' ? ')' : ']'));
    }
    out->given = true;
out:
    return status;
}

static wsr_status add_concat(const reader *r, wsr__genotype_lists *out,
                             int64_t state)
{
    if (out->n_concat == WSR__GENOTYPE_NODES) {
        return WSR_FAIL(WSR_FORMAT, "more than %d states (%s:%zu)",
                        WSR__GENOTYPE_NODES, r->where, line_of(r));
    }
    out->concat[out->n_concat++] = state;
    return WSR_OK;
}

// What follows "range": (stop) or (start, stop).
static wsr_status read_range(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    int64_t start = 0;
    int64_t stop = 0;
    if (take(r, "(") == '\0') {
        return expected(r, "'('");
    }
    WSR_TRY(read_int(r, &stop));
    if (take(r, ",") != '\0') {
        start = stop;
        WSR_TRY(read_int(r, &stop));
    }
    if (take(r, ")") == '\0') {
        status = expected(r, "')'");
        goto out;
    }
    for (int64_t state = start; state < stop; state++) {
        WSR_TRY(add_concat(r, out, state));
    }
out:
    return status;
}

static wsr_status read_concat(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    char word[8] = "";
    int64_t state = 0;
    bool more = true;
    skip_space(r);
    out->concat_line = line_of(r);
    out->concat_given = true;
    const char open = take(r, "([");
    if (open == '\0') {
        // range(2, 6), or list(range(2, 6)) from newer versions of Python
        WSR_TRY(read_word(r, word, sizeof(word)));
        const bool list = wsr__streq(word, "list");
        if (list && take(r, "(") != '\0') {
            WSR_TRY(read_word(r, word, sizeof(word)));
        }
        if (!wsr__streq(word, "range")) {
            status = expected(r, "range(start, stop)");
            goto out;
        }
        WSR_TRY(read_range(r, out));
        if (list && take(r, ")") == '\0') {
            status = expected(r, "')'");
        }
        goto out;
    }
    while (more) {
        WSR_TRY(read_int(r, &state));
        WSR_TRY(add_concat(r, out, state));
        WSR_TRY(read_gap(r, &more, open == '(' ? ')' : ']'));
    }
out:
    return status;
}

static wsr_status read_argument(reader *r, wsr__genotype_draft *draft)
{
    static const char *const keys[] = {"normal", "normal_concat", "reduce",
                                       "reduce_concat"};
    wsr_status status = WSR_OK;
    char word[WSR__GENOTYPE_NAME];
    WSR_TRY(read_word(r, word, sizeof(word)));
    const size_t line = line_of(r);
    if (take(r, "=") == '\0') {
        status = expected(r, "'='");
        goto out;
    }
    for (size_t i = 0; i < 4; i++) {
        wsr__genotype_lists *const lists = &draft->cells[i / 2];
        if (!wsr__streq(word, keys[i])) {
            continue;
        }
        if (i % 2 == 0 ? lists->given : lists->concat_given) {
            status = WSR_FAIL(WSR_FORMAT, "%s: is given twice (%s:%zu)", word,
                              r->where, line);
            goto out;
        }
        status = i % 2 == 0 ? read_edges(r, lists) : read_concat(r, lists);
        goto out;
    }
    const char *const near = wsr__suggest(word, keys, 4);
    const bool found = near != NULL;
    status = WSR_FAIL(WSR_FORMAT, "%s: is no part of a genotype%s%s%s (%s:%zu)",
                      word, found ? ", did you mean '" : "", found ? near : "",
                      found ? "'" : "", r->where, line);
out:
    return status;
}

// The word before "= Genotype(", if there is one. A log's "genotype = ..."
// names nothing.
static void read_name(char *name, const char *text, const char *call)
{
    const char *end = call;
    while (end > text && end[-1] == ' ') {
        end--;
    }
    if (end == text || end[-1] != '=') {
        return;
    }
    end--;
    while (end > text && end[-1] == ' ') {
        end--;
    }
    const char *begin = end;
    while (begin > text && is_word(begin[-1])) {
        begin--;
    }
    const size_t n = (size_t)(end - begin);
    if (n < WSR__GENOTYPE_NAME) {
        memcpy(name, begin, n);
        name[n] = '\0';
    }
    if (wsr__streq(name, "genotype")) {
        name[0] = '\0';
    }
}

bool wsr__genotype_is_python(const char *text)
{
    return strstr(text, opening) != NULL;
}

wsr_status wsr__genotype_read_python(wsr__genotype_draft *draft,
                                     const char *text)
{
    wsr_status status = WSR_OK;
    const char *const call = strstr(text, opening);
    reader r = {.text = text, .at = call, .where = draft->where};
    bool more = true;
    read_name(draft->name, text, call);
    r.at += sizeof(opening) - 1;
    while (more) {
        WSR_TRY(read_argument(&r, draft));
        WSR_TRY(read_gap(&r, &more, ')'));
    }
    // A log of many epochs: which of them is meant is not for us to guess.
    const char *const again = strstr(r.at, opening);
    if (again != NULL) {
        r.at = again;
        status = WSR_FAIL(WSR_FORMAT,
                          "a second genotype begins, keep one of them (%s:%zu)",
                          r.where, line_of(&r));
    }
out:
    return status;
}
