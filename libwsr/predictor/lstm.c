// SPDX-License-Identifier: Apache-2.0
//
// The predictor of Wsr-NAS (EWSS): an LSTM reads the table's rows as a
// sequence; from its last state each head is a linear map to one number.
// Parameter names are those of the authors' module.

#include "predictor/predictor.h"

#include <math.h>

typedef struct options {
    wsr__predictor_options common;
    int64_t hidden;
} options;

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {"hidden", WSR__INT, offsetof(options, hidden), "16", 1, 4096, "",
     "size of the LSTM's state", NULL},
    {0},
};

// PyTorch starts all parameters of an LSTM, and here of the heads, in +-1 /
// sqrt(hidden).
static wsr_value param(wsr_graph *g, const char *name, wsr_shape shape,
                       int64_t hidden)
{
    const wsr__init init = {1 / sqrtf((float)hidden), 0};
    return wsr__param_value(g, name, shape, init);
}

// Head 0 is the loss on clean images, head i the loss at strength i - 1.
static wsr_value head(wsr_graph *g, size_t i, int64_t hidden, wsr_value h)
{
    char prefix[48] = "logits_cell";
    char name[64];
    if (i > 0) {
        snprintf(prefix, sizeof(prefix), "logits_epsilon%zu", i - 1);
    }
    snprintf(name, sizeof(name), "%s.weight", prefix);
    const wsr_value w = param(g, name, wsr__shape2(1, hidden), hidden);
    snprintf(name, sizeof(name), "%s.bias", prefix);
    const wsr_value b = param(g, name, wsr__shape1(1), hidden);
    return wsr__op3(g, "linear", NULL, h, w, b);
}

// x is (1, rows, cols): a row for each edge of both cells.
static wsr_value build(wsr_graph *g, const void *params, wsr_value x,
                       size_t heads)
{
    const options *const o = params;
    const int64_t m = o->hidden;
    const wsr_shape *const shape = wsr_graph_shape(g, x);
    const int64_t cols = shape == NULL ? 1 : shape->dims[2];
    wsr_value out[WSR__HEADS];
    const wsr_value srcs[] = {
        x, param(g, "rnn_cell.weight_ih_l0", wsr__shape2(4 * m, cols), m),
        param(g, "rnn_cell.weight_hh_l0", wsr__shape2(4 * m, m), m),
        param(g, "rnn_cell.bias_ih_l0", wsr__shape1(4 * m), m),
        param(g, "rnn_cell.bias_hh_l0", wsr__shape1(4 * m), m)};
    const wsr_value h = wsr__opn(g, "lstm", NULL, srcs, 5);
    for (size_t i = 0; i < heads; i++) {
        out[i] = head(g, i, m, h);
    }
    return heads == 1 ? out[0] : wsr__opn(g, "concat", NULL, out, heads);
}

const wsr__predictor_class wsr__predictor_lstm = {
    .super = {"lstm", "LSTM over the rows of the table, a head per strength",
              "doi:10.1609/aaai.v37i1.25118", schema, sizeof(options)},
    .build = build,
};
