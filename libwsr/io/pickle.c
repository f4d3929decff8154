// SPDX-License-Identifier: Apache-2.0
//
// The stack machine of Python's pickles (pickletools.py), protocols 2 to 5:
// opcodes push values, and put those above a mark into tuples, lists and
// dicts. Every opcode adds at most one value, so memory is bounded by the size
// of the pickle; nothing recurses.

#include "io/pickle.h"

#include <string.h>

enum { FIRST_ITEMS = 4 };

#define MARK UINT32_MAX // on the stack, where no value has this number
#define MOST_VALUES (UINT32_MAX - 1)

typedef wsr__pickle machine;
typedef wsr__pickle_value value;

// ------------------------------------------------------------------- values

wsr_status wsr__pickle_corrupt(const wsr__pickle *pickle, const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "%s: pickle is corrupt: %s at byte %zu",
                    pickle->path, what, pickle->at);
}

wsr_status wsr__pickle_add(uint32_t *out, wsr__pickle *pickle,
                           const wsr__pickle_value *added)
{
    wsr_status status = WSR_OK;
    void *array = pickle->values;
    *out = 0;
    if (pickle->n_values >= MOST_VALUES) {
        return wsr__pickle_corrupt(pickle, "too many values");
    }
    WSR_TRY(wsr__reserve(&array, &pickle->values_capacity, pickle->n_values + 1,
                         sizeof(value)));
    pickle->values = array;
    pickle->values[pickle->n_values] = *added;
    *out = (uint32_t)pickle->n_values++;
out:
    return status;
}

// Room is a power of two, so the count alone says when it is full.
wsr_status wsr__pickle_append(wsr__pickle *pickle, uint32_t sequence,
                              uint32_t item)
{
    value *const v = &pickle->values[sequence];
    const size_t n = v->n;
    if (n == 0 || (n >= FIRST_ITEMS && (n & (n - 1)) == 0)) {
        uint32_t *const wider =
            wsr__alloc_raw(n == 0 ? FIRST_ITEMS : 2 * n, sizeof(*wider));
        if (wider == NULL) {
            return WSR_NOMEM;
        }
        if (n != 0) {
            memcpy(wider, v->as.items, n * sizeof(*wider));
        }
        wsr__free(v->as.items);
        v->as.items = wider;
    }
    v->as.items[v->n++] = item;
    return WSR_OK;
}

const wsr__pickle_value *wsr__pickle_at(const wsr__pickle *pickle,
                                        uint32_t number)
{
    return &pickle->values[number];
}

static bool is_sequence(const value *v)
{
    return v->kind == WSR__PICKLE_TUPLE || v->kind == WSR__PICKLE_LIST ||
           v->kind == WSR__PICKLE_DICT;
}

const wsr__pickle_value *wsr__pickle_item(const wsr__pickle *pickle,
                                          const wsr__pickle_value *sequence,
                                          size_t i)
{
    return is_sequence(sequence) && i < sequence->n
               ? &pickle->values[sequence->as.items[i]]
               : NULL;
}

bool wsr__pickle_is_text(const wsr__pickle_value *v, const char *text)
{
    return v->kind == WSR__PICKLE_TEXT && v->n == strlen(text) &&
           memcmp(v->as.text, text, v->n) == 0;
}

// As in Python, the last of two equal keys counts.
const wsr__pickle_value *wsr__pickle_get(const wsr__pickle *pickle,
                                         const wsr__pickle_value *dict,
                                         const char *key)
{
    const value *found = NULL;
    for (size_t i = 0; dict->kind == WSR__PICKLE_DICT && i + 1 < dict->n;
         i += 2) {
        if (wsr__pickle_is_text(wsr__pickle_item(pickle, dict, i), key)) {
            found = wsr__pickle_item(pickle, dict, i + 1);
        }
    }
    return found;
}

// -------------------------------------------------------- bytes and the stack

static wsr_status take(const unsigned char **out, machine *m, uint64_t n)
{
    *out = m->bytes + m->at;
    if (n > m->size - m->at) {
        return wsr__pickle_corrupt(m, "it breaks off");
    }
    m->at += (size_t)n;
    return WSR_OK;
}

