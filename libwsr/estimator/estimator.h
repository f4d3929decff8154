// SPDX-License-Identifier: Apache-2.0
//
// Estimators of adversarial noise. A variant builds a graph from inputs that
// all variants share. The files around it:
//   estimator.c      handle, options, state
//   prepare.c        from noises, images and target norms to a plan's inputs
//   plans.c          plans per batch size and counts, in one piece of memory
//   sample_memory.c  ring of samples to train on
//   train.c          leave-one-out samples, loss, steps
//   file.c           weights on disk
//   vector.c         graph of those that encode noises as vectors: an.c,
//                    a_ane.c, wa_ane.c
//   feature_map.c    parts of those that encode noises as feature maps:
//                    e_ane.c, e_plus.c, e_ane_minus.c

#ifndef WSR_ESTIMATOR_ESTIMATOR_H
#define WSR_ESTIMATOR_ESTIMATOR_H

#include "base/fidelity.h"
#include "base/registry.h"
#include "graph/graph.h"
#include "graph/image_plans.h"
#include "optim/optim.h"
#include "sched/sched.h"
#include "wsr/estimator.h"

/// Options that every variant has, the first member of its params struct.
typedef struct wsr__estimator_options {
    wsr__text fidelity;
    wsr__text weights;
    wsr__text order;
    wsr__text guard;
    int64_t memory;
    int64_t batch;
    int64_t passes;
    double lr;
    double weight_decay;
    int64_t warmup;
} wsr__estimator_options;

/// Rows of a schema whose params struct begins with these options.
// clang-format off
#define WSR__ESTIMATOR_QUIRK(field, text)                                     \
    {#field, WSR__WORD, offsetof(wsr__estimator_options, field), "auto", 0,   \
     0, "", text, wsr__quirk_words}
#define WSR__ESTIMATOR_OPTIONS                                                \
    WSR__FIDELITY(wsr__estimator_options),                                    \
    WSR__ESTIMATOR_QUIRK(weights, "released: the nearer neighbour counts "    \
        "less, the only neighbour of a target out of range not at all"),      \
    WSR__ESTIMATOR_QUIRK(order,                                               \
        "released: sources as given; intended: sorted by norm"),              \
    WSR__ESTIMATOR_QUIRK(guard, "released: noises of norm zero yield NaN"),   \
    {"memory", WSR__INT, offsetof(wsr__estimator_options, memory), "600", 1,  \
     1000000, "samples", "training samples that are kept", NULL},             \
    {"batch", WSR__INT, offsetof(wsr__estimator_options, batch), "64", 1,     \
     65536, "samples", "samples per training step", NULL},                    \
    {"passes", WSR__INT, offsetof(wsr__estimator_options, passes), "0", 0,    \
     10000, "", "passes over the memory per round; 0: 1 as released, 4 as "   \
     "intended", NULL},                                                       \
    {"lr", WSR__FLOAT, offsetof(wsr__estimator_options, lr), "5e-4", 0, 10,   \
     "", "learning rate after the rise", NULL},                               \
    {"weight_decay", WSR__FLOAT,                                              \
     offsetof(wsr__estimator_options, weight_decay), "1e-4", 0, 10, "",       \
     "AdamW's", NULL},                                                        \
    {"warmup", WSR__INT, offsetof(wsr__estimator_options, warmup), "-1", -1,  \
     1 << 30, "steps", "length of the rise of the learning rate; -1: 4000 as "\
     "released, 50 as intended", NULL}
// clang-format on

/// Inputs that concern one target. Each row over the sources is zero except at
/// the source that the weight belongs to.
typedef struct wsr__estimator_target {
    wsr_value norm;     // (1, 1)
    wsr_value lower;    // (1, n) weight of the source below the target
    wsr_value upper;    // (1, n) weight of the source above it
    wsr_value is_lower; // (1, n) 1 at the source below
    wsr_value is_upper; // (1, n) 1 at the source above
} wsr__estimator_target;

