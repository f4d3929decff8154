// SPDX-License-Identifier: Apache-2.0
//
// A graph auto-encoder, the second predictor of the authors' code. Each cell is
// a graph of its operations (op/cell_graph.h), weighted by the table. A graph
// isomorphism network (Xu et al. 2019, arXiv:1810.00826) encodes its nodes:
//
//   x_l+1 = relu(norm(mlp_l((1 + eps_l) x_l + A x_l))),   z = fc(x_L)
//
// A decoder reconstructs operations and adjacency from z with dropout, which
// needs no losses and so can be learned before; the heads predict from z of
// both cells:
//
//   ops = softmax(linear(z)),   A = sigmoid(z z^T)
//   out = mean over nodes of linear_2(relu(linear_1(relu([z_normal
//   z_reduce]))))
//
// The loss is recon_weight times the reconstructions' (binary cross entropy of
// operations, mean squared error of the adjacency), plus the heads' errors.
// Parameter names are those of the authors' module, which has one head.

#include "cell/cell.h"
#include "io/io.h"
#include "op/cell_graph.h"
#include "op/params.h"
#include "predictor/predictor.h"

#include <stddef.h>
#include <string.h>

typedef struct options {
    wsr__predictor_options common;
    int64_t layers;
    int64_t hidden;
    int64_t latent;
    int64_t mlp_layers;
    int64_t head_hidden;
    double dropout;
    wsr__text preprocess;
    double lambda;
    double recon_weight;
    int64_t pretrain;
    wsr__text extractor;
} options;

static const char *const modes[] = {"0", "3", "4", NULL};

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {"layers", WSR__INT, offsetof(options, layers), "5", 2, 64, "",
     "one more than the encoder has, as the authors count", NULL},
    {"hidden", WSR__INT, offsetof(options, hidden), "128", 1, 4096, "",
     "features of a node within the encoder", NULL},
    {"latent", WSR__INT, offsetof(options, latent), "16", 1, 4096, "",
     "features of a node behind it", NULL},
    {"mlp_layers", WSR__INT, offsetof(options, mlp_layers), "2", 2, 16, "",
     "linear maps of each of the encoder's layers", NULL},
    {"head_hidden", WSR__INT, offsetof(options, head_hidden), "128", 1, 4096,
     "", "hidden features of the heads", NULL},
    {"dropout", WSR__FLOAT, offsetof(options, dropout), "0.3", 0, 0.99, "",
     "share of z that the decoder loses in training", NULL},
    {"preprocess", WSR__WORD, offsetof(options, preprocess), "4", 0, 0, "",
     "adjacency that the encoder reads: 0 A, 3 lambda A + (1 - lambda) A^T, "
     "4 A + A^T",
     modes},
    {"lambda", WSR__FLOAT, offsetof(options, lambda), "0", 0, 1, "",
     "of preprocess=3", NULL},
    {"recon_weight", WSR__FLOAT, offsetof(options, recon_weight), "0.8", 0, 1e3,
     "", "factor of the reconstruction's loss", NULL},
    {"pretrain", WSR__INT, offsetof(options, pretrain), "0", 0, 1000000,
     "passes",
     "of the reconstruction over random architectures, before the "
     "first training",
     NULL},
    {"extractor", WSR__TEXT, offsetof(options, extractor), "", 0, 0, "",
     "safetensors file whose tensors extractor.* the encoder and the decoder "
     "start from",
     NULL},
    {0},
};

// Both cells have as many edges; a cell of m nodes has m (m + 3) / 2.
static wsr_status check(const void *params, int64_t rows, int64_t cols)
{
    (void)params;
    (void)cols;
    if (rows % 2 != 0 || wsr__cell_graph_nodes(rows / 2) == 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "predictor: gae reads tables of two cells with 2, 5, "
                        "9, 14 or so many edges each, not of %lld rows",
                        (long long)rows);
    }
    return WSR_OK;
}

// ------------------------------------------------------------------ encoder

enum { NAME = 96 };

static wsr_value linear(const wsr__predictor_graph *g, const char *name,
                        wsr_value src, int64_t m)
{
    const wsr_shape *const shape = wsr_graph_shape(g->graph, src);
    return wsr__predictor_linear(
        g, name, src, m,
        wsr__predictor_bound(shape == NULL ? 1 : shape->dims[1]));
}