// A number of up to eight bytes, little-endian.
static wsr_status take_number(uint64_t *out, machine *m, size_t bytes)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = NULL;
    *out = 0;
    WSR_TRY(take(&p, m, bytes));
    memcpy(out, p, bytes);
out:
    return status;
}

static wsr_status push(machine *m, uint32_t number)
{
    wsr_status status = WSR_OK;
    void *array = m->stack;
    WSR_TRY(wsr__reserve(&array, &m->stack_capacity, m->n_stack + 1,
                         sizeof(*m->stack)));
    m->stack = array;
    m->stack[m->n_stack++] = number;
out:
    return status;
}

static wsr_status push_value(machine *m, const value *v)
{
    wsr_status status = WSR_OK;
    uint32_t number = 0;
    WSR_TRY(wsr__pickle_add(&number, m, v));
    WSR_TRY(push(m, number));
out:
    return status;
}

// A value and no mark.
static wsr_status pop(uint32_t *out, machine *m)
{
    *out = 0;
    if (m->n_stack == 0 || m->stack[m->n_stack - 1] == MARK) {
        return wsr__pickle_corrupt(m, "a value is missing");
    }
    *out = m->stack[--m->n_stack];
    return WSR_OK;
}

// Place of the first value above the last mark.
static wsr_status above_mark(size_t *out, machine *m)
{
    size_t i = m->n_stack;
    while (i > 0 && m->stack[i - 1] != MARK) {
        i--;
    }
    *out = i;
    return i > 0 ? WSR_OK : wsr__pickle_corrupt(m, "a mark is missing");
}

// ------------------------------------------------------- opcodes: plain values

static wsr_status op_none(machine *m, unsigned char op)
{
    (void)op;
    return push_value(m, &(value){.kind = WSR__PICKLE_NONE});
}

static wsr_status op_bool(machine *m, unsigned char op)
{
    return push_value(
        m, &(value){.kind = WSR__PICKLE_BOOL, .as.integer = op == 0x88});
}

static wsr_status op_int(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint64_t n = 0;
    WSR_TRY(take_number(&n, m, op == 'J' ? 4 : op == 'M' ? 2 : 1));
    const int64_t integer = op == 'J' ? (int32_t)(uint32_t)n : (int64_t)n;
    WSR_TRY(push_value(
        m, &(value){.kind = WSR__PICKLE_INT, .as.integer = integer}));
out:
    return status;
}

// Two's complement of any length. What 64 bits cannot hold is kept without its
// value: no number of a tensor is as large.
static wsr_status op_long(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = NULL;
    uint64_t n = 0;
    uint64_t bits = 0;
    WSR_TRY(take_number(&n, m, op == 0x8a ? 1 : 4));
    WSR_TRY(take(&p, m, n));
    if (n > sizeof(bits)) {
        return push_value(m, &(value){.kind = WSR__PICKLE_OBJECT});
    }
    memcpy(&bits, p, n);
    if (n > 0 && n < sizeof(bits) && p[n - 1] >= 0x80) {
        bits |= UINT64_MAX << (8 * n);
    }
    WSR_TRY(push_value(
        m, &(value){.kind = WSR__PICKLE_INT, .as.integer = (int64_t)bits}));
out:
    return status;
}

// Big-endian, as nothing else is.
static wsr_status op_float(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = NULL;
    uint64_t bits = 0;
    value v = {.kind = WSR__PICKLE_FLOAT};
    (void)op;
    WSR_TRY(take(&p, m, sizeof(bits)));
    for (size_t i = 0; i < sizeof(bits); i++) {
        bits = bits << 8 | p[i];
    }
    memcpy(&v.as.real, &bits, sizeof(bits));
    WSR_TRY(push_value(m, &v));
out:
    return status;
}

// Bytes of the length in front of a text.
static size_t length_size(unsigned char op)
{
    static const char of_one[] = "\x8cUC";
    static const char of_eight[] = "\x8d\x8e\x96";
    return strchr(of_one, op) != NULL     ? 1
           : strchr(of_eight, op) != NULL ? 8
                                          : 4;
}

