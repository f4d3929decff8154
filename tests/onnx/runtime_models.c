// SPDX-License-Identifier: Apache-2.0
//
// runtime_models DIR: writes networks as DIR/NAME.onnx, with images in
// NAME.x and the logits of these in NAME.y as raw floats, for runtime.js.

#include "graph/graph.h"
#include "onnx/onnx.h"
#include "wsr/net.h"

#include <stdio.h>
#include <stdlib.h>

enum { N = 2 };

static wsr_status put(const char *folder, const char *name, const char *ending,
                      const float *data, size_t n)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s.%s", folder, name, ending);
    return wsr__file_write(path, data, n * sizeof(*data));
}

// Logits of N images, and both as files.
static wsr_status put_logits(const char *folder, const char *name,
                             const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr_plan_new(&plan, graph, N, 0));
    float *const x = wsr_plan_src(plan, "x");
    const size_t n = (size_t)wsr_shape_count(wsr__plan_src_shape(plan, "x"));
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(i * 7919 % 1009) / 1009;
    }
    WSR_TRY(put(folder, name, "x", x, n));
    WSR_TRY(wsr_plan_forward(plan));
    WSR_TRY(put(folder, name, "y", wsr_plan_dst(plan, "logits"),
                (size_t)wsr_shape_count(wsr_plan_shape(plan, "logits"))));
out:
    wsr_plan_free(plan);
    return status;
}

static wsr_status put_net(const char *folder, const char *name,
                          const char *kind, const char *options)
{
    wsr_status status = WSR_OK;
    char path[1024];
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    (void)snprintf(path, sizeof(path), "%s/%s.onnx", folder, name);
    WSR_TRY(wsr_net_new_kind(&net, kind, options, 1));
    WSR_TRY(wsr_net_save(net, path));
    WSR_TRY(wsr_net_graph(&graph, net, false));
    WSR_TRY(put_logits(folder, name, graph));
out:
    wsr_graph_free(graph);
    wsr_net_free(net);
    return status;
}

// One op behind another for each row, so that every way to write one is run.
static const char *const chain[][2] = {
    {"normalize", "mean=0.4,std=0.25"},
    {"layer_norm", NULL}, // the Runtime subtracts squares: of large variance
    {"instance_norm", NULL},
    {"avg_pool", "kernel=3,stride=1,pad=1"},
    {"avg_pool", "kernel=3,stride=1,pad=1,count_pad=true"},
    {"avg_pool", "kernel=[3,2],stride=[1,1],pad=[1,0,1,1]"},
    {"max_pool", "kernel=3,stride=1,pad=1"},
    {"max_pool", "kernel=3,stride=1,pad=2,dilation=2"},
    {"avg_pool", "kernel=3,stride=2,ceil_mode=true"},
    {"resize", "size=[23,25],mode=linear"},
    {"avg_pool", "kernel=2,stride=2,ceil_mode=true,count_pad=true"},
    {"max_pool", "kernel=2,stride=3,ceil_mode=true"},
    {"resize", "scale=4,coordinates=asymmetric,nearest=floor"},
    {"gelu", NULL},
    {"gelu", "approximate=tanh"},
    {"mish", NULL},
    {"silu", NULL},
    {"hard_swish", NULL},
    {"softplus", "beta=2"},
    {"elu", "alpha=0.7"},
    {"selu", NULL},
    {"leaky_relu", "slope=0.2"},
    {"clip", "min=-1,max=1.5"},
    {"pad", "pads=[0,1,2,0,2,1],mode=reflect"},
    {"slice", "axis=3,begin=1,end=14,step=-2"},
    {"subsample", "stride=2,offset=1"},
    {"transpose", "order=[0,2,3,1]"},
    {"log_softmax", "axis=2"},
    {"scale", "factor=0.5,offset=2"},
    {"reduce_mean", "axes=2"},
    {"hard_sigmoid", NULL},
    {"reshape", "dims=-1"},
    {"softmax", NULL},
};

static wsr_status put_chain(const char *folder)
{
    wsr_status status = WSR_OK;
    char path[1024];
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    (void)snprintf(path, sizeof(path), "%s/chain.onnx", folder);
    WSR_TRY(wsr_params_new(&params, 1));
    WSR_TRY(wsr_graph_new(&graph, params));
    wsr_value x = wsr__input(graph, "x", wsr__shape4(1, 3, 22, 24));
    for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
        x = wsr__op1(graph, chain[i][0], chain[i][1], x);
    }
    wsr__set_output(graph, "logits", x);
    WSR_TRY(wsr__graph_status(graph));
    WSR_TRY(wsr__onnx_write(graph, path, NULL, 0));
    WSR_TRY(put_logits(folder, "chain", graph));
out:
    wsr_graph_free(graph);
    wsr_params_free(params);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const nets[][3] = {
        {"cells", "network",
         "genotype=DARTS,channels=8,layers=5,mean=0.5,std=[0.2,0.3,0.4]"},
        {"resnet18", "resnet", "depth=18,stem=imagenet,image_size=64"},
        {"preact", "resnet", "depth=18,width=16,pre_activation=true"},
        {"wrn", "wrn", "depth=10,width=1"},
    };
    wsr_status status = WSR_OK;
    if (argc != 2) {
        return 2;
    }
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        WSR_TRY(put_net(argv[1], nets[i][0], nets[i][1], nets[i][2]));
    }
    WSR_TRY(put_chain(argv[1]));
out:
    if (status != WSR_OK) {
        (void)fprintf(stderr, "%s\n", wsr_error_detail());
    }
    return status == WSR_OK ? 0 : 1;
}
