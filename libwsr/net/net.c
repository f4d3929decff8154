// SPDX-License-Identifier: Apache-2.0
//
// Making networks and asking about them. All parameters are made when the
// network is, by building a graph with everything in it and dropping it: so
// their order is PyTorch's, and their initial values depend on the seed and
// not on which graph is built first.

#include "net/net.h"

const wsr__net_kind *wsr__net_kind_find(const char *name)
{
    static const wsr__net_kind *const kinds[] = {&wsr__network, &wsr__robnet,
                                                 &wsr__supernet, NULL};
    for (size_t i = 0; kinds[i] != NULL; i++) {
        if (wsr__streq(kinds[i]->name, name)) {
            return kinds[i];
        }
    }
    return NULL;
}

static wsr_status take_options(wsr_net *net, const wsr__net_options *options)
{
    wsr_status status = WSR_OK;
    wsr__str prefix = {0};
    net->options = *options;
    wsr__str_addf(&prefix, "%s.", net->kind->name);
    WSR_TRY(wsr__str_status(&prefix));
    WSR_TRY(wsr__normalize_fit(&net->options.normalize, prefix.s,
                               net->options.image_channels));
    net->stem = wsr__stems;
    while (!wsr__streq(net->stem->name, net->options.stem.s)) {
        net->stem++; // the schema permits no other names
    }
    if (net->options.image_size == 0) {
        net->options.image_size = net->stem->image_size;
    }
    net->image = wsr__shape4(1, net->options.image_channels,
                             net->options.image_size, net->options.image_size);
out:
    wsr__str_free(&prefix);
    return status;
}

static wsr_status take_genotype(wsr_net *net, const wsr_genotype *genotype)
{
    const char *const name = net->options.genotype.s;
    if (genotype != NULL) {
        return wsr_genotype_copy(&net->genotype, genotype);
    }
    if (name[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "network.genotype: is missing");
    }
    return wsr_genotype_load(&net->genotype, name);
}

static wsr_status take_codes(wsr_net *net, const wsr_robnet_codes *codes)
{
    const char *const name = net->options.codes.s;
    if (codes != NULL) {
        return wsr__codes_copy(&net->codes, codes);
    }
    if (name[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "robnet.codes: are missing");
    }
    return wsr_robnet_codes_load(&net->codes, name);
}

static wsr_status take_structure(wsr_net *net, const wsr_genotype *genotype,
                                 const wsr_robnet_codes *codes)
{
    wsr_status status = WSR_OK;
    if (net->kind == &wsr__network) {
        WSR_TRY(take_genotype(net, genotype));
    } else if (net->kind == &wsr__robnet) {
        WSR_TRY(take_codes(net, codes));
    } else {
        WSR_TRY(wsr__space_find(&net->space, net->options.space.s));
    }
    if (net->kind->check != NULL) {
        WSR_TRY(net->kind->check(net));
    }
out:
    return status;
}

wsr_status wsr__net_make(wsr_net **out, const wsr__net_kind *kind,
                         const wsr_genotype *genotype,
                         const wsr_robnet_codes *codes,
                         const wsr__net_options *options, uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    wsr_net *net = wsr__alloc(1, sizeof(*net));
    *out = NULL;
    if (net == NULL) {
        return WSR_NOMEM;
    }
    net->kind = kind;
    WSR_TRY(take_options(net, options));
    WSR_TRY(take_structure(net, genotype, codes));
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

wsr_status wsr__net_decode(wsr_net **out, const wsr__net_kind *kind,
                           const wsr_genotype *genotype,
                           const wsr_robnet_codes *codes, const char *options,
                           uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr__str prefix = {0};
    wsr__net_options decoded = {0};
    *out = NULL;
    wsr__str_addf(&prefix, "%s.", kind->name);
    WSR_TRY(wsr__str_status(&prefix));
    wsr__params_default(&decoded, kind->schema);
    WSR_TRY(wsr__params_parse(&decoded, kind->schema, prefix.s,
                              options == NULL ? "" : options));
    WSR_TRY(wsr__net_make(out, kind, genotype, codes, &decoded, seed));
out:
    wsr__str_free(&prefix);
    return status;
}

void wsr_net_free(wsr_net *net)
{
    if (net == NULL) {
        return;
    }
    wsr_genotype_free(net->genotype);
    wsr_robnet_codes_free(net->codes);
    wsr_params_free(net->params);
    wsr__free(net);
}

const char *wsr_net_kind(const wsr_net *net)
{
    return net->kind->name;
}

wsr_params *wsr_net_params(const wsr_net *net)
{
    return net->params;
}

size_t wsr_net_classes(const wsr_net *net)
{
    return (size_t)net->options.classes;
}

const wsr_shape *wsr_net_image(const wsr_net *net)
{
    return &net->image;
}

const wsr_genotype *wsr_net_genotype(const wsr_net *net)
{
    return net->genotype;
}

wsr_status wsr_net_graph(wsr_graph **out, const wsr_net *net, bool training)
{
    *out = NULL;
    if (net->kind == &wsr__supernet) {
        return WSR_FAIL(WSR_ARG, "net: a supernet has a graph per path only");
    }
    const wsr__build build = {.net = net, .training = training};
    return wsr__net_build(out, &build);
}