static wsr_status op_text(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = NULL;
    uint64_t n = 0;
    WSR_TRY(take_number(&n, m, length_size(op)));
    WSR_TRY(take(&p, m, n));
    if (n > INT32_MAX) {
        return push_value(m, &(value){.kind = WSR__PICKLE_OBJECT});
    }
    WSR_TRY(push_value(m, &(value){.kind = WSR__PICKLE_TEXT,
                                   .n = (uint32_t)n,
                                   .as.text = (const char *)p}));
out:
    return status;
}

// ------------------------------------------------------- opcodes: containers

static wsr_status op_mark(machine *m, unsigned char op)
{
    (void)op;
    return push(m, MARK);
}

static wsr_status op_empty(machine *m, unsigned char op)
{
    const wsr__pickle_kind kind = op == ')'   ? WSR__PICKLE_TUPLE
                                  : op == '}' ? WSR__PICKLE_DICT
                                              : WSR__PICKLE_LIST;
    return push_value(m, &(value){.kind = kind});
}

// A new container of the stack's values from `begin` on, in their place.
static wsr_status gather(machine *m, wsr__pickle_kind kind, size_t begin)
{
    wsr_status status = WSR_OK;
    uint32_t made = 0;
    WSR_TRY(wsr__pickle_add(&made, m, &(value){.kind = kind}));
    for (size_t i = begin; i < m->n_stack; i++) {
        WSR_TRY(wsr__pickle_append(m, made, m->stack[i]));
    }
    m->n_stack = begin;
    WSR_TRY(push(m, made));
out:
    return status;
}

static wsr_status op_tuple_of(machine *m, unsigned char op)
{
    const size_t n = op - 0x84U;
    for (size_t i = 0; i < n; i++) {
        if (m->n_stack < n || m->stack[m->n_stack - 1 - i] == MARK) {
            return wsr__pickle_corrupt(m, "a value is missing");
        }
    }
    return gather(m, WSR__PICKLE_TUPLE, m->n_stack - n);
}

// tuple, list, dict or frozen set of what is above the mark, which goes.
static wsr_status op_marked(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    size_t begin = 0;
    WSR_TRY(above_mark(&begin, m));
    if (op == 'd' && (m->n_stack - begin) % 2 != 0) {
        return wsr__pickle_corrupt(m, "a key without a value");
    }
    WSR_TRY(gather(m,
                   op == 't'   ? WSR__PICKLE_TUPLE
                   : op == 'd' ? WSR__PICKLE_DICT
                               : WSR__PICKLE_LIST,
                   begin));
    m->stack[begin - 1] = m->stack[begin];
    m->n_stack = begin;
out:
    return status;
}

// Append values to the list or dict below them; what an object is given is not
// kept.
static wsr_status add_items(machine *m, size_t begin, wsr__pickle_kind kind)
{
    wsr_status status = WSR_OK;
    const uint32_t owner = begin > 0 ? m->stack[begin - 1] : MARK;
    if (owner == MARK) {
        return wsr__pickle_corrupt(m, "a container is missing");
    }
    if (m->values[owner].kind != kind &&
        m->values[owner].kind != WSR__PICKLE_OBJECT) {
        return wsr__pickle_corrupt(m, "items of what is no container");
    }
    if (kind == WSR__PICKLE_DICT && (m->n_stack - begin) % 2 != 0) {
        return wsr__pickle_corrupt(m, "a key without a value");
    }
    for (size_t i = begin; m->values[owner].kind == kind && i < m->n_stack;
         i++) {
        WSR_TRY(wsr__pickle_append(m, owner, m->stack[i]));
    }
    m->n_stack = begin;
out:
    return status;
}

static wsr_status op_items(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    size_t begin = 0;
    WSR_TRY(above_mark(&begin, m));
    // The mark lies between the container and the items.
    memmove(m->stack + begin - 1, m->stack + begin,
            (m->n_stack - begin) * sizeof(*m->stack));
    m->n_stack--;
    WSR_TRY(add_items(m, begin - 1,
                      op == 'u' ? WSR__PICKLE_DICT : WSR__PICKLE_LIST));
out:
    return status;
}

