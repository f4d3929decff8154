// SPDX-License-Identifier: Apache-2.0
//
// A network's description as text: what a file carries so that it can be read
// without being told what it holds. Keys are "wsr.kind", "wsr.genotype" or
// "wsr.codes" (the YAML itself, not its name), and "wsr." with each option.

#include "net/net.h"

#include <string.h>

enum { KEY_SIZE = 64 };

static void print_codes(wsr__str *out, const wsr_robnet_codes *codes)
{
    const bool share = wsr_robnet_codes_share(codes);
    wsr__str_addf(out, "name: %s\nshare: %s\ncodes:\n",
                  wsr_robnet_codes_name(codes), share ? "true" : "false");
    for (size_t c = 0; c < wsr_robnet_codes_count(codes); c++) {
        for (size_t e = 0; e < WSR__ROBNET_EDGES; e++) {
            const unsigned code = wsr_robnet_codes_at(codes, c, e);
            wsr__str_addf(out, "%s\"%u%u\"", e == 0 ? "  - [" : ", ", code >> 1,
                          code & 1);
        }
        wsr__str_add(out, "]\n");
    }
}

wsr_status wsr__codes_copy(wsr_robnet_codes **out,
                           const wsr_robnet_codes *codes)
{
    wsr__str text = {0};
    *out = NULL;
    print_codes(&text, codes);
    wsr_status status = wsr__str_status(&text);
    if (status == WSR_OK) {
        status =
            wsr_robnet_codes_parse(out, text.s, wsr_robnet_codes_name(codes));
    }
    wsr__str_free(&text);
    return status;
}

static bool is_structure(const char *key)
{
    return wsr__streq(key, "genotype") || wsr__streq(key, "codes");
}

// A list that nobody gave: the network is the same as without the option.
static bool is_unset(const wsr_net *net, const wsr__option *option)
{
    const char *const field = (const char *)&net->options + option->offset;
    return option->kind == WSR__FLOATS &&
           ((const wsr__floats *)(const void *)field)->n == 0;
}

static wsr_status put_structure(const wsr_net *net, wsr__net_put put, void *ctx)
{
    wsr_status status = WSR_OK;
    char *yaml = NULL;
    wsr__str codes = {0};
    if (net->genotype != NULL) {
        WSR_TRY(wsr_genotype_print(&yaml, net->genotype));
        WSR_TRY(put(ctx, "wsr.genotype", yaml));
    }
    if (net->codes != NULL) {
        print_codes(&codes, net->codes);
        WSR_TRY(wsr__str_status(&codes));
        WSR_TRY(put(ctx, "wsr.codes", codes.s));
    }
out:
    wsr_text_free(yaml);
    wsr__str_free(&codes);
    return status;
}

static wsr_status put_option(const wsr_net *net, const wsr__option *option,
                             wsr__net_put put, void *ctx)
{
    char key[KEY_SIZE];
    wsr__str value = {0};
    (void)snprintf(key, sizeof(key), "wsr.%s", option->key);
    wsr__params_print(&value, &net->options, option);
    wsr_status status = wsr__str_status(&value);
    if (status == WSR_OK) {
        status = put(ctx, key, value.s == NULL ? "" : value.s);
    }
    wsr__str_free(&value);
    return status;
}

wsr_status wsr__net_metadata(const wsr_net *net, wsr__net_put put, void *ctx)
{
    wsr_status status = WSR_OK;
    WSR_TRY(put(ctx, "wsr.kind", net->kind->name));
    WSR_TRY(put(ctx, "wsr.input_range", "0,1"));
    WSR_TRY(put_structure(net, put, ctx));
    for (const wsr__option *o = net->kind->schema; o->key != NULL; o++) {
        if (!is_structure(o->key) && !is_unset(net, o)) {
            WSR_TRY(put_option(net, o, put, ctx));
        }
    }
out:
    return status;
}

// ------------------------------------------------------------------ reading

typedef struct source {
    wsr__net_get get;
    void *ctx;
    const wsr__net_kind *kind;
    wsr__net_options options;
    wsr_genotype *genotype;
    wsr_robnet_codes *codes;
} source;

