// SPDX-License-Identifier: Apache-2.0
//
// Architecture search. loop.c takes a search through its phases, epoch by
// epoch, each epoch in three stages:
//   teach     train the supernet on sampled paths           (teach.c)
//   look      measure architectures on held-out images      (measure.c)
//   steer     learn from what was measured, move the alphas
// path.c samples architectures and makes their plans, state.c what a
// checkpoint holds, run.c a whole configured run with what follows a search.
// A searcher is one file: what it does in the last two stages.

#ifndef WSR_SEARCH_SEARCH_H
#define WSR_SEARCH_SEARCH_H

#include "base/fidelity.h"
#include "estimator/estimator.h"
#include "predictor/predictor.h"
#include "train/train.h"
#include "wsr/search.h"

// ----------------------------------------------------------------- options

typedef struct wsr__search_params {
    wsr__text fidelity;
    int64_t warm_up;
    int64_t population;
    int64_t epochs;
    int64_t predictor_warm_up;
    int64_t predictor_passes;
    int64_t batch;
    double portion;
    wsr__text augment;
    double lr;
    double lr_min;
    double momentum;
    double weight_decay;
    double grad_clip;
    double eps;
    int64_t steps;
    wsr__floats sources;
    double random_eps;
    wsr__floats targets;
    double clean_weight;
    wsr__floats weights;
    int64_t estimator_batches;
    int64_t val_batches;
    int64_t train_batches;
    int64_t architectures;
    int64_t control;
    double tau;
    int64_t arch_steps;
    int64_t arch_samples;
    double arch_lr;
    double arch_tau;
    wsr__text path;
    wsr__text gradients;
    wsr__text attack_stats;
    wsr__text edge_weights;
    wsr__text loss_scale;
    wsr__text clean_split;
    wsr__text norms;
    wsr__text noise_range;
    wsr__text target_norms;
    wsr__text drift;
    wsr__floats norm_values;
} wsr__search_params;

extern const wsr__option wsr__search_schema[]; // section "search"

/// The marked quirks, resolved once.
typedef struct wsr__search_quirks {
    bool path_per_epoch; // one path an epoch
    bool leftover;       // gradients of the attack's last step stay
    bool moving;         // attacks move running statistics
    bool weighted;       // edges are multiplied by their weights
    bool scaled;         // adversarial losses divided by the batch
    bool clean_on_train; // clean losses from the training split
    bool mixed_norms;    // running, then batch statistics
    bool unclamped;      // estimated images may leave [0, 1]
    bool fixed_norms;    // the same target norms for all images
    bool drifting;       // losses of different epochs are compared
} wsr__search_quirks;

// ------------------------------------------------------------------ phases

typedef enum wsr__phase {
    WSR__WARM_UP,    // the supernet alone
    WSR__POPULATION, // fill the memories
    WSR__STEERING,   // move the alphas
    WSR__FOUND       // done
} wsr__phase;

extern const char *const wsr__phase_names[];

typedef enum wsr__stage { WSR__TEACH, WSR__LOOK, WSR__STEER } wsr__stage;

// -------------------------------------------------------------------- path

enum { WSR__EDGES = 64, WSR__CANDIDATES = 16 }; // at most

/// A sampled architecture.
typedef struct wsr__path {
    float *weights;         // (rows, cols)
    float *top;             // (rows) weight of the choice
    unsigned char *choices; // (rows)
} wsr__path;

enum { WSR__SLOTS = 1 + 2 * WSR__LIST_SIZE }; // clean, sources and targets

typedef struct wsr__search wsr__search;

/// One file each: the last two stages of an epoch.
typedef struct wsr__searcher_class {
    wsr__class super;
    wsr_status (*look)(wsr__search *search, wsr__run *run); // may be NULL
    wsr_status (*steer)(wsr__search *search, wsr__run *run);
    bool estimates; // needs two sources or more to estimate between
    bool untaught;  // needs no trained supernet
} wsr__searcher_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "search/searchers.def"
#undef WSR_REG

extern const wsr__family wsr__searchers;

/// What is searched with.
typedef struct wsr__search_of {
    const wsr_dataset *data;          // borrowed; split into two parts
    const wsr__net_options *supernet; // its options
    const wsr__estimator_class *estimator;
    const void *estimator_params;
    const wsr__predictor_class *predictor;
    const void *predictor_params;
    uint64_t seed;
} wsr__search_of;

/// Parts that the time of an epoch is divided into.
enum {
    WSR__TIME_SUPERNET,   // its training, attacks and plans apart
    WSR__TIME_PLANS,      // of sampled paths
    WSR__TIME_ATTACK,     // everywhere
    WSR__TIME_ESTIMATOR,  // training and inference
    WSR__TIME_PREDICTOR,  // training
    WSR__TIME_EVALUATION, // losses of held-out images
    WSR__TIMES
};

