// SPDX-License-Identifier: Apache-2.0
//
// Architecture search. loop.c runs the phases of a search, epoch by epoch.
// An epoch has three stages:
//   train      train the supernet on sampled paths         (train_supernet.c)
//   evaluate   losses of sampled architectures, held out   (evaluate.c)
//   update     train the predictor, update the alphas
// path.c samples architectures and makes their plans, state.c says what a
// checkpoint holds, configure.c what is configured, run.c is the run that
// trains the found genotype afterwards, stepwise.c the search in a caller's
// hands. A searcher is one file: it defines the last two stages.

#ifndef WSR_SEARCH_SEARCH_H
#define WSR_SEARCH_SEARCH_H

#include "attack/engine/pgd_plan.h"
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
    double train_fraction;
    wsr__text augment;
    double lr;
    double lr_min;
    double momentum;
    double weight_decay;
    double grad_clip;
    double eps;
    int64_t attack_steps;
    wsr__floats sources;
    double random_eps;
    wsr__floats targets;
    double clean_weight;
    wsr__floats weights;
    int64_t estimator_batches;
    int64_t val_batches;
    int64_t train_batches;
    int64_t architectures;
    int64_t random_baseline;
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
    wsr__text loss_centring;
    wsr__floats norm_values;
} wsr__search_params;

extern const wsr__option wsr__search_schema[]; // section "search"

/// What the released code does differently, resolved from the options; true
/// is as released.
typedef struct wsr__search_quirks {
    bool path_per_epoch; // one path an epoch, not one a batch
    bool leftover;       // gradients of the attack's last step are kept
    bool moving;         // attacks move running statistics
    bool weighted;       // edges are multiplied by their weights
    bool scaled;         // adversarial losses are divided by the batch size
    bool clean_on_train; // clean losses come from the training split
    bool mixed_norms;    // running statistics, in the search phase the batch's
    bool unclamped;      // images with estimated noise may leave [0, 1]
    bool fixed_norms;    // a target has the same norm for all images
    bool uncentred;      // the predictor learns losses without centring
} wsr__search_quirks;

// ------------------------------------------------------------------ phases

extern const char *const wsr__phase_names[]; // of wsr_phase

/// Stages of an epoch.
typedef enum wsr__search_stage {
    WSR__STAGE_TRAIN,
    WSR__STAGE_EVALUATE,
    WSR__STAGE_UPDATE
} wsr__search_stage;

// -------------------------------------------------------------------- path

enum { WSR__EDGES = 64, WSR__CANDIDATES = 16 }; // at most

/// A sampled architecture.
typedef struct wsr__path {
    float *weights;         // (rows, cols)
    float *top;             // (rows) weight of the choice
    unsigned char *choices; // (rows)
} wsr__path;

enum { WSR__SLOTS = 1 + 2 * WSR__LIST_SIZE }; // clean, sources and targets

/// A search algorithm: the last two stages of an epoch.
typedef struct wsr__searcher_class {
    wsr__class super;
    /// Evaluate architectures; NULL: nothing is evaluated.
    wsr_status (*evaluate)(wsr_search *search, wsr__run *run);
    wsr_status (*update_alphas)(wsr_search *search, wsr__run *run);
    bool estimates; // uses the estimator, which needs two sources or more
    bool untrained; // the supernet is not trained
} wsr__searcher_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "search/searchers.def"
#undef WSR_REG

extern const wsr__family wsr__searchers;

/// What a search is made of.
typedef struct wsr__search_of {
    const wsr_dataset *data;          // borrowed; split into two parts
    const wsr__net_options *supernet; // its options
    const wsr__estimator_class *estimator;
    const void *estimator_params;
    const wsr__predictor_class *predictor;
    const void *predictor_params;
    uint64_t seed;
} wsr__search_of;

/// Sections of a search's configuration.
enum {
    WSR__SECTION_TOP,
    WSR__SECTION_DATA,
    WSR__SECTION_SUPERNET,
    WSR__SECTION_SEARCH,
    WSR__SECTION_SEARCHER,
    WSR__SECTION_ESTIMATOR,
    WSR__SECTION_PREDICTOR,
    WSR__SECTION_NET,   // the network of the found genotype
    WSR__SECTION_TRAIN, // its training
    WSR__SECTION_EVAL,  // and its evaluation
    WSR__SEARCH_SECTIONS
};

typedef struct wsr__search_top {
    wsr__text fidelity;
} wsr__search_top;

/// A search's configuration, decoded.
typedef struct wsr__search_config {
    wsr__search_top top;
    wsr__source_params source;
    wsr__net_options supernet;
    wsr__search_params search;
    wsr__net_options net; // of the found genotype
    wsr__train_params train;
    wsr__eval_stage_params eval;
    const wsr__section *sections; // WSR__SEARCH_SECTIONS of them [borrowed]
} wsr__search_config;

/// Fill in the sections, which decode into `c` and which `c` refers to.
void wsr__search_sections(wsr__search_config *c, wsr__section *out);
/// Complete what was decoded from `config`: settings that follow from others.
void wsr__search_decoded(wsr__search_config *c, const wsr_config *config);
/// Make the search that was configured. [out, owned]
wsr_status wsr__search_configured(wsr_search **out, const wsr__search_config *c,
                                  const wsr_dataset *data, uint64_t seed);

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