// A description that cannot be is a bad file, not a bad configuration.
static wsr_status as_format(wsr_status status)
{
    return status == WSR_CONFIG ? wsr__fail_at(WSR_FORMAT, "metadata") : status;
}

// The described options, checked.
static wsr_status read_options(source *s)
{
    wsr_status status = WSR_OK;
    wsr__params_default(&s->options, s->kind->schema);
    for (const wsr__option *o = s->kind->schema; o->key != NULL; o++) {
        char key[KEY_SIZE];
        (void)snprintf(key, sizeof(key), "wsr.%s", o->key);
        const char *const value = is_structure(o->key) ? NULL
                                                       : s->get(s->ctx, key);
        if (value != NULL) {
            WSR_TRY(as_format(wsr__params_set(&s->options, s->kind->schema,
                                              "wsr.", o->key, value, NULL)));
        }
    }
    WSR_TRY(as_format(wsr__normalize_fit(&s->options.normalize, "wsr.",
                                         s->options.image_channels)));
out:
    return status;
}

static wsr_status take_override(source *s, const wsr__net_override *override)
{
    const wsr__option *const all = wsr__net_override_schema;
    for (size_t i = 0; override != NULL && all[i].key != NULL; i++) {
        if (!override->given[i]) {
            continue;
        }
        if (wsr__schema_find(s->kind->schema, all[i].key) == NULL) {
            return WSR_FAIL(WSR_CONFIG, "%s.%s: is not an option",
                            s->kind->name, all[i].key);
        }
        wsr__params_copy(&s->options, &override->options, &all[i]);
    }
    return WSR_OK;
}

// Genotype or codes, unless the caller's options name others.
static wsr_status read_structure(source *s)
{
    wsr_status status = WSR_OK;
    const char *const genotype = s->get(s->ctx, "wsr.genotype");
    const char *const codes = s->get(s->ctx, "wsr.codes");
    if (s->kind == &wsr__network && genotype != NULL &&
        s->options.genotype.s[0] == '\0') {
        WSR_TRY(wsr_genotype_parse(&s->genotype, genotype, "metadata"));
    }
    if (s->kind == &wsr__robnet && codes != NULL &&
        s->options.codes.s[0] == '\0') {
        WSR_TRY(wsr_robnet_codes_parse(&s->codes, codes, "metadata"));
    }
out:
    return status;
}

wsr_status wsr__net_from_metadata(wsr_net **out, wsr__net_get get, void *ctx,
                                  const wsr__net_override *override,
                                  uint64_t seed)
{
    wsr_status status = WSR_OK;
    const char *const kind = get(ctx, "wsr.kind");
    source s = {.get = get, .ctx = ctx};
    *out = NULL;
    if (kind == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND, "metadata: wsr.kind is missing");
        goto out;
    }
    s.kind = wsr__net_kind_find(kind);
    if (s.kind == NULL) {
        status = WSR_FAIL(WSR_FORMAT,
                          "metadata: wsr.kind: '%.40s' is none of network, "
                          "robnet, supernet",
                          kind);
        goto out;
    }
    WSR_TRY(read_options(&s));
    WSR_TRY(take_override(&s, override));
    WSR_TRY(read_structure(&s));
    WSR_TRY(wsr__net_make(out, s.kind, s.genotype, s.codes, &s.options, seed));
out:
    wsr_genotype_free(s.genotype);
    wsr_robnet_codes_free(s.codes);
    return status;
}

// ---------------------------------------------------------------- comparing

static wsr_status differ(const char *key, const char *have, const char *want)
{
    return WSR_FAIL(WSR_FORMAT, "wsr.%s: is %.80s, that of the network %.80s",
                    key, have, want);
}

static wsr_status compare_list(const wsr__net_options *have, const wsr_net *net,
                               const char *key)
{
    const wsr__option *const option = wsr__schema_find(net->kind->schema, key);
    wsr__str a = {0};
    wsr__str b = {0};
    wsr__params_print(&a, have, option);
    wsr__params_print(&b, &net->options, option);
    const bool failed = a.failed || b.failed;
    const wsr_status status = failed ? WSR_NOMEM : differ(key, a.s, b.s);
    wsr__str_free(&a);
    wsr__str_free(&b);
    return status;
}

