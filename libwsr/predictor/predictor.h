// SPDX-License-Identifier: Apache-2.0
//
// Predictors of losses. A variant builds a graph that maps the table of an
// architecture to one number per head. predictor.c holds the memory, train.c
// trains and computes predictions and gradients.

#ifndef WSR_PREDICTOR_PREDICTOR_H
#define WSR_PREDICTOR_PREDICTOR_H

#include "base/fidelity.h"
#include "graph/graph.h"
#include "optim/optim.h"
#include "wsr/predictor.h"

#include <stddef.h>

enum { WSR__HEADS = 65, WSR__PREDICTOR_PLANS = 4 };

/// Options that every variant has, the first member of its params struct.
typedef struct wsr__predictor_options {
    wsr__text fidelity;
    wsr__text heads;
    wsr__text scale;
    int64_t memory;
    int64_t batch;
    double lr;
    double weight_decay;
    double noise;
    bool weighted;
} wsr__predictor_options;

// clang-format off
#define WSR__PREDICTOR_OPTIONS                                                 \
    WSR__FIDELITY(wsr__predictor_options),                                     \
    WSR__QUIRK(wsr__predictor_options, heads, "released: 2 sigmoid, in (0, 2);" \
        " intended: linear, so that a head can express any loss"),             \
    WSR__QUIRK(wsr__predictor_options, scale, "released: losses as they are; " \
        "intended: standardised over the memory, head by head"),               \
    {"memory", WSR__INT, offsetof(wsr__predictor_options, memory), "100", 1,   \
     100000, "", "architectures that are kept", NULL},                         \
    {"batch", WSR__INT, offsetof(wsr__predictor_options, batch), "64", 1,      \
     65536, "", "architectures per training step", NULL},                      \
    {"lr", WSR__FLOAT, offsetof(wsr__predictor_options, lr), "1e-3", 0, 10,    \
     "", "learning rate of Adam", NULL},                                       \
    {"weight_decay", WSR__FLOAT,                                               \
     offsetof(wsr__predictor_options, weight_decay), "1e-3", 0, 10, "",        \
     "of Adam", NULL},                                                         \
    {"noise", WSR__FLOAT, offsetof(wsr__predictor_options, noise), "0.01", 0,  \
     10, "", "deviation of the noise on tables in training", NULL},            \
    {"weighted", WSR__BOOL, offsetof(wsr__predictor_options, weighted),        \
     "false", 0, 0, "", "divide squared errors by the loss", NULL}
// clang-format on

typedef struct wsr__predictor_class {
    wsr__class super; // params begin with wsr__predictor_options
    /// From x (1, rows, cols) to (1, heads).
    wsr_value (*build)(wsr_graph *graph, const void *options, wsr_value x,
                       size_t heads);
} wsr__predictor_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "predictor/predictors.def"
#undef WSR_REG

extern const wsr__family wsr__predictors;

typedef struct wsr__predictor_plan {
    wsr_plan *plan;
    size_t n;
    unsigned purpose;
    uint64_t used; // when last
} wsr__predictor_plan;

struct wsr_predictor {
    const wsr__predictor_class *cls;
    void *options;
    const wsr__predictor_options *common;
    bool sigmoid;
    bool standardised;
    size_t rows;
    size_t cols;
    size_t heads;
    uint64_t seed;
    wsr_params *params;
    wsr_graph *graph;
    wsr_optim *optim;
    wsr__predictor_plan plans[WSR__PREDICTOR_PLANS];
    uint64_t uses;
    // Memory: a ring, oldest first from counters[0].
    float *tables;       // (memory, rows, cols)
    double *losses;      // (memory, heads)
    int64_t counters[3]; // oldest, number, passes made
    double *stats;       // (2, heads): mean and deviation of the memory
    uint32_t *order;     // permutation of a pass
    // Of the batch under way.
    double *targets; // (batch, heads)
    float *noise;    // (batch, rows, cols)
};

/// Make a predictor of a class and its params [copied]; NULL: its defaults.
/// `table` is (rows, cols). [out, owned]
wsr_status wsr__predictor_make(wsr_predictor **out,
                               const wsr__predictor_class *cls,
                               const void *options, const wsr_shape *table,
                               size_t heads, uint64_t seed);

/// A plan for n architectures. [borrowed] until the next call.
wsr_status wsr__predictor_plan_for(wsr_plan **out, wsr_predictor *predictor,
                                   size_t n, unsigned purpose);

/// Errors of a batch: the gradient of
///   sum over heads of mean over the batch of (o - y)^2, or (o - y)^2 / y,
/// into `diff` (n, heads). Returns the loss.
double wsr__predictor_error(float *diff, const wsr_predictor *predictor,
                            const float *out, const double *target, size_t n);

/// State for checkpoints, apart from the parameters.
wsr_status wsr__predictor_reserve(wsr_predictor *predictor);
size_t wsr__predictor_states(const wsr_predictor *predictor);
wsr__state wsr__predictor_state(wsr_predictor *predictor, size_t i);

#endif