struct wsr_search {
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
    wsr_phase phase;
    wsr__search_stage stage;
    size_t epoch; // of the phase
    size_t batch; // of the stage train
    double loss;  // sums over the epoch's training images
    double correct;
    double seen;
    // Arrays of a batch.
    float *x_adv;
    float **noise; // sources, the random one, then targets
    size_t noises;
    float *norms; // (batch, targets)
    size_t pixels;
    double losses[WSR__SLOTS]; // mean over the architectures evaluated
    double estimator_loss;
    double predictor_loss;
    double correlation; // Kendall's tau, predicted against evaluated
    double baseline_losses[WSR__SLOTS]; // mean over random architectures
    // Seconds of the epoch's parts, for the log.
    double seconds[WSR__TIMES];
    // Of a search in a caller's hands.
    char *config; // YAML
    wsr_progress_hook hook;
    void *user;
    bool stop; // the hook said so
};

/// How an epoch updates the alphas; options of 0 are replaced by the defaults
/// of the fidelity.
typedef struct wsr__alpha_update {
    size_t steps;   // of Adam per epoch
    size_t samples; // of the architecture per step
    double lr;
    double tau; // temperature of the samples
} wsr__alpha_update;

wsr__alpha_update wsr__search_alpha_update(const wsr_search *search);

/// Weights of the losses in the objective, clean and slots.
void wsr__search_weights(double *weights, const wsr_search *search);
/// Images that PGD makes to search->x_adv, along the plan of a path; the images
/// themselves where the logits do not depend on them.
wsr_status wsr__search_pgd(wsr_search *search, wsr_plan *plan,
                           const wsr_batch *batch, const wsr__pgd *pgd);

/// Images of strength eps to search->x_adv, along the plan of a path.
wsr_status wsr__search_attack(wsr_search *search, wsr_plan *plan,
                              const wsr_batch *batch, double eps);

/// Batches that the supernet is trained on in an epoch.
size_t wsr__search_train_batches(const wsr_search *search);

/// Held-out batches that an architecture is evaluated on.
size_t wsr__search_batches(const wsr_search *search);

/// Number of attack strengths: sources and targets by turns.
size_t wsr__search_slots(const wsr_search *search);
/// Nominal strength of slot i.
double wsr__search_slot_eps(const wsr_search *search, size_t i);

/// Make a search, its networks random. [out, owned]
wsr_status wsr__search_make(wsr_search **out, const wsr__searcher_class *cls,
                            const wsr__search_of *of,
                            const wsr__search_params *params);

/// Make the plans of the heaviest paths, so that a shortage of memory shows
/// before the first step.
wsr_status wsr__search_prepare(wsr_search *search);
/// Memory and disk of a search that is prepared.
void wsr__search_needs(wsr__needs *needs, const wsr_search *search);

/// Epochs of a phase.
size_t wsr__phase_epochs(const wsr_search *search, wsr_phase phase);
/// Number of the current epoch over all phases.
uint64_t wsr__search_serial(const wsr_search *search);

/// Sample a path of the current alphas; `kind` and `serial` key the noise.
void wsr__path_sample(wsr__path *path, const wsr_search *search,
                      uint64_t serial, uint32_t kind);
enum {
    WSR__SAMPLE_TRAIN,
    WSR__SAMPLE_EVALUATE,
    WSR__SAMPLE_UPDATE,
    WSR__SAMPLE_BASELINE,
    WSR__SAMPLE_CALLER // of wsr_search_sample()
};
/// Sample a path of which every candidate is equally likely.
void wsr__path_uniform(wsr__path *path, const wsr_search *search,
                       uint64_t serial);
wsr_status wsr__path_new(wsr__path *path, const wsr__arch *arch);
void wsr__path_free(wsr__path *path);
/// A plan of a path in the search's arena. [out, owned]
wsr_status wsr__path_plan(wsr_plan **out, wsr_search *search,
                          const wsr__path *path, size_t batch,
                          unsigned purpose);

/// Train the supernet for the rest of the epoch.
wsr_status wsr__search_train_supernet(wsr_search *search, wsr__run *run);

/// What an evaluation does besides.
typedef enum wsr__evaluation {
    WSR__EVALUATE,
    WSR__EVALUATE_AND_STORE,  // noises of training batches go to the estimator
    WSR__EVALUATE_FIXED_STATS // leaves running statistics as they are
} wsr__evaluation;

/// Evaluate the architecture of `path`: losses[0] is the clean loss, losses[1 +
/// i] that of slot i.
wsr_status wsr__path_evaluate(double *losses, wsr_search *search,
                              const wsr__path *path, wsr__evaluation how);

/// Go to the next phase that has epochs left, if the current one has none.
void wsr__search_advance(wsr_search *search);
/// Do what is left of the current epoch and go to the next; nothing when the
/// search is done. A run without a log (NULL) gets no lines.
wsr_status wsr__search_run_epoch(wsr_search *search, wsr__run *run);
/// Passes of images through paths of the supernet that the whole search takes,
/// without those that interrupted stages repeat.
double wsr__search_passes(const wsr_search *search);

/// Run the search from its current position to the end.
wsr_status wsr__search_loop(wsr_search *search, wsr__run *run);

/// State for checkpoints.
wsr_status wsr__search_add_state(const wsr_search *search,
                                 wsr__st_builder *builder);
wsr_status wsr__search_read_state(wsr_search *search, const wsr__st *st);

#endif
