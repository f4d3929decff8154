// SPDX-License-Identifier: Apache-2.0
//
// Boost networks: a base network of another kind with a block of a searched
// cell beside each of its stages (groups of residual blocks, pairs of
// convolutions, cells),
//
//   s_{i+1} = stage_i(s_i) + block_i(s_{i-1}, s_i),    s_{-1} = s_0.
//
// The hybrid networks of NADAR (Li et al. 2021, arXiv:2108.06885), as in the
// released code of Wsr-NAS. With a genotype the cells of the blocks are those
// of kind `network`; without one all blocks share a relaxed cell, for a search.
// This file has the base, the options and what files hold; boost_cells.c
// builds.

#include "net/boost.h"

#include <string.h>

typedef struct boost_options {
    wsr__cells_options super; // `cells` names the genotype
    wsr__text base;
    wsr__text space;
} boost_options;

#define AT(field) offsetof(boost_options, field)

static const wsr__option schema[] = {
    {"genotype", WSR__TEXT, WSR__CELLS_AT(cells), "", 0, 0, "",
     "name of a genotype, or a file", NULL},
    {"base", WSR__TEXT, AT(base), "small_cnn", 0, 0, "",
     "kind of network that the cells stand beside, with its options: "
     "resnet:depth=18,width=32",
     NULL},
    {"space", WSR__TEXT, AT(space), "darts", 0, 0, "",
     "without a genotype: search space that the candidates come from", NULL},
    WSR__NET_OPTIONS("3"),
    {0},
};

static const boost_options *options_of(const wsr_net *net)
{
    const void *const options = net->options;
    return options;
}

// ----------------------------------------------------------------------- base

// What the whole has, the base must not have a second time; masks of drop path
// and dropout would need an input.
static wsr_status check_base(const wsr__net_class *kind,
                             const wsr__net_options *options)
{
    const void *const any = options;
    const wsr__cells_options *const cells = kind->body == NULL ? any : NULL;
    if (wsr__normalize_given(&options->normalize)) {
        return WSR_FAIL(WSR_CONFIG, "boost.base: mean and std are options of "
                                    "the whole network");
    }
    if (cells != NULL && (cells->drop_path > 0 || cells->auxiliary)) {
        return WSR_FAIL(WSR_CONFIG, "boost.base: drop_path and auxiliary are "
                                    "not there beside other cells");
    }
    if (kind->dropout != NULL && kind->dropout(options) > 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "boost.base: dropout is not there beside other cells");
    }
    return WSR_OK;
}

// Kind and options of the base, as the text says. [out, owned] *params
static wsr_status decode_base(const wsr__net_class **kind, void **params,
                              const boost_options *options)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    *params = NULL;
    WSR_TRY(wsr__class_spec(&cls, params, &wsr__nets, options->base.s));
    *kind = (const wsr__net_class *)cls;
    if ((*kind)->space != NULL) {
        status = WSR_FAIL(WSR_CONFIG,
                          "boost.base: a %s can be no base, such are network, "
                          "resnet, small_cnn and wrn",
                          cls->name);
        goto out;
    }
    WSR_TRY(check_base(*kind, *params));
out:
    if (status == WSR_NOTFOUND) {
        status = wsr__fail_at(WSR_CONFIG, "boost.base");
    }
    if (status != WSR_OK) {
        wsr__free(*params);
        *params = NULL;
    }
    return status;
}

// Images and classes are those of the whole.
static wsr_status make_base(wsr_net **out, const boost_options *options)
{
    wsr_status status = WSR_OK;
    const wsr__net_class *kind = NULL;
    void *params = NULL;
    *out = NULL;
    WSR_TRY(decode_base(&kind, &params, options));
    wsr__net_options *const inner = params;
    inner->classes = options->super.super.classes;
    inner->image_size = options->super.super.image_size;
    inner->image_channels = options->super.super.image_channels;
    status = wsr__net_shell(out, kind, NULL, inner);
    if (status != WSR_OK && status != WSR_NOMEM) {
        status = wsr__fail_at(status, "boost.base");
    }
out:
    wsr__free(params);
    return status;
}