static wsr_value relu_norm(const wsr__predictor_graph *g, const char *name,
                           wsr_value x)
{
    wsr__site site = {.graph = g->graph, .affine = true};
    (void)snprintf(site.prefix, sizeof(site.prefix), "%.*s.",
                   (int)sizeof(site.prefix) - 2, name);
    return wsr__op1(g->graph, "relu", NULL, wsr__build_norm(&site, x));
}

// Linear maps with norms and relus between them. x is (n v, d).
static wsr_value mlp(const wsr__predictor_graph *g, int64_t layer, wsr_value x)
{
    const options *const o = g->options;
    static const char prefix[] = "extractor.encoder.mlps";
    char name[NAME];
    for (int64_t i = 0; i < o->mlp_layers; i++) {
        (void)snprintf(name, sizeof(name), "%s.%lld.linears.%lld", prefix,
                       (long long)layer, (long long)i);
        x = linear(g, name, x, o->hidden);
        if (i + 1 < o->mlp_layers) {
            (void)snprintf(name, sizeof(name), "%s.%lld.batch_norms.%lld",
                           prefix, (long long)layer, (long long)i);
            x = relu_norm(g, name, x);
        }
    }
    return x;
}

// Kinds of nodes (n v, kinds) and the adjacency (n, v, v) to z (n v, latent).
static wsr_value encode(const wsr__predictor_graph *g, wsr_value x,
                        wsr_value adjacency)
{
    const options *const o = g->options;
    const wsr_value eps = wsr__param_value(g->graph, "extractor.encoder.eps",
                                           wsr__shape1(o->layers - 1),
                                           (wsr__init){0});
    for (int64_t i = 0; i + 1 < o->layers; i++) {
        const wsr__gin_aggregate_params layer = {i};
        const wsr_value srcs[] = {x, adjacency, eps};
        char name[NAME];
        x = wsr__opn_of(g->graph, &wsr__op_gin_aggregate, &layer, srcs, 3);
        (void)snprintf(name, sizeof(name), "extractor.encoder.batch_norms.%lld",
                       (long long)i);
        x = relu_norm(g, name, mlp(g, i, x));
    }
    return linear(g, "extractor.encoder.fc", x, o->latent);
}

// ------------------------------------------------------------------ decoder

// What a cell is encoded from and reconstructed to.
typedef struct cell {
    wsr_value kinds;     // (n v, candidates + 3)
    wsr_value adjacency; // (n, v, v), directed
    wsr_value z;         // (n v, latent)
} cell;

static wsr_value adjacency(const wsr__predictor_graph *g, wsr_value table,
                           double along, double against)
{
    const wsr__cell_adjacency_params params = {along, against};
    return wsr__op1_of(g->graph, &wsr__op_cell_adjacency, &params, table);
}

static cell read_cell(const wsr__predictor_graph *g, int64_t first)
{
    const options *const o = g->options;
    const wsr__slice_params rows = {1, first, first + g->rows / 2, 1};
    const wsr_value table = wsr__op1_of(g->graph, &wsr__op_slice, &rows, g->x);
    const bool reversed = wsr__streq(o->preprocess.s, "3");
    const bool both = wsr__streq(o->preprocess.s, "4");
    cell c = {.kinds = wsr__op1(g->graph, "cell_operations", NULL, table),
              .adjacency = adjacency(g, table, 1, 0)};
    const wsr_value read = reversed || both
                               ? adjacency(g, table, both ? 1 : o->lambda,
                                           both ? 1 : 1 - o->lambda)
                               : c.adjacency;
    c.z = encode(g, c.kinds, read);
    return c;
}

// Mean over the nodes of a loss per node.
static wsr_value mean_of_nodes(const wsr__predictor_graph *g, wsr_value loss)
{
    const wsr__view_params nodes = {{1, {g->rows / 2 + WSR__CELL_GRAPH_MORE}}};
    return wsr__op1(g->graph, "mean", NULL,
                    wsr__op1_of(g->graph, &wsr__op_view, &nodes, loss));
}

