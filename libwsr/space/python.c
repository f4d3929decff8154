// SPDX-License-Identifier: Apache-2.0
//
// Genotypes as DARTS-style programs write them into logs and sources:
//
//   NAME = Genotype(normal=[('sep_conv_3x3', 0), ...],
//                   normal_concat=range(2, 6), reduce=[...],
//                   reduce_concat=[2, 3, 4, 5])
//
// This is a reader of just that form, with Python's comments and either kind of
// quote and bracket; it is not an interpreter. What programs print varies:
// pairs may carry a weight (GDAS), be grouped by node (SETN), hold NumPy's
// scalars, and arguments may stand without names. It fills a draft; genotype.c
// checks what the draft says. The file is long because it is one grammar, read
// by recursive descent.

#include "space/space.h"

#include <string.h>

static const char opening[] = "Genotype(";

// Every read_ function takes what it names from `at` on and leaves `at` behind
// it; `at` never passes the NUL.
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

// Names what was awaited and the character that stands there instead.
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

// Blanks, line breaks and comments, which run to the end of a line.
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

// Words that do not fit are no operations or keys either.
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

// The character must come next, blanks aside.
static wsr_status need(reader *r, char c)
{
    const char set[] = {c, '\0'};
    const char what[] = {'\'', c, '\'', '\0'};
    return take(r, set) != '\0' ? WSR_OK : expected(r, what);
}

// Length of a call's name and bracket, "np.int64(", at the reader, 0 if none.
static size_t call_length(const reader *r)
{
    size_t n = 0;
    while (is_word(r->at[n]) || (n > 0 && r->at[n] == '.')) {
        n++;
    }
    return n > 0 && r->at[n] == '(' ? n + 1 : 0;
}

// "3.0" and "3x" are no integers.
static wsr_status read_digits(reader *r, int64_t *out)
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
    if (!wsr__parse_int(out, digits) || is_word(r->at[n]) || r->at[n] == '.') {
        return expected(r, "an integer");
    }
    r->at += n;
    return WSR_OK;
}

// An integer, as it is or as NumPy 2 prints one: np.int64(3).
static wsr_status read_int(reader *r, int64_t *out)
{
    wsr_status status = WSR_OK;
    skip_space(r);
    const size_t call = call_length(r);
    r->at += call;
    WSR_TRY(read_digits(r, out));
    WSR_TRY(call != 0 ? need(r, ')') : WSR_OK);
out:
    return status;
}

// The operation's name, with Python 2's prefix or in NumPy 2's np.str_().
static wsr_status read_op(reader *r, char *out, size_t size)
{
    wsr_status status = WSR_OK;
    skip_space(r);
    const size_t call = call_length(r);
    r->at += call;
    const bool prefix = *r->at == 'u' || *r->at == 'b';
    r->at += prefix && (r->at[1] == '\'' || r->at[1] == '"') ? 1 : 0;
    const char quote = take(r, "'\"");
    if (quote == '\0') {
        return expected(r, "a quote");
    }
    WSR_TRY(read_word(r, out, size));
    if (*r->at != quote) {
        return expected(r, "a quote");
    }
    r->at++;
    WSR_TRY(call != 0 ? need(r, ')') : WSR_OK);
out:
    return status;
}

// Length of a number or of a call around one, "tensor(0.13, ...)", 0 if none.
static size_t weight_length(const reader *r)
{
    char digits[64];
    size_t n = call_length(r);
    for (int depth = n > 0 ? 1 : 0; depth > 0; n++) {
        if (r->at[n] == '\0') {
            return 0;
        }
        depth += (r->at[n] == '(') - (r->at[n] == ')');
    }
    if (n > 0) {
        return n;
    }
    double value = 0;
    bool zero = false;
    n = strspn(r->at, "+-.0123456789eE");
    if (n >= sizeof(digits)) {
        return 0;
    }
    memcpy(digits, r->at, n);
    digits[n] = '\0';
    return wsr__parse_decimal(&value, &zero, digits) ? n : 0;
}

// The third item of pair `number` is the weight that its edge had in the
// search. A whole number of 2 or more is no such weight, but the node that
// the edge leads to: some programs print (operation, from, to).
static wsr_status read_weight(reader *r, const char *op, size_t number)
{
    skip_space(r);
    const size_t n = weight_length(r);
    const size_t digits = strspn(r->at, "0123456789");
    const int64_t want = (int64_t)(number / 2) + 2;
    int64_t to = 0;
    if (n == 0) {
        return expected(r, "a weight");
    }
    if (n == digits && read_digits(r, &to) == WSR_OK) {
        return to < 2 || to == want
                   ? WSR_OK
                   : WSR_FAIL(WSR_FORMAT,
                              "'%s' of pair %zu leads to state %lld, but "
                              "every node has two pairs in order, here %lld "
                              "(%s:%zu)",
                              op, number, (long long)to, (long long)want,
                              r->where, line_of(r));
    }
    r->at += n;
    return WSR_OK;
}