// What the stem's weights were trained behind.
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
        WSR_TRY(
            as_format(wsr__params_set(&have, net->kind->schema, "wsr.", keys[i],
                                      value == NULL ? "" : value, NULL)));
    }
    const wsr__normalize *const a = &have.normalize;
    const wsr__normalize *const b = &net->options.normalize;
    const int64_t channels = net->options.image_channels;
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

static wsr_status compare_genotype(const wsr_net *net, const char *yaml)
{
    wsr_genotype *have = NULL;
    wsr_status status = wsr_genotype_parse(&have, yaml, "metadata");
    if (status == WSR_OK && !wsr_genotype_equal(have, net->genotype)) {
        status = differ("genotype", wsr_genotype_name(have),
                        wsr_genotype_name(net->genotype));
    }
    wsr_genotype_free(have);
    return status;
}

static bool same_codes(const wsr_robnet_codes *a, const wsr_robnet_codes *b,
                       size_t cells)
{
    bool same = wsr_robnet_codes_share(a) || wsr_robnet_codes_count(a) >= cells;
    for (size_t c = 0; c < cells && same; c++) {
        for (size_t e = 0; e < WSR__ROBNET_EDGES && same; e++) {
            same = wsr_robnet_codes_at(a, c, e) == wsr_robnet_codes_at(b, c, e);
        }
    }
    return same;
}

static wsr_status compare_codes(const wsr_net *net, const char *yaml)
{
    wsr_robnet_codes *have = NULL;
    wsr_status status = wsr_robnet_codes_parse(&have, yaml, "metadata");
    if (status == WSR_OK &&
        !same_codes(have, net->codes, (size_t)net->options.layers)) {
        status = differ("codes", wsr_robnet_codes_name(have),
                        wsr_robnet_codes_name(net->codes));
    }
    wsr_robnet_codes_free(have);
    return status;
}

wsr_status wsr__net_agrees(const wsr_net *net, wsr__net_get get, void *ctx)
{
    wsr_status status = WSR_OK;
    const char *const kind = get(ctx, "wsr.kind");
    const char *const stem = get(ctx, "wsr.stem");
    const char *const genotype = get(ctx, "wsr.genotype");
    const char *const codes = get(ctx, "wsr.codes");
    if (kind == NULL) {
        // A file without a description may have a layer that normalises.
        const bool normalizes = get(ctx, "wsr.mean") != NULL;
        return normalizes ? compare_normalize(net, get, ctx) : WSR_OK;
    }
    if (!wsr__streq(kind, net->kind->name)) {
        return differ("kind", kind, net->kind->name);
    }
    if (stem != NULL && !wsr__streq(stem, net->stem->name)) {
        return differ("stem", stem, net->stem->name);
    }
    WSR_TRY(compare_normalize(net, get, ctx));
    if (genotype != NULL && net->genotype != NULL) {
        WSR_TRY(compare_genotype(net, genotype));
    }
    if (codes != NULL && net->codes != NULL) {
        WSR_TRY(compare_codes(net, codes));
    }
out:
    return status;
}

// --------------------------------------------------------------- for people

static void add_list(wsr__str *out, const wsr_net *net, const char *key)
{
    const wsr__option *const option = wsr__schema_find(net->kind->schema, key);
    if (!is_unset(net, option)) {
        wsr__str_addf(out, ", %s ", key);
        wsr__params_print(out, &net->options, option);
    }
}

wsr_status wsr_net_describe(char **out, const wsr_net *net)
{
    wsr__str text = {0};
    const wsr__net_options *const o = &net->options;
    const char *const name = net->genotype != NULL
                                 ? wsr_genotype_name(net->genotype)
                             : net->codes != NULL
                                 ? wsr_robnet_codes_name(net->codes)
                                 : net->space->super.name;
    wsr__str_addf(&text,
                  "%s %s: %lld channels, %lld cells, %lld classes, images of "
                  "%lldx%lldx%lld, %lld parameters",
                  net->kind->name, name, (long long)o->channels,
                  (long long)o->layers, (long long)o->classes,
                  (long long)o->image_channels, (long long)o->image_size,
                  (long long)o->image_size,
                  (long long)wsr_params_scalars(net->params));
    add_list(&text, net, "mean");
    add_list(&text, net, "std");
    return wsr__str_give(out, &text);
}
