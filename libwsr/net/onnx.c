// SPDX-License-Identifier: Apache-2.0
//
// Networks of ONNX files. The file is read once, into a graph and its
// parameters; the graphs that callers want are copies of it behind the
// normalisation of the images,
//
//   x in [0, 1]  ->  range (x - mean) / std  ->  the network of the file.
//
// Such a network is made of a file only, so it is in no list of kinds.

#include "net/net.h"

#include "onnx/onnx.h"
#include "op/params.h"

#include <stddef.h>

typedef struct onnx_options {
    wsr__net_options super;
    double range;
} onnx_options;

// clang-format off
static const wsr__option schema[] = {
    WSR__NET_OPTIONS("3"),
    {"range", WSR__FLOAT, offsetof(onnx_options, range), "1", 1e-6, 65536, "",
     "networks of ONNX files: what images in [0, 1] are multiplied by behind "
     "mean and std; 255 for networks that read 0 to 255", NULL},
    {0},
};
// clang-format on

static const onnx_options *options_of(const wsr_net *net)
{
    const void *const options = net->options;
    return options;
}

// One vertex of the file's graph in another graph, whose values are `made`.
static wsr_value copy_vertex(wsr_graph *graph, const wsr__vertex *v,
                             const wsr_value *made, wsr_value x)
{
    wsr_value out = 0;
    if (v->role == WSR__INPUT) {
        return x;
    }
    if (v->role == WSR__PARAM) {
        if (graph->status == WSR_OK) {
            graph->status = wsr_graph_param(&out, graph, v->param->name);
        }
        return out;
    }
    wsr_value *const srcs = wsr__alloc(v->n, sizeof(*srcs));
    if (srcs == NULL) {
        graph->status = WSR_NOMEM;
        return out;
    }
    for (size_t i = 0; i < v->n; i++) {
        srcs[i] = made[v->srcs[i]];
    }
    out = wsr__opn_of(graph, v->cls, v->options, srcs, v->n);
    wsr__free(srcs);
    return out;
}

static wsr_value body(const wsr__build *build, const wsr__site *site,
                      wsr_value x)
{
    const wsr_graph *const file = build->net->own;
    const double range = options_of(build->net)->range;
    wsr_graph *const graph = site->graph;
    if (range != 1) {
        const wsr__scale_params p = {.factor = range};
        x = wsr__op1_of(graph, &wsr__op_scale, &p, x);
    }
    wsr_value *const made = wsr__alloc(file->count, sizeof(*made));
    if (made == NULL) {
        graph->status = WSR_NOMEM;
        return 0;
    }
    for (size_t i = 0; i < file->count && graph->status == WSR_OK; i++) {
        made[i] = copy_vertex(graph, &file->list[i], made, x);
    }
    const wsr_value logits = made[file->outputs[0].value];
    wsr__free(made);
    return logits;
}

static void close_graph(void *own)
{
    wsr_graph_free(own);
}

// What the file says of images and classes; the caller may say what it leaves
// open, and no other than it says.
static wsr_status take_shapes(onnx_options *options, wsr_shape *image,
                              const wsr_graph *graph, const char *path)
{
    wsr__net_options *const common = &options->super;
    *image = graph->list[0].shape; // the input is the first value
    if (common->image_size != 0 && common->image_size != image->dims[2]) {
        return WSR_FAIL(WSR_CONFIG,
                        "%s: net.image_size is %lld, but the network is for "
                        "images of %lld x %lld",
                        path, (long long)common->image_size,
                        (long long)image->dims[2], (long long)image->dims[3]);
    }
    common->image_size = image->dims[2];
    common->image_channels = image->dims[1];
    common->classes = graph->list[graph->outputs[0].value].shape.dims[1];
    return WSR_OK;
}

wsr_status wsr__net_from_onnx(wsr_net **out, const char *path,
                              const wsr__net_override *override)
{
    wsr_status status = WSR_OK;
    void *options = NULL;
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_net *net = NULL;
    wsr_shape image;
    *out = NULL;
    WSR_TRY(wsr__class_copy(&options, &wsr__net_onnx.super, NULL));
    WSR_TRY(wsr__net_take_override(options, &wsr__net_onnx, override));
    onnx_options *const own = options;
    const wsr__onnx_image known = {.channels = own->super.image_channels,
                                   .height = own->super.image_size,
                                   .width = own->super.image_size};
    WSR_TRY(wsr_params_new(&params, 0));
    WSR_TRY(wsr__onnx_read(&graph, params, path, &known));
    WSR_TRY(take_shapes(own, &image, graph, path));
    WSR_TRY(wsr__net_shell(&net, &wsr__net_onnx, NULL, &own->super));
    net->image = image;
    net->params = params;
    net->own = graph;
    params = NULL;
    graph = NULL;
    *out = net;
out:
    wsr_graph_free(graph);
    wsr_params_free(params);
    wsr__free(options);
    return status;
}

const wsr__net_class wsr__net_onnx = {
    .super = {"onnx", "network of an ONNX file", "", schema,
              sizeof(onnx_options)},
    .body = body,
    .close = close_graph,
};
