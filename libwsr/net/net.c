// SPDX-License-Identifier: Apache-2.0
//
// Making networks, and their accessors.
//
// All parameters are made together with the network: the constructor builds a
// graph that contains everything (all candidates, the auxiliary classifier)
// and drops it. So the order of the parameters is PyTorch's, and their initial
// values depend on the seed only, not on the graph that is built first.

#include "net/net.h"

#define WSR_REG(family, name) &wsr__##family##_##name.super,
static const wsr__class *const classes[] = {
#include "net/nets.def"
    NULL,
};
#undef WSR_REG

const wsr__family wsr__nets = {"network kind", classes};

static void take_stem(wsr_net *net, const wsr__cells_options *options)
{
    net->stem = wsr__stems;
    while (!wsr__streq(net->stem->name, options->stem.s)) {
        net->stem++; // the schema permits no other names
    }
}

static int64_t usual_size(const wsr_net *net)
{
    return net->stem != NULL ? net->stem->image_size
                             : net->cls->image_size(net->options);
}

// The options are copied; normalisation and image size are resolved once, so
// that graphs need not.
static wsr_status take_options(wsr_net *net, const wsr__net_options *options)
{
    wsr_status status = WSR_OK;
    void *copy = NULL;
    wsr__str prefix = {0};
    WSR_TRY(wsr__class_copy(&copy, &net->cls->super, options));
    net->options = copy;
    wsr__str_addf(&prefix, "%s.", net->cls->super.name);
    WSR_TRY(wsr__str_status(&prefix));
    WSR_TRY(wsr__normalize_fit(&net->options->normalize, prefix.s,
                               net->options->image_channels));
    if (net->cls->body == NULL) {
        take_stem(net, copy);
    }
    if (net->options->image_size == 0) {
        net->options->image_size = usual_size(net);
    }
    net->image = wsr__shape4(1, net->options->image_channels,
                             net->options->image_size,
                             net->options->image_size);
out:
    wsr__str_free(&prefix);
    return status;
}

// `cells` is a genotype, codes or a space, whatever the kind has; NULL loads
// what the options name.
wsr_status wsr__net_shell(wsr_net **out, const wsr__net_class *cls,
                          const void *cells, const wsr__net_options *options)
{
    wsr_status status = WSR_OK;
    wsr_net *net = wsr__alloc(1, sizeof(*net));
    *out = NULL;
    if (net == NULL) {
        return WSR_NOMEM;
    }
    net->cls = cls;
    WSR_TRY(take_options(net, options));
    if (cls->cells.make != NULL) {
        const void *const own = net->options;
        WSR_TRY(cls->cells.make(&net->cells, own, cells));
    }
    if (cls->open != NULL) {
        WSR_TRY(cls->open(net));
    }
    if (cls->check != NULL) {
        WSR_TRY(cls->check(net));
    }
    *out = net;
    net = NULL;
out:
    wsr_net_free(net);
    return status;
}

// The constructor from decoded options.
wsr_status wsr__net_make(wsr_net **out, const wsr__net_class *cls,
                         const void *cells, const wsr__net_options *options,
                         uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    wsr_net *net = NULL;
    *out = NULL;
    WSR_TRY(wsr__net_shell(&net, cls, cells, options));
    WSR_TRY(wsr_params_new(&net->params, seed));
    const wsr__build everything = {.net = net, .all = true};
    WSR_TRY(wsr__net_build(&graph, &everything));
    *out = net;
    net = NULL;
out:
    wsr_graph_free(graph);
    wsr_net_free(net);
    return status;
}

// The constructor from text.
wsr_status wsr__net_decode(wsr_net **out, const wsr__net_class *cls,
                           const void *cells, const char *options,
                           uint64_t seed)
{
    wsr_status status = WSR_OK;
    void *params = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_params(&params, &cls->super,
                              options == NULL ? "" : options));
    WSR_TRY(wsr__net_make(out, cls, cells, params, seed));
out:
    wsr__free(params);
    return status;
}

wsr_status wsr_net_new_kind(wsr_net **out, const char *kind,
                            const char *options, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_find(&cls, &wsr__nets, kind));
    WSR_TRY(
        wsr__net_decode(out, (const wsr__net_class *)cls, NULL, options, seed));
out:
    return status;
}

void wsr_net_free(wsr_net *net)
{
    if (net == NULL) {
        return;
    }
    if (net->cls->close != NULL) {
        net->cls->close(net->own);
    }
    if (net->cls->cells.free != NULL) {
        net->cls->cells.free(net->cells);
    }
    wsr_params_free(net->params);
    wsr__free(net->options);
    wsr__free(net);
}

const char *wsr_net_kind(const wsr_net *net)
{
    return net->cls->super.name;
}

wsr_params *wsr_net_params(const wsr_net *net)
{
    return net->params;
}

size_t wsr_net_classes(const wsr_net *net)
{
    return (size_t)net->options->classes;
}

const wsr_shape *wsr_net_image(const wsr_net *net)
{
    return &net->image;
}

const wsr__cells_options *wsr__net_cells_options(const wsr_net *net)
{
    const void *const options = net->options;
    return net->cls->body == NULL ? options : NULL;
}

size_t wsr__net_layers(const wsr_net *net)
{
    const wsr__cells_options *const options = wsr__net_cells_options(net);
    return options != NULL ? (size_t)options->layers : 0;
}

double wsr__net_drop_path(const wsr_net *net)
{
    const wsr__cells_options *const options = wsr__net_cells_options(net);
    return options != NULL ? options->drop_path : 0;
}

double wsr__net_dropout(const wsr_net *net)
{
    return net->cls->dropout != NULL ? net->cls->dropout(net->options) : 0;
}

wsr_status wsr_net_graph(wsr_graph **out, const wsr_net *net, bool training)
{
    return wsr__net_graph_at(out, net, &net->image, training);
}

// A supernet has no graph of its own: wsr_supernet_graph() makes one for a
// path.
wsr_status wsr__net_graph_at(wsr_graph **out, const wsr_net *net,
                             const wsr_shape *image, bool training)
{
    *out = NULL;
    if (net->cls->paths) {
        return WSR_FAIL(WSR_ARG, "net: a %s has a graph per path only",
                        net->cls->super.name);
    }
    if (wsr__supernet_space(net) != NULL) {
        return WSR_FAIL(WSR_ARG,
                        "net: a %s without a genotype is for searches, give it "
                        "the option genotype",
                        net->cls->super.name);
    }
    const wsr__build build = {.net = net, .training = training, .image = image};
    return wsr__net_build(out, &build);
}