// Whether the comma before was a trailing one.
static bool closes(reader *r)
{
    skip_space(r);
    return *r->at == ')' || *r->at == ']';
}

// A tuple or a list of an operation, a state and perhaps a weight.
static wsr_status read_pair(reader *r, wsr__genotype_edge *out, size_t number)
{
    wsr_status status = WSR_OK;
    const char open = take(r, "([");
    out->line = line_of(r);
    if (open == '\0') {
        return expected(r, "('operation', state)");
    }
    WSR_TRY(read_op(r, out->op, sizeof(out->op)));
    WSR_TRY(need(r, ','));
    WSR_TRY(read_int(r, &out->state));
    if (take(r, ",") != '\0' && !closes(r)) {
        WSR_TRY(read_weight(r, out->op, number));
        (void)take(r, ",");
    }
    WSR_TRY(need(r, open == '(' ? ')' : ']'));
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

// Whether a group of pairs begins: a bracket within a bracket.
static bool is_group(const reader *r)
{
    reader ahead = *r;
    return take(&ahead, "([") != '\0' && take(&ahead, "([") != '\0';
}

// Pairs up to the bracket that closes a list of them; groups in it, one for
// each node, are the same list.
static wsr_status read_pairs(reader *r, wsr__genotype_lists *out, bool grouped)
{
    wsr_status status = WSR_OK;
    const char open = take(r, "([");
    bool more = true;
    if (open == '\0') {
        return expected(r, "'['");
    }
    while (more) {
        if (!grouped && is_group(r)) {
            WSR_TRY(read_pairs(r, out, true));
        } else if (out->n_edges == WSR__GENOTYPE_EDGES) {
            status = WSR_FAIL(WSR_FORMAT, "more than %d pairs (%s:%zu)",
                              WSR__GENOTYPE_EDGES, r->where, line_of(r));
            goto out;
        } else {
            const size_t k = out->n_edges++;
            WSR_TRY(read_pair(r, &out->edges[k], k));
        }
        WSR_TRY(read_gap(r, &more, open == '(' ? ')' : ']'));
    }
out:
    return status;
}

// The line of the list is kept for the messages of later checks.
static wsr_status read_edges(reader *r, wsr__genotype_lists *out)
{
    skip_space(r);
    out->line = line_of(r);
    out->given = true;
    return read_pairs(r, out, false);
}

// The bound is that of the draft's array.
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

// A sum of integers, as sources have it: range(2, 2 + 4).
static wsr_status read_sum(reader *r, int64_t *out)
{
    wsr_status status = WSR_OK;
    int64_t term = 0;
    WSR_TRY(read_int(r, out));
    while (take(r, "+") != '\0') {
        WSR_TRY(read_int(r, &term));
        *out = *out > 0 && term > INT64_MAX - *out ? INT64_MAX : *out + term;
    }
out:
    return status;
}

// What follows "range": (stop), (start, stop) or (start, stop, step).
static wsr_status read_range(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    int64_t start = 0;
    int64_t stop = 0;
    int64_t step = 1;
    WSR_TRY(need(r, '('));
    WSR_TRY(read_sum(r, &stop));
    if (take(r, ",") != '\0') {
        start = stop;
        WSR_TRY(read_sum(r, &stop));
    }
    if (take(r, ",") != '\0') {
        WSR_TRY(read_int(r, &step));
    }
    WSR_TRY(need(r, ')'));
    if (step < 1 || step > WSR__GENOTYPE_NODES) {
        status = WSR_FAIL(
            WSR_FORMAT, "range: step %lld is outside [1, %d] (%s:%zu)",
            (long long)step, WSR__GENOTYPE_NODES, r->where, line_of(r));
        goto out;
    }
    for (int64_t state = start; state < stop; state += step) {
        WSR_TRY(add_concat(r, out, state));
    }
out:
    return status;
}

// range(2, 6), or list(range(2, 6)) from newer versions of Python.
static wsr_status read_call(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    char word[16] = "";
    WSR_TRY(read_word(r, word, sizeof(word)));
    if (wsr__streq(word, "range")) {
        status = read_range(r, out);
        goto out;
    }
    if (!wsr__streq(word, "list") && !wsr__streq(word, "tuple")) {
        status = WSR_FAIL(WSR_FORMAT,
                          "'%s' is neither a list nor range(start, stop) "
                          "(%s:%zu)",
                          word, r->where, line_of(r));
        goto out;
    }
    WSR_TRY(need(r, '('));
    WSR_TRY(read_word(r, word, sizeof(word)));
    if (!wsr__streq(word, "range")) {
        status = expected(r, "range(start, stop)");
        goto out;
    }
    WSR_TRY(read_range(r, out));
    WSR_TRY(need(r, ')'));
out:
    return status;
}

// [2, 3, 4, 5], range(2, 6) or [*range(2, 6)].
static wsr_status read_concat(reader *r, wsr__genotype_lists *out)
{
    wsr_status status = WSR_OK;
    int64_t state = 0;
    bool more = true;
    skip_space(r);
    out->concat_line = line_of(r);
    out->concat_given = true;
    const char open = take(r, "([");
    if (open == '\0') {
        return read_call(r, out);
    }
    while (more) {
        if (take(r, "*") != '\0') {
            WSR_TRY(read_call(r, out));
        } else {
            WSR_TRY(read_int(r, &state));
            WSR_TRY(add_concat(r, out, state));
        }
        WSR_TRY(read_gap(r, &more, open == '(' ? ')' : ']'));
    }
out:
    return status;
}

// In the order of the arguments of DARTS's namedtuple, as they stand where they
// have no names.
static const char *const keys[] = {"normal", "normal_concat", "reduce",
                                   "reduce_concat"};

enum { N_KEYS = sizeof(keys) / sizeof(*keys) };

// "None", and not the beginning of another word.
static bool take_none(reader *r)
{
    skip_space(r);
    const bool none = strncmp(r->at, "None", 4) == 0 && !is_word(r->at[4]);
    r->at += none ? 4 : 0;
    return none;
}

// The value of keys[i].
static wsr_status read_value(reader *r, wsr__genotype_draft *draft, size_t i)
{
    wsr__genotype_lists *const lists = &draft->cells[i / 2];
    const size_t line = line_of(r);
    if (i % 2 == 0 ? lists->given : lists->concat_given) {
        return WSR_FAIL(WSR_FORMAT, "%s: is given twice (%s:%zu)", keys[i],
                        r->where, line);
    }
    if (take_none(r)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: is None, but a genotype has two cells (%s:%zu)",
                        keys[i], r->where, line);
    }
    return i % 2 == 0 ? read_edges(r, lists) : read_concat(r, lists);
}