// An option that cannot be is refused when the network is made.
static int64_t image_size(const wsr__net_options *options)
{
    const void *const any = options;
    wsr_net *base = NULL;
    int64_t size = 1;
    if (make_base(&base, any) == WSR_OK) {
        size = base->options->image_size;
    }
    wsr_net_free(base);
    return size;
}

static wsr_status open_base(wsr_net *net)
{
    wsr_status status = WSR_OK;
    const wsr__space_class *space = NULL;
    wsr__boost_own *const o = wsr__alloc(1, sizeof(*o));
    net->own = o;
    if (o == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__space_find(&space, options_of(net)->space.s));
    o->space = space;
    WSR_TRY(make_base(&o->base, options_of(net)));
out:
    return status;
}

static void close_base(void *own_of_net)
{
    wsr__boost_own *const o = own_of_net;
    if (o != NULL) {
        wsr_net_free(o->base);
        wsr__free(o);
    }
}

const wsr__space_class *wsr__boost_space(const wsr_net *net)
{
    const wsr__boost_own *const o = net->own;
    return net->cells == NULL ? o->space : NULL;
}

// ------------------------------------------------------------------- relaxed

static wsr_status check_relaxed(const wsr_net *net)
{
    return net->cls == &wsr__net_boost && wsr__boost_space(net) != NULL
               ? WSR_OK
               : WSR_FAIL(WSR_ARG,
                          "net: a %s is no boost network without a "
                          "genotype",
                          net->cls->super.name);
}

// What is not given has its default.
wsr_status wsr__boost_options(void **out, const char *base,
                              const wsr__cells_options *supernet)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__class_copy(out, &wsr__net_boost.super, NULL));
    boost_options *const o = *out;
    o->super.super = supernet->super;
    o->space = supernet->cells;
    WSR_TRY(wsr__strcpy(o->base.s, sizeof(o->base.s), base));
out:
    return status;
}

wsr_status wsr__boost_graph(wsr_graph **out, const wsr_net *net, bool base)
{
    wsr_status status = WSR_OK;
    const wsr__build build = {.net = net, .training = true, .base = base};
    *out = NULL;
    WSR_TRY(check_relaxed(net));
    WSR_TRY(wsr__net_build(out, &build));
out:
    return status;
}

wsr_status wsr__boost_madds(double *candidates, double *rest,
                            const wsr_net *net)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    *rest = 0;
    WSR_TRY(check_relaxed(net));
    const wsr__build build = {.net = net, .madds = candidates};
    const size_t n = wsr__space_edges(wsr__boost_space(net)) *
                     wsr__boost_space(net)->n_primitives;
    memset(candidates, 0, n * sizeof(*candidates));
    WSR_TRY(wsr__net_build(&graph, &build));
    for (size_t i = 0; i < graph->count; i++) {
        *rest += wsr__graph_madds(graph, i);
    }
    for (size_t i = 0; i < n; i++) {
        *rest -= candidates[i];
    }
out:
    wsr_graph_free(graph);
    return status;
}

// Blocks have two sources and cells of two edges for each node.
static wsr_status check(const wsr_net *net)
{
    const wsr__space_class *const space = wsr__net_single(net);
    const wsr__space_class *const own = wsr__boost_space(net);
    const bool single = space != NULL || (own != NULL && own->single);
    return single
               ? WSR_FAIL(WSR_CONFIG,
                          "boost: cells of the space %s have one source, "
                          "blocks have two",
                          space != NULL ? space->super.name : own->super.name)
               : WSR_OK;
}

// -------------------------------------------------------------------- cells

// What files hold in place of a genotype where there is none.
static const char no_genotype[] = "none";

static wsr_status make(void **out, const wsr__cells_options *options,
                       const void *given)
{
    if (given == NULL && options->cells.s[0] == '\0') {
        *out = NULL;
        return WSR_OK;
    }
    return wsr__net_network.cells.make(out, options, given);
}

static void drop(void *cells)
{
    wsr_genotype_free(cells);
}