static wsr_status op_item(machine *m, unsigned char op)
{
    const size_t n = op == 's' ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        if (m->n_stack < n || m->stack[m->n_stack - 1 - i] == MARK) {
            return wsr__pickle_corrupt(m, "a value is missing");
        }
    }
    return add_items(m, m->n_stack - n,
                     op == 's' ? WSR__PICKLE_DICT : WSR__PICKLE_LIST);
}

// ------------------------------------------------------ opcodes: the machine

static wsr_status op_pop(machine *m, unsigned char op)
{
    (void)op;
    if (m->n_stack == 0) {
        return wsr__pickle_corrupt(m, "a value is missing");
    }
    m->n_stack--;
    return WSR_OK;
}

static wsr_status op_pop_mark(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    size_t begin = 0;
    (void)op;
    WSR_TRY(above_mark(&begin, m));
    m->n_stack = begin - 1;
out:
    return status;
}

static wsr_status op_dup(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint32_t top = 0;
    (void)op;
    WSR_TRY(pop(&top, m));
    WSR_TRY(push(m, top));
    WSR_TRY(push(m, top));
out:
    return status;
}

// Protocols that came later have opcodes of their own, which are unknown here.
static wsr_status op_skip(machine *m, unsigned char op)
{
    const unsigned char *p = NULL;
    return take(&p, m, op == 0x95 ? 8 : 1);
}

static wsr_status op_stop(machine *m, unsigned char op)
{
    (void)op;
    m->stopped = true;
    return pop(&m->root, m);
}

// Python numbers its memo from 0 on, so that a place is always less than the
// bytes read.
static wsr_status op_put(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    void *array = m->memo;
    uint64_t place = m->n_memo;
    uint32_t top = 0;
    if (op != 0x94) {
        WSR_TRY(take_number(&place, m, op == 'q' ? 1 : 4));
    }
    WSR_TRY(pop(&top, m));
    WSR_TRY(push(m, top));
    if (place >= m->at) {
        return wsr__pickle_corrupt(m, "an impossible place of the memo");
    }
    WSR_TRY(wsr__reserve(&array, &m->memo_capacity, (size_t)place + 1,
                         sizeof(*m->memo)));
    m->memo = array;
    while (m->n_memo <= place) {
        m->memo[m->n_memo++] = MARK;
    }
    m->memo[place] = top;
out:
    return status;
}

static wsr_status op_get(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint64_t place = 0;
    WSR_TRY(take_number(&place, m, op == 'h' ? 1 : 4));
    if (place >= m->n_memo || m->memo[place] == MARK) {
        return wsr__pickle_corrupt(m, "an empty place of the memo");
    }
    WSR_TRY(push(m, m->memo[place]));
out:
    return status;
}

// ---------------------------------------------------------- opcodes: globals

// Text up to the end of the line.
static wsr_status take_line(value *out, machine *m)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = NULL;
    const unsigned char *const begin = m->bytes + m->at;
    const unsigned char *const end = memchr(begin, '\n', m->size - m->at);
    const size_t n = end != NULL ? (size_t)(end - begin) : m->size;
    *out = (value){.kind = WSR__PICKLE_TEXT, .as.text = (const char *)begin};
    WSR_TRY(take(&p, m, (uint64_t)n + 1));
    out->n = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
out:
    return status;
}

static wsr_status op_global(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    value module = {0};
    value name = {0};
    uint32_t number = 0;
    if (op == 'c') {
        WSR_TRY(take_line(&module, m));
        WSR_TRY(take_line(&name, m));
    } else {
        WSR_TRY(pop(&number, m));
        name = m->values[number];
        WSR_TRY(pop(&number, m));
        module = m->values[number];
    }
    WSR_TRY(wsr__pickle_global(&number, m, &module, &name));
    WSR_TRY(push(m, number));
out:
    return status;
}

// A function or class is called with a tuple of arguments; those that have
// names are not needed.
static wsr_status op_call(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint32_t named = 0;
    uint32_t args = 0;
    uint32_t called = 0;
    uint32_t result = 0;
    if (op == 0x92) {
        WSR_TRY(pop(&named, m));
    }
    WSR_TRY(pop(&args, m));
    WSR_TRY(pop(&called, m));
    if (m->values[called].kind != WSR__PICKLE_FUNCTION ||
        m->values[args].kind != WSR__PICKLE_TUPLE) {
        return wsr__pickle_corrupt(m, "a call of what is no function");
    }
    WSR_TRY(m->values[called].as.function->call(&result, m, args));
    WSR_TRY(push(m, result));
out:
    return status;
}