/// What a variant builds its graph from: everything but the weights.
typedef struct wsr__estimator_graph {
    wsr_graph *graph;
    const void *options;
    int64_t c;
    int64_t h;
    int64_t w;
    size_t n;                               // sources
    size_t t;                               // targets
    wsr_value image;                        // (1, c, h, w)
    wsr_value noise[WSR_ESTIMATOR_SOURCES]; // (1, c, h, w) of norm 1
    wsr_value norm[WSR_ESTIMATOR_SOURCES];  // (1, 1)
    wsr__estimator_target target[WSR_ESTIMATOR_TARGETS];
} wsr__estimator_graph;

/// The sources next to a target: `lower` and `upper` count from 0, n is none.
typedef struct wsr__bracket {
    size_t lower;
    size_t upper;
    double lower_weight;
    double upper_weight;
} wsr__bracket;

typedef struct wsr__estimator_class {
    wsr__class super; // params begin with wsr__estimator_options
    /// Add the parameters and make an image (1, c, h, w) per target.
    void (*build)(wsr_value *dst, const wsr__estimator_graph *g);
    /// Change the weights of a bracket, given the norms r (n) of the sources
    /// and that of the target. NULL: leave them.
    void (*weigh)(wsr__bracket *b, const void *options, const float *r,
                  size_t n, float target);
    /// Once the parameters exist: those that do not start like the others.
    void (*init)(wsr_params *params);
    /// Whether estimates use, and move, statistics of the batch instead of
    /// running ones. NULL: there are no batch norms.
    bool (*batch_stats)(const void *options);
    int64_t min_side; // least height and width of an image
} wsr__estimator_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "estimator/estimators.def"
#undef WSR_REG

extern const wsr__family wsr__estimators;

// ---------------------------------------------------------------- building

/// src weights^T + bias with parameters name.weight, name.bias, then a relu.
wsr_value wsr__estimator_dense(const wsr__estimator_graph *g, const char *name,
                               wsr_value src, int64_t m);

/// A convolution to m channels with the parameter name.weight and, with
/// `bias`, name.bias.
typedef struct wsr__estimator_conv {
    int64_t m;
    int64_t kernel[2]; // height, width
    int64_t stride[2];
    int64_t pad;
    bool depthwise;
    bool bias;
} wsr__estimator_conv;

wsr_value wsr__estimator_conv2d(const wsr__estimator_graph *g, const char *name,
                                const wsr__estimator_conv *conv, wsr_value src);

/// Sum of n tensors weighted per sample by coef (1, n).
wsr_value wsr__estimator_mix(const wsr__estimator_graph *g,
                             const wsr_value *srcs, size_t n, wsr_value coef);

/// Sum of the sources v (n) weighted for target t.
wsr_value wsr__estimator_between(const wsr__estimator_graph *g,
                                 const wsr_value *v, size_t t);

/// z brought to the norm of target t.
wsr_value wsr__estimator_normalize(const wsr__estimator_graph *g, wsr_value z,
                                   size_t t);

/// Values joined along an axis; 0: batches one behind the other, which
/// wsr__estimator_chunk takes apart again.
wsr_value wsr__estimator_concat(const wsr__estimator_graph *g,
                                const wsr_value *srcs, size_t n, int64_t axis);

/// Part i of n batches that lie one behind the other.
wsr_value wsr__estimator_chunk(const wsr__estimator_graph *g, wsr_value src,
                               size_t n, size_t i);

/// Numbers or channels of a value: its second dimension.
int64_t wsr__estimator_size(const wsr__estimator_graph *g, wsr_value value);

// ------------------------------------------------------ noises as vectors

/// Options of the family, the params of its variants.
typedef struct wsr__vector_options {
    wsr__estimator_options common;
    wsr__text transpose;
    wsr__text backward;
    wsr__text maps;
    wsr__text query;
    wsr__text attention;
} wsr__vector_options;

extern const wsr__option wsr__vector_schema[];

enum { WSR__VECTOR_SIDE = 4 }; // least height and width

/// The family's graph; the noises are preprocessed by a convolution to
/// `filters` channels and one back, or, with 0, by one of the image's channels.
void wsr__vector_build(wsr_value *dst, const wsr__estimator_graph *g,
                       int64_t filters);