// Argument `number`, with or without its name. Programs with more to say add
// arguments of their own, which are None for cells like ours.
static wsr_status read_argument(reader *r, wsr__genotype_draft *draft,
                                size_t number)
{
    wsr_status status = WSR_OK;
    char word[WSR__GENOTYPE_NAME];
    skip_space(r);
    const bool bare = *r->at == '(' || *r->at == '[' || call_length(r) > 0;
    if (number < N_KEYS && bare) {
        return read_value(r, draft, number);
    }
    WSR_TRY(read_word(r, word, sizeof(word)));
    const size_t line = line_of(r);
    WSR_TRY(need(r, '='));
    for (size_t i = 0; i < N_KEYS; i++) {
        if (wsr__streq(word, keys[i])) {
            status = read_value(r, draft, i);
            goto out;
        }
    }
    if (take_none(r)) {
        goto out;
    }
    const char *const near = wsr__suggest(word, keys, N_KEYS);
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

// A log may have anything before it.
bool wsr__genotype_is_python(const char *text)
{
    return strstr(text, opening) != NULL;
}

// What stands before and behind the call is not read.
wsr_status wsr__genotype_read_python(wsr__genotype_draft *draft,
                                     const char *text)
{
    wsr_status status = WSR_OK;
    const char *const call = strstr(text, opening);
    reader r = {.text = text, .at = call, .where = draft->where};
    bool more = true;
    read_name(draft->name, text, call);
    r.at += sizeof(opening) - 1;
    for (size_t i = 0; more; i++) {
        WSR_TRY(read_argument(&r, draft, i));
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

// ------------------------------------------------------------------ writing

static void print_half(wsr__str *out, const wsr_genotype *g,
                       wsr_genotype_cell cell, size_t key)
{
    wsr__str_addf(out, "%s=[", keys[key]);
    for (size_t k = 0; k < wsr_genotype_edges(g, cell); k++) {
        wsr__str_addf(out, "%s('%s', %zu)", k == 0 ? "" : ", ",
                      wsr_genotype_op(g, cell, k),
                      wsr_genotype_state(g, cell, k));
    }
    wsr__str_addf(out, "], %s=[", keys[key + 1]);
    for (size_t i = 0; i < wsr_genotype_concat_count(g, cell); i++) {
        wsr__str_addf(out, "%s%zu", i == 0 ? "" : ", ",
                      wsr_genotype_concat(g, cell, i));
    }
    wsr__str_add(out, "]");
}

void wsr__genotype_print_line(wsr__str *out, const wsr_genotype *genotype)
{
    if (wsr__genotype_single(genotype) != NULL) {
        wsr__genotype_print_single(out, genotype);
        return;
    }
    wsr__str_add(out, opening);
    print_half(out, genotype, WSR_GENOTYPE_NORMAL, 0);
    wsr__str_add(out, ", ");
    print_half(out, genotype, WSR_GENOTYPE_REDUCE, 2);
    wsr__str_add(out, ")");
}
