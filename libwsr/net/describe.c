// SPDX-License-Identifier: Apache-2.0
//
// The description of a network as text in the metadata of its file, so that
// the file can be read without further options. The keys are "wsr.kind"; the
// cells ("wsr.genotype" or "wsr.codes": the YAML itself, not its name); and
// "wsr." with each option.
//
// Descriptions are written, read to make a network, and compared with an
// existing network before its parameters are loaded.

#include "net/net.h"

#include <string.h>

enum { KEY_SIZE = 64 };

// Whether a key stands for the cells: these are written as YAML, not as the
// option that names them.
bool wsr__net_holds_cells(const wsr__net_class *cls, const char *key)
{
    return cls->cells.print != NULL && wsr__streq(key, cls->cells.key);
}

static void metadata_key(char key[KEY_SIZE], const char *option)
{
    (void)snprintf(key, KEY_SIZE, "wsr.%s", option);
}

// A list without numbers means the same as a missing option, so it is not
// written.
static bool is_unset(const wsr_net *net, const wsr__option *option)
{
    const char *const field = (const char *)net->options + option->offset;
    return option->kind == WSR__FLOATS &&
           ((const wsr__floats *)(const void *)field)->n == 0;
}

static wsr_status put_cells(const wsr_net *net, wsr__net_put put, void *ctx)
{
    const wsr__net_cells *const cells = &net->cls->cells;
    char key[KEY_SIZE];
    char *yaml = NULL;
    if (cells->print == NULL) {
        return WSR_OK;
    }
    metadata_key(key, cells->key);
    wsr_status status = cells->print(&yaml, net->cells);
    if (status == WSR_OK) {
        status = put(ctx, key, yaml);
    }
    wsr_text_free(yaml);
    return status;
}

static wsr_status put_option(const wsr_net *net, const wsr__option *option,
                             wsr__net_put put, void *ctx)
{
    char key[KEY_SIZE];
    wsr__str value = {0};
    metadata_key(key, option->key);
    wsr__params_print(&value, net->options, option);
    wsr_status status = wsr__str_status(&value);
    if (status == WSR_OK) {
        status = put(ctx, key, value.s == NULL ? "" : value.s);
    }
    wsr__str_free(&value);
    return status;
}

// The options are those of the kind's schema, so a new option needs nothing
// here.
wsr_status wsr__net_metadata(const wsr_net *net, wsr__net_put put, void *ctx)
{
    wsr_status status = WSR_OK;
    WSR_TRY(put(ctx, "wsr.kind", net->cls->super.name));
    WSR_TRY(put(ctx, "wsr.input_range", "0,1"));
    WSR_TRY(put_cells(net, put, ctx));
    for (const wsr__option *o = net->cls->super.schema; o->key != NULL; o++) {
        if (!wsr__net_holds_cells(net->cls, o->key) && !is_unset(net, o)) {
            WSR_TRY(put_option(net, o, put, ctx));
        }
    }
out:
    return status;
}

// ------------------------------------------------------------------ reading

// What is read, and what was made of it so far.
typedef struct source {
    const wsr__net_source *from;
    const wsr__net_class *cls;
    void *options; // the class's params, which begin with wsr__net_options
    void *cells;   // NULL: the options name them
} source;

static const char *said(const source *s, const char *key)
{
    return s->from->get(s->from->ctx, key);
}

// A description that cannot be is a bad file, not a bad configuration.
static wsr_status as_format(wsr_status status)
{
    return status == WSR_CONFIG ? wsr__fail_at(WSR_FORMAT, "metadata") : status;
}

// The described options, checked against the schema. A missing key keeps its
// value.
static wsr_status read_description(source *s)
{
    wsr_status status = WSR_OK;
    const wsr__option *const schema = s->cls->super.schema;
    for (const wsr__option *o = schema; o->key != NULL; o++) {
        char key[KEY_SIZE];
        metadata_key(key, o->key);
        const char *const value =
            wsr__net_holds_cells(s->cls, o->key) ? NULL : said(s, key);
        if (value != NULL) {
            WSR_TRY(as_format(wsr__params_set(s->options, schema, "wsr.",
                                              o->key, value, NULL)));
        }
    }
out:
    return status;
}

// What the tensors tell goes before what metadata claim; only where they cannot
// know, metadata do.
static wsr_status read_options(source *s)
{
    wsr_status status = WSR_OK;
    const wsr__net_tensors *const tensors = s->from->tensors;
    const bool described = said(s, "wsr.kind") != NULL;
    WSR_TRY(wsr__class_copy(&s->options, &s->cls->super, NULL));
    if (tensors != NULL) {
        WSR_TRY(wsr__net_infer(s->cls, s->options, tensors, false));
    }
    WSR_TRY(read_description(s));
    if (tensors != NULL) {
        WSR_TRY(wsr__net_infer(s->cls, s->options, tensors, described));
    }
    const wsr__net_options *const common = s->options;
    WSR_TRY(as_format(wsr__normalize_fit(&common->normalize, "wsr.",
                                         common->image_channels)));
out:
    return status;
}