struct wsr__search {
    const wsr__searcher_class *cls;
    wsr__search_params params;
    wsr__search_quirks quirks;
    uint64_t seed;
    wsr_net *net;
    wsr__arch arch;
    wsr_params *arch_params; // one tensor, "alphas"
    wsr_optim *arch_optim;
    float *alphas; // its data
    wsr_dataset *train;
    wsr_dataset *held_out;
    wsr_loader *train_loader;
    wsr_loader *held_out_loader;
    wsr_optim *optim;
    wsr_sched *sched;
    wsr_estimator *estimator;
    wsr_predictor *predictor;
    wsr__arena arena;
    wsr__path path; // of the epoch, or of the batch
    // Position.
    wsr__phase phase;
    wsr__stage stage;
    size_t epoch; // of the phase
    size_t batch; // of the stage teach
    double loss;  // sums of the epoch
    double right;
    double seen;
    // Arrays of a batch.
    float *x_adv;
    float **noise; // sources, the random one, then targets
    size_t noises;
    float *norms; // (batch, targets)
    size_t pixels;
    double losses[WSR__SLOTS]; // mean over the architectures measured
    double estimator_loss;
    double predictor_loss;
    double correlation; // of predicted and measured losses of unseen ones
    double control[WSR__SLOTS]; // mean over uniformly drawn ones
    // Seconds of the epoch's parts, for the log.
    double seconds[WSR__TIMES];
};

/// How the alphas are moved; numbers left to the fidelity are resolved.
typedef struct wsr__arch_sizes {
    size_t steps; // per epoch
    size_t samples;
    double lr;
    double tau;
} wsr__arch_sizes;

wsr__arch_sizes wsr__search_sizes(const wsr__search *search);

/// Weights of the losses in the objective, clean and slots.
void wsr__search_weights(double *weights, const wsr__search *search);
/// The weighted sum of losses.
double wsr__search_objective(const wsr__search *search, const double *losses);

/// Images of strength eps to search->x_adv, along the plan of a path.
wsr_status wsr__search_attack(wsr__search *search, wsr_plan *plan,
                              const wsr_batch *batch, double eps);

/// Held-out batches that are looked at per epoch.
size_t wsr__search_batches(const wsr__search *search);

/// Strengths that a search measures: sources and targets by turns.
size_t wsr__search_slots(const wsr__search *search);
/// Nominal strength of slot i.
double wsr__search_slot_eps(const wsr__search *search, size_t i);

/// Make a search, its networks random. [out, owned]
wsr_status wsr__search_new(wsr__search **out, const wsr__searcher_class *cls,
                           const wsr__search_of *of,
                           const wsr__search_params *params);
void wsr__search_free(wsr__search *search); // NULL is legal

/// Make the plans of the heaviest paths, so that a shortage of memory shows
/// before the first step.
wsr_status wsr__search_prepare(wsr__search *search);
/// Memory and disk of a search that is prepared.
void wsr__search_needs(wsr__needs *needs, const wsr__search *search);

/// Epochs of a phase.
size_t wsr__phase_epochs(const wsr__search *search, wsr__phase phase);
/// Number of the current epoch over all phases.
uint64_t wsr__search_serial(const wsr__search *search);

/// Sample a path of the current alphas; `kind` and `serial` key the noise.
void wsr__path_sample(wsr__path *path, const wsr__search *search,
                      uint64_t serial, uint32_t kind);
enum {
    WSR__SAMPLE_TEACH,
    WSR__SAMPLE_LOOK,
    WSR__SAMPLE_STEER,
    WSR__SAMPLE_CONTROL
};
/// Sample a path of which every candidate is equally likely.
void wsr__path_uniform(wsr__path *path, const wsr__search *search,
                       uint64_t serial);
wsr_status wsr__path_new(wsr__path *path, const wsr__arch *arch);
void wsr__path_free(wsr__path *path);
/// A plan of a path in the search's arena. [out, owned]
wsr_status wsr__path_plan(wsr_plan **out, wsr__search *search,
                          const wsr__path *path, size_t batch,
                          unsigned purpose);

/// Train the supernet for the rest of the epoch.
wsr_status wsr__search_teach(wsr__search *search, wsr__run *run);

typedef enum wsr__measuring {
    WSR__MEASURE,
    WSR__MEASURE_AND_REMEMBER, // noises of training batches are learned from
    WSR__MEASURE_APART         // the search goes on as if it had not been
} wsr__measuring;

/// Measure the architecture of `path`: losses[0] clean, then by slot.
wsr_status wsr__search_measure(double *losses, wsr__search *search,
                               const wsr__path *path, wsr__measuring how);

/// Go on from the current position to the end.
wsr_status wsr__search_loop(wsr__search *search, wsr__run *run);

/// The genotype of the current alphas. [out, owned]
wsr_status wsr__search_genotype(wsr_genotype **out, const wsr__search *search,
                                const char *name);

/// State for checkpoints.
wsr_status wsr__search_save(const wsr__search *search,
                            wsr__st_builder *builder);
wsr_status wsr__search_load(wsr__search *search, const wsr__st *st);

#endif