/// The preprocessed noises v (n) alone.
void wsr__vector_noises(wsr_value *v, const wsr__estimator_graph *g,
                        int64_t filters);

// -------------------------------------------------- noises as feature maps

/// Options of the family, the params of its variants.
typedef struct wsr__feature_map_options {
    wsr__estimator_options common;
    wsr__text neighbours;
    wsr__text query;
    wsr__text attention;
    wsr__text pool;
    wsr__text norms;
    wsr__text maps;
    wsr__text hidden;
} wsr__feature_map_options;

/// Rows of a schema that variants with attention share.
// clang-format off
#define WSR__FEATURE_MAP_ATTENTION                                            \
    WSR__QUIRK(wsr__feature_map_options, neighbours,                          \
        "released: both neighbours get the weight of the lower one"),         \
    WSR__QUIRK(wsr__feature_map_options, query,                               \
        "released: the query holds noises only; intended: weighted noises "   \
        "and the map of the target's norm"),                                  \
    WSR__QUIRK(wsr__feature_map_options, attention,                           \
        "released: softmax of raw inner products; intended: of these "        \
        "divided by the root of their length"),                               \
    WSR__QUIRK(wsr__feature_map_options, pool,                                \
        "released: queries and keys see the first half of rows and columns; " \
        "intended: the whole image")
// clang-format on

/// A network of the family: src to m channels, its parameters named name + ...,
/// with `pad` pixels around its convolutions of 3 x 3.
typedef wsr_value (*wsr__feature_map_net)(const wsr__estimator_graph *g,
                                          const char *name, wsr_value src,
                                          int64_t m, int64_t pad);

/// Convolution to 100 channels, relu, convolution, relu.
wsr_value wsr__feature_map_plain(const wsr__estimator_graph *g,
                                 const char *name, wsr_value src, int64_t m,
                                 int64_t pad);

/// Hidden states of both directions: f (n) upwards, b (n) downwards.
void wsr__feature_map_states(wsr_value *f, wsr_value *b,
                             const wsr__estimator_graph *g,
                             wsr__feature_map_net net);

/// A norm (1, 1) as a map (1, 1, h, w).
wsr_value wsr__feature_map_norm(const wsr__estimator_graph *g, wsr_value norm);

/// A map, or an image of one channel, as often as an image has channels.
wsr_value wsr__feature_map_spread(const wsr__estimator_graph *g, wsr_value map);

/// The parameter new_fm for each sample, (1, 1, h, w).
wsr_value wsr__feature_map_new(const wsr__estimator_graph *g);

/// The graph of the variants with attention, made of `net`.
void wsr__feature_map_build(wsr_value *dst, const wsr__estimator_graph *g,
                            wsr__feature_map_net net);

/// wsr__estimator_class.weigh of the variants with attention.
void wsr__feature_map_weigh(wsr__bracket *b, const void *options,
                            const float *r, size_t n, float target);

/// wsr__estimator_class.init: new_fm is uniform in [0, 1).
void wsr__feature_map_init(wsr_params *params);

/// Whether a quirk of an option of the family is on.
bool wsr__feature_map_released(const wsr__estimator_graph *g,
                               const wsr__text *quirk);

enum { WSR__FEATURE_MAP_SIDE = 5 }; // least height and width

// -------------------------------------------------------------- one sample

/// Where one sample lies.
typedef struct wsr__estimator_sample {
    const float *image;
    const float *noise[WSR_ESTIMATOR_SOURCES];
    const float *target; // (t)
    const float *label;  // (t, c, h, w), NULL without training
} wsr__estimator_sample;

/// The neighbours of a target among norms r (n), scanned in the given order,
/// and their weights. `released`: the weights of the released code.
wsr__bracket wsr__bracket_find(const float *r, size_t n, float target,
                               bool released);

// ------------------------------------------------------------------ memory