// Options of the caller win over those of the file.
wsr_status wsr__net_take_override(void *options, const wsr__net_class *cls,
                                  const wsr__net_override *override)
{
    const wsr__option *const all = wsr__net_override_schema();
    for (size_t i = 0; override != NULL && all[i].key != NULL; i++) {
        if (!override->given[i]) {
            continue;
        }
        const wsr__option *const own =
            wsr__schema_find(cls->super.schema, all[i].key);
        if (own == NULL) {
            return WSR_FAIL(WSR_CONFIG, "%s.%s: is not an option",
                            cls->super.name, all[i].key);
        }
        const void *const value = (const char *) override->values +
                                  all[i].offset;
        const wsr_status status = wsr__value_check(own, value);
        if (status != WSR_OK) {
            return wsr__fail_at(status, "%s.%s", cls->super.name, own->key);
        }
        wsr__value_copy((char *)options + own->offset, value, own->kind);
    }
    return WSR_OK;
}

// The cells, unless the caller's options name others.
static wsr_status read_cells(source *s)
{
    const wsr__net_cells *const cells = &s->cls->cells;
    char key[KEY_SIZE];
    if (cells->parse == NULL) {
        return WSR_OK;
    }
    const wsr__cells_options *const own = s->options;
    metadata_key(key, cells->key);
    const char *const text = said(s, key);
    return text != NULL && own->cells.s[0] == '\0'
               ? cells->parse(&s->cells, text, "metadata")
               : WSR_OK;
}

static wsr_status find_kind(const wsr__net_class **out, const char *kind)
{
    const wsr__class *cls = NULL;
    if (kind == NULL) {
        return WSR_FAIL(WSR_NOTFOUND, "metadata: wsr.kind is missing");
    }
    const wsr_status status = wsr__class_find(&cls, &wsr__nets, kind);
    *out = (const wsr__net_class *)cls;
    return status == WSR_NOTFOUND ? wsr__fail_at(WSR_FORMAT, "metadata")
                                  : status;
}

wsr_status wsr__net_from_source(wsr_net **out, const wsr__net_source *from,
                                uint64_t seed)
{
    wsr_status status = WSR_OK;
    source s = {.from = from};
    *out = NULL;
    const char *const kind = said(&s, "wsr.kind");
    WSR_TRY(find_kind(&s.cls, kind != NULL ? kind : from->kind));
    WSR_TRY(read_options(&s));
    WSR_TRY(wsr__net_take_override(s.options, s.cls, from->override));
    WSR_TRY(read_cells(&s));
    WSR_TRY(wsr__net_make(out, s.cls, s.cells, s.options, seed));
out:
    if (s.cells != NULL && s.cls->cells.free != NULL) {
        s.cls->cells.free(s.cells);
    }
    wsr__free(s.options);
    return status;
}

// ---------------------------------------------------------------- comparing

static wsr_status differ(const char *key, const char *have, const char *want)
{
    return WSR_FAIL(WSR_FORMAT, "wsr.%s: is %.80s, that of the network %.80s",
                    key, have, want);
}

// The error of two lists that differ, with both printed.
static wsr_status compare_list(const wsr__net_options *have, const wsr_net *net,
                               const char *key)
{
    const wsr__option *const option =
        wsr__schema_find(net->cls->super.schema, key);
    wsr__str a = {0};
    wsr__str b = {0};
    wsr__params_print(&a, have, option);
    wsr__params_print(&b, net->options, option);
    const bool failed = a.failed || b.failed;
    const wsr_status status = failed ? WSR_NOMEM : differ(key, a.s, b.s);
    wsr__str_free(&a);
    wsr__str_free(&b);
    return status;
}

// The weights of the stem were trained on images normalised with the file's
// mean and std; with others the network computes something else.
static wsr_status compare_normalize(const wsr_net *net, wsr__net_get get,
                                    void *ctx)
{
    static const char *const keys[] = {"mean", "std"};
    wsr_status status = WSR_OK;
    wsr__net_options have = {0};
    for (size_t i = 0; i < 2; i++) {
        char key[KEY_SIZE];
        (void)snprintf(key, sizeof(key), "wsr.%s", keys[i]);
        const char *const value = get(ctx, key);
        WSR_TRY(as_format(wsr__params_set(&have, net->cls->super.schema, "wsr.",
                                          keys[i], value == NULL ? "" : value,
                                          NULL)));
    }
    const wsr__normalize *const a = &have.normalize;
    const wsr__normalize *const b = &net->options->normalize;
    const int64_t channels = net->options->image_channels;
    WSR_TRY(as_format(wsr__normalize_fit(a, "wsr.", channels)));
    for (int64_t c = 0; c < channels; c++) {
        if (wsr__normalize_mean(a, c) != wsr__normalize_mean(b, c)) {
            return compare_list(&have, net, "mean");
        }
        if (wsr__normalize_std(a, c) != wsr__normalize_std(b, c)) {
            return compare_list(&have, net, "std");
        }
    }
out:
    return status;
}

