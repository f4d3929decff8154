// SPDX-License-Identifier: Apache-2.0
//
// Predictors of losses. A variant builds a graph that maps the table of an
// architecture to one number per head. The files around it:
//   predictor.c   handle, options, memory, state
//   graph.c       what a variant builds its graph with, plans
//   train.c       passes over the memory, and over architectures without losses
//   run.c         predictions, the objective and its gradient
//   strengths.c   strengths of the losses, and what lies between them
//   file.c        weights on disk
//   rank.c        rank correlation and its interval

#ifndef WSR_PREDICTOR_PREDICTOR_H
#define WSR_PREDICTOR_PREDICTOR_H

#include "base/fidelity.h"
#include "graph/graph.h"
#include "optim/optim.h"
#include "wsr/predictor.h"

#include <stddef.h>

enum {
    WSR__HEADS = 65,
    WSR__PREDICTOR_POINTS = 2 * WSR__HEADS, // of an objective, at most
    WSR__PREDICTOR_PLANS = 6,
    WSR__PREDICTOR_MASKS = 4 // of dropout, in a graph
};

extern const char *const wsr__predictor_targets[]; // words, ended by NULL

/// Options that every variant has, the first member of its params struct.
typedef struct wsr__predictor_options {
    wsr__text fidelity;
    wsr__text heads;
    wsr__text scale;
    wsr__text targets;
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
    {"targets", WSR__WORD, offsetof(wsr__predictor_options, targets),          \
     "losses", 0, 0, "", "what is learned: the losses, or their ranks in the " \
     "memory, which a few bad architectures do not dominate",                  \
     wsr__predictor_targets},                                                  \
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

/// What a graph is for.
typedef enum wsr__predictor_use {
    WSR__PREDICT,
    WSR__FIT,     // to losses, and to the variant's own loss
    WSR__PRETRAIN // to the variant's own loss alone
} wsr__predictor_use;

/// A dropout mask: an input of the graph, "mask0", "mask1", ...
typedef struct wsr__predictor_mask {
    size_t floats; // of one sample
    double rate;
} wsr__predictor_mask;

/// What a variant builds its graph from.
typedef struct wsr__predictor_graph {
    wsr_graph *graph;
    const void *options;
    wsr__predictor_use use;
    int64_t rows;
    int64_t cols;
    size_t heads;  // of the result
    wsr_value x;   // (1, rows, cols)
    wsr_value eps; // (1, heads), as shares of the greatest strength; only of
                   // classes that take strengths
    // What the helpers below note.
    wsr__predictor_mask masks[WSR__PREDICTOR_MASKS];
    size_t n_masks;
    bool has_loss;
} wsr__predictor_graph;

typedef struct wsr__predictor_class {
    wsr__class super; // params begin with wsr__predictor_options
    /// Add the parameters and make the result (1, heads).
    wsr_value (*build)(wsr__predictor_graph *g);
    /// Whether the tables can be read. CONFIG otherwise. NULL: all can.
    wsr_status (*check)(const void *options, int64_t rows, int64_t cols);
    /// Once the parameters exist: read some of them. NULL: they stay random.
    wsr_status (*load)(wsr_params *params, const void *options);
    /// Number of passes over random architectures before the first training.
    /// NULL: 0.
    size_t (*pretrain)(const void *options);
    /// Points and weights of the objective, from one weight per loss; returns
    /// how many, at most WSR__PREDICTOR_POINTS. NULL: the losses. Only of
    /// classes that take strengths.
    size_t (*objective)(double *eps, double *weights,
                        const wsr_predictor *predictor, const double *given);
    bool takes_strength; // as an input; the heads are one network
} wsr__predictor_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "predictor/predictors.def"
#undef WSR_REG

extern const wsr__family wsr__predictors;

// ---------------------------------------------------------------- building

/// src weights^T + bias with parameters name.weight (m, k), name.bias (m),
/// which start within +-bound.
wsr_value wsr__predictor_linear(const wsr__predictor_graph *g, const char *name,
                                wsr_value src, int64_t m, double bound);

/// PyTorch's bound for a linear map of k numbers.
double wsr__predictor_bound(int64_t k);

/// n results (1, 1), at most WSR__HEADS, as one (1, n).
wsr_value wsr__predictor_join(const wsr__predictor_graph *g,
                              const wsr_value *parts, size_t n);

/// The last hidden state (1, m) of an LSTM over the rows of x, whose
/// parameters begin with rnn_cell.
wsr_value wsr__predictor_lstm_state(const wsr__predictor_graph *g, int64_t m);

/// Dropout while fitting; src itself otherwise.
wsr_value wsr__predictor_dropout(wsr__predictor_graph *g, wsr_value src,
                                 double rate);

/// The variant's own loss of a sample (1), which training adds to the errors
/// of the heads `factor` times; pre-training has nothing else. Not for
/// WSR__PREDICT.
void wsr__predictor_own_loss(wsr__predictor_graph *g, wsr_value loss,
                             double factor);

// ------------------------------------------------------------------ handle

/// What a plan is made for.
typedef struct wsr__predictor_key {
    size_t n; // architectures
    size_t heads;
    unsigned purpose;
    wsr__predictor_use use;
} wsr__predictor_key;

typedef struct wsr__predictor_plan {
    wsr_plan *plan;
    wsr__predictor_key key;
    wsr__predictor_mask masks[WSR__PREDICTOR_MASKS];
    size_t n_masks;
    bool has_loss;
    uint64_t used; // when last
} wsr__predictor_plan;

struct wsr_predictor {
    const wsr__predictor_class *cls;
    void *options;
    const wsr__predictor_options *common;
    bool sigmoid;
    bool standardised;
    bool ranked;
    size_t rows;
    size_t cols;
    size_t heads;
    uint64_t seed;
    wsr_params *params;
    wsr_optim *optim;
    wsr__predictor_plan plans[WSR__PREDICTOR_PLANS];
    uint64_t uses;
    double *strengths; // (heads)
    bool has_strengths;
    // Memory: a ring, oldest first from counters[0].
    float *tables;       // (memory, rows, cols)
    double *losses;      // (memory, heads)
    int64_t counters[3]; // oldest, number, passes made
    double *stats;       // (2, heads): mean and deviation of the memory
    double *scores;      // (memory, heads): what is learned of the losses
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

/// The same without reading parameters from files that options name, and
/// without the memory, which wsr__predictor_reserve() takes, or
/// wsr_predictor_remember().
wsr_status wsr__predictor_make_random(wsr_predictor **out,
                                      const wsr__predictor_class *cls,
                                      const void *options,
                                      const wsr_shape *table, size_t heads,
                                      uint64_t seed);

/// Adam with the betas of DARTS's architecture optimiser. [out, owned]
wsr_status wsr__predictor_optim(wsr_optim **out, wsr_predictor *predictor);

/// Add the parameters of a graph that serves every use.
wsr_status wsr__predictor_add_params(wsr_predictor *predictor);

/// A plan that was made for `key`, or a new one. [borrowed] until the next
/// call.
wsr_status wsr__predictor_plan_of(wsr__predictor_plan **out,
                                  wsr_predictor *predictor,
                                  const wsr__predictor_key *key);

/// The same for n architectures and all losses: for fitting if it computes
/// gradients of parameters.
wsr_status wsr__predictor_plan_for(wsr_plan **out, wsr_predictor *predictor,
                                   size_t n, unsigned purpose);
void wsr__predictor_plans_free(wsr_predictor *predictor);

/// ARG for strengths that are negative or not finite.
wsr_status wsr__predictor_check_eps(const double *eps, size_t n);

/// ARG for a predictor that takes strengths and has none.
wsr_status wsr__predictor_need_strengths(const wsr_predictor *predictor);

/// Write strengths (heads of the plan) into a plan, the same for all of its
/// architectures; nothing where the class does not take them.
void wsr__predictor_set_eps(const wsr__predictor_plan *plan,
                            const wsr_predictor *predictor, const double *eps);

/// Mean and deviation of the memory's losses at a strength: between two
/// strengths on the line between theirs, outside as at the nearest.
void wsr__predictor_stats_at(double *mean, double *deviation,
                             const wsr_predictor *predictor, double eps);

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