// Loss of a cell's reconstruction (n).
static wsr_value decode(wsr__predictor_graph *g, const cell *c)
{
    const options *const o = g->options;
    wsr_graph *const graph = g->graph;
    const int64_t v = g->rows / 2 + WSR__CELL_GRAPH_MORE;
    const wsr__view_params samples = {{2, {v, o->latent}}};
    const wsr_value z = wsr__predictor_dropout(g, c->z, o->dropout);
    const wsr_value kinds = wsr__op1(graph, "softmax", NULL,
                                     linear(g, "extractor.decoder.linear_opt",
                                            z, g->cols + WSR__CELL_GRAPH_MORE));
    const wsr_value by_sample = wsr__op1_of(graph, &wsr__op_view, &samples, z);
    const wsr_value arcs = wsr__op1(
        graph, "sigmoid", NULL,
        wsr__op2(graph, "matmul", "transpose_b=true", by_sample, by_sample));
    const wsr_value of_kinds =
        wsr__op2(graph, "binary_cross_entropy", NULL, kinds, c->kinds);
    return wsr__op2(graph, "add", NULL, mean_of_nodes(g, of_kinds),
                    wsr__op2(graph, "mse", NULL, arcs, c->adjacency));
}

// -------------------------------------------------------------------- heads

// The mean over the nodes comes last: it passes through a linear map.
static wsr_value predict(const wsr__predictor_graph *g, const cell cells[2])
{
    const options *const o = g->options;
    wsr_graph *const graph = g->graph;
    const int64_t heads = (int64_t)g->heads;
    const int64_t v = g->rows / 2 + WSR__CELL_GRAPH_MORE;
    const wsr__view_params samples = {{2, {v, heads}}};
    const wsr__reshape_params image = {{3, {heads, v, 1}}};
    const wsr_value z = wsr__op2(graph, "concat", NULL, cells[0].z, cells[1].z);
    const wsr_value inner = linear(g, "predictor.linear_1",
                                   wsr__op1(graph, "relu", NULL, z),
                                   o->head_hidden);
    const wsr_value by_node = linear(
        g, "predictor.linear_2", wsr__op1(graph, "relu", NULL, inner), heads);
    const wsr_value by_head =
        wsr__op1(graph, "transpose", NULL,
                 wsr__op1_of(graph, &wsr__op_view, &samples, by_node));
    return wsr__op1(graph, "global_avg_pool", NULL,
                    wsr__op1_of(graph, &wsr__op_reshape, &image, by_head));
}

static wsr_value build(wsr__predictor_graph *g)
{
    const options *const o = g->options;
    const cell cells[] = {read_cell(g, 0), read_cell(g, g->rows / 2)};
    if (g->use != WSR__PREDICT) {
        const wsr_value normal = decode(g, &cells[0]);
        wsr__predictor_own_loss(
            g, wsr__op2(g->graph, "add", NULL, normal, decode(g, &cells[1])),
            o->recon_weight);
    }
    return predict(g, cells);
}

// ---------------------------------------------------------------- extractor

// Names of tensors are those of a whole predictor, so that its file will do.
// What counts batches is not read: nothing depends on it.
static wsr_status load(wsr_params *params, const void *opaque)
{
    static const char prefix[] = "extractor.";
    const options *const o = opaque;
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    if (o->extractor.s[0] == '\0') {
        return WSR_OK;
    }
    WSR_TRY(wsr__st_open(&st, o->extractor.s));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        if (!p->integer && strncmp(p->name, prefix, sizeof(prefix) - 1) == 0) {
            WSR_TRY(wsr__st_read_f32(p->data, st, p->name, (size_t)p->count));
            wsr__param_touch(p);
        }
    }
out:
    wsr__st_free(st);
    return status;
}

static size_t pretrain(const void *opaque)
{
    const options *const o = opaque;
    return (size_t)o->pretrain;
}

const wsr__predictor_class wsr__predictor_gae = {
    .super = {"gae", "graph auto-encoder of the cells, a head per strength",
              "arXiv:1810.00826", schema, sizeof(options)},
    .build = build,
    .check = check,
    .load = load,
    .pretrain = pretrain,
};