// The state of an object: attributes, which no tensor and no dict of tensors
// needs.
static wsr_status op_build(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint32_t state = 0;
    uint32_t object = 0;
    (void)op;
    WSR_TRY(pop(&state, m));
    WSR_TRY(pop(&object, m));
    WSR_TRY(push(m, object));
out:
    return status;
}

static wsr_status op_persistent(machine *m, unsigned char op)
{
    wsr_status status = WSR_OK;
    uint32_t id = 0;
    uint32_t storage = 0;
    (void)op;
    WSR_TRY(pop(&id, m));
    WSR_TRY(wsr__pickle_storage(&storage, m, id));
    WSR_TRY(push(m, storage));
out:
    return status;
}

// Index: opcode. What is missing are protocols 0 and 1, extensions, and
// buffers outside of the pickle.
static wsr_status (*const opcodes[256])(machine *m, unsigned char op) = {
    ['N'] = op_none,      [0x88] = op_bool,      [0x89] = op_bool,
    ['J'] = op_int,       ['K'] = op_int,        ['M'] = op_int,
    [0x8a] = op_long,     [0x8b] = op_long,      ['G'] = op_float,
    ['X'] = op_text,      [0x8c] = op_text,      [0x8d] = op_text,
    ['U'] = op_text,      ['T'] = op_text,       ['C'] = op_text,
    ['B'] = op_text,      [0x8e] = op_text,      [0x96] = op_text,
    ['('] = op_mark,      [')'] = op_empty,      [']'] = op_empty,
    ['}'] = op_empty,     [0x8f] = op_empty,     [0x85] = op_tuple_of,
    [0x86] = op_tuple_of, [0x87] = op_tuple_of,  ['t'] = op_marked,
    ['l'] = op_marked,    ['d'] = op_marked,     [0x91] = op_marked,
    ['a'] = op_item,      ['s'] = op_item,       ['e'] = op_items,
    ['u'] = op_items,     [0x90] = op_items,     ['0'] = op_pop,
    ['1'] = op_pop_mark,  ['2'] = op_dup,        ['q'] = op_put,
    ['r'] = op_put,       [0x94] = op_put,       ['h'] = op_get,
    ['j'] = op_get,       ['c'] = op_global,     [0x93] = op_global,
    ['R'] = op_call,      [0x81] = op_call,      [0x92] = op_call,
    ['b'] = op_build,     ['Q'] = op_persistent, [0x80] = op_skip,
    [0x95] = op_skip,     ['.'] = op_stop,
};

wsr_status wsr__pickle_read(wsr__pickle *pickle, const unsigned char *bytes,
                            size_t size, const char *path)
{
    wsr_status status = WSR_OK;
    *pickle = (wsr__pickle){.path = path, .bytes = bytes, .size = size};
    if (size < 2 || bytes[0] != 0x80) {
        return wsr__pickle_corrupt(pickle, "no pickle of protocol 2 to 5");
    }
    while (!pickle->stopped) {
        const unsigned char *op = NULL;
        WSR_TRY(take(&op, pickle, 1));
        if (opcodes[*op] == NULL) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: pickle is corrupt: opcode 0x%02x at byte %zu "
                            "is no part of a state dict",
                            path, *op, pickle->at - 1);
        }
        WSR_TRY(opcodes[*op](pickle, *op));
    }
out:
    return status;
}

void wsr__pickle_free(wsr__pickle *pickle)
{
    for (size_t i = 0; i < pickle->n_values; i++) {
        if (is_sequence(&pickle->values[i])) {
            wsr__free(pickle->values[i].as.items);
        }
    }
    wsr__free(pickle->values);
    wsr__free(pickle->storages);
    wsr__free(pickle->tensors);
    wsr__free(pickle->stack);
    wsr__free(pickle->memo);
    *pickle = (wsr__pickle){0};
}