/// A ring of samples: image, sources, target norm, label, one after another.
typedef struct wsr__ae_memory {
    float *data; // NULL until the number of sources is known
    size_t capacity;
    size_t sources;
    size_t pixels;       // of one image
    int64_t counters[2]; // oldest sample, number of samples
} wsr__ae_memory;

/// Make room. ARG when it has been made for another number of sources.
wsr_status wsr__ae_memory_reserve(wsr__ae_memory *memory, size_t sources);
void wsr__ae_memory_free(wsr__ae_memory *memory);

/// Floats of a sample.
size_t wsr__ae_memory_floats(const wsr__ae_memory *memory);

/// Place for a new sample, which replaces the oldest when there is no other.
float *wsr__ae_memory_push(wsr__ae_memory *memory);

/// Sample i, the oldest first.
wsr__estimator_sample wsr__ae_memory_at(const wsr__ae_memory *memory, size_t i);

// ------------------------------------------------------------------ handle

enum { WSR__ESTIMATOR_PLANS = 12 };

/// A plan and what it was made for.
typedef struct wsr__estimator_plan {
    wsr_plan *plan;
    size_t batch;
    size_t n;
    size_t t;
    bool train;
    uint64_t used; // when last
} wsr__estimator_plan;

/// Plans of single images, for estimates.
typedef struct wsr__estimator_images {
    wsr_graph *graph;
    wsr__image_plans *plans; // NULL: batches are faster
    size_t n;
    size_t t; // 0: not made yet
} wsr__estimator_images;

struct wsr_estimator {
    const wsr__estimator_class *cls;
    void *options;
    const wsr__estimator_options *common;
    wsr_shape image;
    size_t pixels;
    uint64_t seed;
    wsr_params *params;
    wsr__arena arena; // of all plans
    wsr__estimator_plan plans[WSR__ESTIMATOR_PLANS];
    wsr__estimator_images images;
    uint64_t uses;
    wsr__estimator_sample *samples; // of the batch under way
    size_t sample_capacity;
    wsr_optim *optim;
    wsr_sched *sched;
    int64_t steps; // of the optimiser
    wsr__ae_memory memory;
    uint32_t *permutation;
    size_t permutation_capacity;
};

/// Make an estimator of a class and its params [copied]; NULL: its defaults.
/// `image` is (c, h, w). [out, owned]
wsr_status wsr__estimator_make(wsr_estimator **out,
                               const wsr__estimator_class *cls,
                               const void *options, const wsr_shape *image,
                               uint64_t seed);

/// A plan for counts (batch, n, t), with a backward pass and the outputs
/// "loss0", ... when it is for training. [borrowed] until the next call.
wsr_status wsr__estimator_plan_for(wsr_plan **out, wsr_estimator *estimator,
                                   const size_t counts[3], bool train);
/// Plans of single images for estimates from n sources for t targets. NULL
/// where a batch had better go as a whole, or must, for its statistics.
/// [borrowed] until the next call.
wsr_status wsr__estimator_images_for(wsr__image_plans **out,
                                     wsr_estimator *estimator, size_t n,
                                     size_t t);
void wsr__estimator_plans_free(wsr_estimator *estimator);

/// Make the graph for n sources and t targets; outputs "dst0", ...
wsr_status wsr__estimator_build(wsr_graph **out, wsr_estimator *estimator,
                                size_t n, size_t t, bool train);

/// Write samples into a plan's inputs.
void wsr__estimator_prepare(wsr_plan *plan, const wsr_estimator *estimator,
                            const wsr__estimator_sample *samples,
                            const size_t counts[3]);

/// Loss over a batch and its gradients, added to those of the parameters.
wsr_status wsr__estimator_gradient(double *loss, wsr_estimator *estimator,
                                   const wsr__estimator_sample *samples,
                                   const size_t counts[3]);

/// State for checkpoints, apart from the parameters; reserve first, for the
/// number of sources that training has.
wsr_status wsr__estimator_reserve(wsr_estimator *estimator, size_t sources);
size_t wsr__estimator_states(const wsr_estimator *estimator);
wsr__state wsr__estimator_state(wsr_estimator *estimator, size_t i);

#endif