static const char *name_of(const void *cells)
{
    return cells == NULL ? no_genotype : wsr_genotype_name(cells);
}

static wsr_status print(char **out, const void *cells)
{
    wsr__str text = {0};
    if (cells != NULL) {
        return wsr_genotype_print(out, cells);
    }
    wsr__str_add(&text, no_genotype);
    return wsr__str_give(out, &text);
}

static wsr_status parse(void **out, const char *text, const char *where)
{
    *out = NULL;
    return wsr__streq(text, no_genotype)
               ? WSR_OK
               : wsr__net_network.cells.parse(out, text, where);
}

static bool same(const void *a, const void *b, size_t layers)
{
    (void)layers;
    return a == NULL || b == NULL ? a == b : wsr_genotype_equal(a, b);
}

// -------------------------------------------------------------- foreign files

static const char anchor[] = "weak.0.preprocess1.op.1.weight";

static wsr_shape base_shape(const void *ctx, const char *name)
{
    const wsr__net_tensors *const all = ctx;
    char full[WSR__SITE_NAME];
    (void)snprintf(full, sizeof(full), "base.%s", name);
    return all->shape(all->ctx, full);
}

// Options of the base that its tensors do not agree with are refused: the base
// is made as the text says, whatever its size.
static wsr_status compare_base(const wsr__net_class *kind, const void *said,
                               const void *told)
{
    wsr__str a = {0};
    wsr__str b = {0};
    wsr__class_print(&a, &kind->super, said);
    wsr__class_print(&b, &kind->super, told);
    wsr_status status = a.failed || b.failed ? WSR_NOMEM : WSR_OK;
    if (status == WSR_OK && !wsr__streq(a.s, b.s)) {
        status = WSR_FAIL(WSR_FORMAT,
                          "base: is %.160s, the tensors are those of %.160s",
                          a.s, b.s);
    }
    wsr__str_free(&a);
    wsr__str_free(&b);
    return status;
}

static void copy_images(void *to, const wsr__net_options *from)
{
    wsr__net_options *const options = to;
    options->classes = from->classes;
    options->image_channels = from->image_channels;
    options->image_size = from->image_size;
}

// Without a description nothing tells of the base: the defaults stay, and the
// tensors fit those or not.
static wsr_status infer(wsr__net_options *common,
                        const wsr__net_tensors *tensors, bool described)
{
    wsr_status status = WSR_OK;
    const void *const any = common;
    const wsr__net_tensors inner = {tensors, base_shape};
    const wsr__net_class *kind = NULL;
    void *said = NULL;
    void *told = NULL;
    if (wsr__net_dim(tensors, anchor, 4, 0) == 0) {
        return WSR_FAIL(WSR_FORMAT, "it lacks %s", anchor);
    }
    if (!described) {
        return WSR_OK;
    }
    status = decode_base(&kind, &said, any);
    if (status != WSR_OK) {
        return wsr__fail_at(status == WSR_CONFIG ? WSR_FORMAT : status,
                            "metadata");
    }
    WSR_TRY(wsr__class_copy(&told, &kind->super, said));
    wsr__net_options *const found = told;
    found->image_size = common->image_size;
    status = wsr__net_infer_inner(kind, found, &inner, true);
    if (status == WSR_FORMAT) {
        status = wsr__fail_at(status, "base");
    }
    WSR_TRY(status);
    copy_images(common, found);
    copy_images(said, found);
    WSR_TRY(compare_base(kind, said, told));
out:
    wsr__free(told);
    wsr__free(said);
    return status;
}

const wsr__net_class wsr__net_boost = {
    .super = {"boost", "a base network with searched cells beside its stages",
              "Li et al. 2021, arXiv:2108.06885", schema,
              sizeof(boost_options)},
    .cells = {"genotype", make, drop, name_of, print, parse, same},
    .space = wsr__boost_space,
    .open = open_base,
    .close = close_base,
    .body = wsr__boost_body,
    .image_size = image_size,
    .check = check,
    .anchor = anchor,
    .infer = infer,
};