// Choices by name, such as the stem: those of a network may have parameters of
// the same shapes.
static wsr_status compare_words(const wsr_net *net, wsr__net_get get, void *ctx)
{
    for (const wsr__option *o = net->cls->super.schema; o->key != NULL; o++) {
        char key[KEY_SIZE];
        metadata_key(key, o->key);
        const char *const have = o->kind == WSR__WORD ? get(ctx, key) : NULL;
        const char *const own = (const char *)net->options + o->offset;
        if (have != NULL && !wsr__streq(have, own)) {
            return differ(o->key, have, own);
        }
    }
    return WSR_OK;
}

// Only the first `layers` cells of RobNet codes matter.
static wsr_status compare_cells(const wsr_net *net, wsr__net_get get, void *ctx)
{
    const wsr__net_cells *const cells = &net->cls->cells;
    const size_t layers = wsr__net_layers(net);
    char key[KEY_SIZE];
    void *have = NULL;
    if (cells->parse == NULL) {
        return WSR_OK;
    }
    metadata_key(key, cells->key);
    const char *const yaml = get(ctx, key);
    if (yaml == NULL) {
        return WSR_OK;
    }
    wsr_status status = cells->parse(&have, yaml, "metadata");
    if (status == WSR_OK && !cells->same(have, net->cells, layers)) {
        status = differ(cells->key, cells->name(have), cells->name(net->cells));
    }
    cells->free(have);
    return status;
}

// Compares what the shapes of tensors cannot show. A file without a
// description may still have a normalisation layer.
wsr_status wsr__net_agrees(const wsr_net *net, wsr__net_get get, void *ctx)
{
    wsr_status status = WSR_OK;
    const char *const kind = get(ctx, "wsr.kind");
    if (kind == NULL) {
        // A file without a description may have a layer that normalises.
        const bool normalizes = get(ctx, "wsr.mean") != NULL;
        return normalizes ? compare_normalize(net, get, ctx) : WSR_OK;
    }
    if (!wsr__streq(kind, net->cls->super.name)) {
        return differ("kind", kind, net->cls->super.name);
    }
    WSR_TRY(compare_words(net, get, ctx));
    WSR_TRY(compare_normalize(net, get, ctx));
    WSR_TRY(compare_cells(net, get, ctx));
out:
    return status;
}

// --------------------------------------------------------------- for people

static void add_list(wsr__str *out, const wsr_net *net, const char *key)
{
    const wsr__option *const option =
        wsr__schema_find(net->cls->super.schema, key);
    if (!is_unset(net, option)) {
        wsr__str_addf(out, ", %s ", key);
        wsr__params_print(out, net->options, option);
    }
}

// "mean 0, std 1", and the range where the kind has one.
wsr_status wsr__net_normalization(char **out, const wsr_net *net)
{
    static const char *const keys[] = {"mean", "std", "range"};
    wsr__str text = {0};
    *out = NULL;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const wsr__option *const option =
            wsr__schema_find(net->cls->super.schema, keys[i]);
        if (option != NULL) {
            wsr__str_addf(&text, "%s%s ", i == 0 ? "" : ", ", keys[i]);
            wsr__params_print(&text, net->options, option);
        }
    }
    return wsr__str_give(out, &text);
}

static void add_cells(wsr__str *out, const wsr_net *net)
{
    const wsr__cells_options *const o = wsr__net_cells_options(net);
    const wsr__net_cells *const cells = &net->cls->cells;
    if (cells->name != NULL) {
        wsr__str_addf(out, " %s", cells->name(net->cells));
    }
    wsr__str_addf(out, ": %lld channels, %lld cells", (long long)o->channels,
                  (long long)o->layers);
}

// The options that only this kind has: those behind the common ones.
static void add_own(wsr__str *out, const wsr_net *net)
{
    const char *before = ": ";
    for (const wsr__option *o = net->cls->super.schema; o->key != NULL; o++) {
        if (o->offset >= sizeof(wsr__net_options)) {
            wsr__str_addf(out, "%s%s ", before, o->key);
            if (wsr__net_holds_cells(net->cls, o->key)) {
                wsr__str_add(out, net->cls->cells.name(net->cells));
            } else {
                wsr__params_print(out, net->options, o);
            }
            before = ", ";
        }
    }
}

wsr_status wsr_net_describe(char **out, const wsr_net *net)
{
    wsr__str text = {0};
    const wsr__net_options *const o = net->options;
    wsr__str_add(&text, net->cls->super.name);
    if (net->cls->body == NULL) {
        add_cells(&text, net);
    } else {
        add_own(&text, net);
    }
    wsr__str_addf(&text,
                  ", %lld classes, images of %lldx%lldx%lld, %lld parameters",
                  (long long)o->classes, (long long)o->image_channels,
                  (long long)o->image_size, (long long)o->image_size,
                  (long long)wsr_params_scalars(net->params));
    add_list(&text, net, "mean");
    add_list(&text, net, "std");
    return wsr__str_give(out, &text);
}
