// SPDX-License-Identifier: Apache-2.0
//
// Architecture search. loop.c runs the phases of a search, epoch by epoch.
// An epoch has three stages:
//   train      train the supernet on sampled paths         (train_supernet.c)
//   evaluate   losses of sampled architectures, held out   (evaluate.c)
//   update     train the predictor, update the alphas
// path.c samples architectures and makes their plans, state.c says what a
// checkpoint holds, configure.c what is configured, passes.c counts the work,
// baseline.c compares with random architectures, skips.c watches for skip
// connections, run.c is the run that trains the found genotype afterwards,
// compare.c runs several searchers, stepwise.c is the search in a caller's
// hands. A searcher is one file: it defines the last two stages. What evolution
// and controller share, architectures as genotypes have them, is in pairs.c,
// and boost.c is what the searchers over boost networks share.

#ifndef WSR_SEARCH_SEARCH_H
#define WSR_SEARCH_SEARCH_H

#include "attack/engine/pgd_plan.h"
#include "base/fidelity.h"
#include "estimator/estimator.h"
#include "predictor/predictor.h"
#include "space/space.h"
#include "train/train.h"
#include "wsr/search.h"

// ----------------------------------------------------------------- options

typedef struct wsr__search_params {
    wsr__text fidelity;
    int64_t warm_up;
    int64_t population;
    int64_t epochs;
    int64_t budget;
    int64_t predictor_warm_up;
    int64_t predictor_passes;
    int64_t batch;
    int64_t shards;
    wsr__text deterministic;
    double train_fraction;
    wsr__text augment;
    double lr;
    double lr_min;
    double momentum;
    double weight_decay;
    double grad_clip;
    double eps;
    int64_t attack_steps;
    wsr__text attack_norms;
    wsr__text train_norms;
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
    int64_t max_skips;
    int64_t holdout_architectures;
    wsr__text holdout_predictors;
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
    wsr__text table;
    wsr__text table_attack;
    wsr__text table_missing;
    wsr__text sampling;
    wsr__text derive;
    int64_t derive_samples;
    int64_t derive_measured;
    wsr__text ranking;
    int64_t ranking_every;
    int64_t ranking_architectures;
} wsr__search_params;

extern const char *const wsr__search_norms[];  // ended by NULL
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

/// Passes of images through paths of the supernet. One image through one path
/// is one pass.
typedef struct wsr__passes {
    double gradient; // forward and backward
    double forward;  // forward only
} wsr__passes;

/// What an evaluation does besides.
typedef enum wsr__evaluation {
    WSR__EVALUATE,
    WSR__EVALUATE_AND_STORE,   // noises of training batches go to the estimator
    WSR__EVALUATE_FIXED_STATS, // leaves running statistics as they are
    WSR__EVALUATE_BY_ATTACKS   // so too, and estimates nothing
} wsr__evaluation;

/// Evaluate the architecture of `path`: losses[0] is the clean loss, losses[1 +
/// i] that of slot i.
typedef wsr_status (*wsr__evaluator)(double *losses, wsr_search *search,
                                     const wsr__path *path,
                                     wsr__evaluation how);

/// A search algorithm: the last two stages of an epoch, and what belongs to
/// them. A member that is NULL does nothing.
typedef struct wsr__searcher_class {
    wsr__class super;
    /// Make search->own from the options of the class.
    wsr_status (*make)(wsr_search *search, const void *options);
    void (*free)(void *own);
    /// Arrays of search->own for checkpoints.
    size_t (*states)(const wsr_search *search);
    wsr__state (*state)(const wsr_search *search, size_t i);
    /// After a checkpoint was read: refuse what it must not hold, such as
    /// indices out of range, and bring back what follows from the state.
    wsr_status (*check)(const wsr_search *search, const wsr__st *st);
    /// Choose the path that trains the supernet, search->path; `key` numbers
    /// it. NULL: the path is sampled with the alphas.
    wsr_status (*sample)(wsr_search *search, uint64_t key);
    /// The table (rows, cols) that the genotype is derived from. NULL: the
    /// alphas.
    const float *(*table)(const wsr_search *search);
    /// Evaluate architectures; NULL: nothing is evaluated.
    wsr_status (*evaluate)(wsr_search *search, wsr__run *run);
    wsr_status (*update_alphas)(wsr_search *search, wsr__run *run);
    /// The rest belongs to searchers over other networks than the supernet;
    /// NULL: they are over the supernet and train sampled paths.
    /// Make the network that is searched, whose space is that of the options
    /// `supernet`.
    wsr_status (*network)(wsr_net **out, const wsr__cells_options *supernet,
                          const void *options, uint64_t seed);
    /// Kind and options [out, owned] of the network of a genotype that was
    /// found; `net` is the section of the configuration.
    wsr_status (*found)(void **options, const wsr__net_class **kind,
                        const wsr_search *search, const wsr__net_options *net);
    /// Train the weights on a batch, and add to the sums of the epoch.
    wsr_status (*train)(wsr_search *search, const wsr_batch *batch);
    wsr__evaluator evaluator;
    /// Passes of the last two stages in an epoch, and with `train` of all
    /// three.
    wsr__passes (*passes)(const wsr_search *search, wsr_phase phase,
                          wsr__search_stage stage);
    bool estimates; // uses the estimator, which needs two sources or more
    bool untrained; // the supernet is not trained
    bool pairs;     // its architectures are those of genotypes: pairs.c
} wsr__searcher_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "search/searchers.def"
#undef WSR_REG

extern const wsr__family wsr__searchers;

/// What a search is made of.
typedef struct wsr__search_of {
    const wsr_dataset *data;            // borrowed; split into two parts
    const wsr__cells_options *supernet; // its options
    const wsr__estimator_class *estimator;
    const void *estimator_params;
    const wsr__predictor_class *predictor;
    const void *predictor_params;
    const void *searcher_params;
    uint64_t seed;
    bool resumed; // a checkpoint has all parameters: no file of options is read
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
    WSR__SECTION_TABLE, // architectures to train alone
    WSR__SEARCH_SECTIONS
};

typedef struct wsr__search_top {
    wsr__text fidelity;
    wsr__text compare;
} wsr__search_top;

/// Architectures that are trained alone instead of a search (table.h).
typedef struct wsr__table_params {
    int64_t random;
    bool edge_cases;
    wsr__text genotypes;
    int64_t repeated;
    int64_t seeds;
    wsr__text shard;
} wsr__table_params;

extern const wsr__option wsr__table_schema[]; // section "table"

/// A search's configuration, decoded.
typedef struct wsr__search_config {
    wsr__search_top top;
    wsr__source_params source;
    wsr__cells_options supernet;
    wsr__search_params search;
    wsr__cells_options net; // of the found genotype
    wsr__train_params train;
    wsr__eval_stage_params eval;
    wsr__table_params table;
    const wsr__section *sections; // WSR__SEARCH_SECTIONS of them [borrowed]
} wsr__search_config;

/// Fill in the sections, which decode into `c` and which `c` refers to.
void wsr__search_sections(wsr__search_config *c, wsr__section *out);
/// Complete what was decoded from `config`: settings that follow from others.
void wsr__search_decoded(wsr__search_config *c, const wsr_config *config);
/// Make the search that was configured. [out, owned]
wsr_status wsr__search_configured(wsr_search **out, const wsr__search_config *c,
                                  const wsr_dataset *data, uint64_t seed,
                                  bool resumed);

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

typedef struct wsr__supernet_parts wsr__supernet_parts;
typedef struct wsr__importance wsr__importance;
typedef struct wsr__rivals wsr__rivals;
typedef struct wsr__lookup wsr__lookup;
typedef struct wsr__ranking wsr__ranking;

struct wsr_search {
    const wsr__searcher_class *cls;
    void *own;                // of the class
    wsr__evaluator evaluator; // of the class; tests plant another
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
    wsr__supernet_parts *parts;  // of batches, NULL: they are undivided
    wsr__path path;              // of the epoch, or of the batch
    wsr__importance *importance; // NULL: Gumbel noise is as drawn
    wsr__rivals *rivals;         // NULL: none
    wsr__lookup *lookup;         // NULL: architectures are evaluated
    wsr__ranking *ranking;       // NULL: none
    float *best_room;   // of the best table by prediction; NULL: unwanted
    float *best;        // that table [best_room]; NULL: nothing is chosen yet
    bool best_measured; // it was chosen by measurement, at the end
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
    float *kept_stats; // the running statistics while an attack sees others
    float **noise;     // sources, the random one, then targets
    size_t noises;
    float *norms; // (batch, targets)
    size_t pixels;
    double losses[WSR__SLOTS]; // mean over the architectures evaluated
    double estimator_loss;
    double predictor_loss;
    double correlation; // Kendall's tau, predicted against evaluated
    double baseline_losses[WSR__SLOTS]; // mean over random architectures
    double clean_accuracy; // of the last architecture that was evaluated
    wsr__passes counted;   // of the epoch, since it was begun or resumed
    // Kendall's tau of held-out architectures and its interval, by loss.
    double holdout[WSR__SLOTS][3];
    // Seconds of the epoch's parts, for the log.
    double seconds[WSR__TIMES];
    // Of a search in a caller's hands.
    char *config; // YAML
    wsr_progress_hook hook;
    void *user;
    bool stop; // the hook said so
};

/// The space that is searched.
const wsr__space_class *wsr__search_space(const wsr_search *search);

/// How an epoch updates the alphas; options of 0 are replaced by the defaults
/// of the fidelity.
typedef struct wsr__alpha_update {
    size_t steps;   // of Adam per epoch
    size_t samples; // of the architecture per step
    double lr;
    double tau; // temperature of the samples
} wsr__alpha_update;

wsr__alpha_update wsr__search_alpha_update(const wsr_search *search);

/// The table that the genotype is derived from.
const float *wsr__search_table(const wsr_search *search);

/// Weights of the losses in the objective, clean and slots.
void wsr__search_weights(double *weights, const wsr_search *search);
/// The graph of a path. [out, owned] NULL on failure.
wsr_status wsr__path_graph(wsr_graph **out, wsr_search *search,
                           const wsr__path *path);

/// What attacks along a path run on.
typedef struct wsr__path_attack {
    wsr__image_plans *images; // NULL: whole batches
    wsr__attack_plans plans;
    bool borrowed; // plans.batch is another's
} wsr__path_attack;

/// `purpose` is that of search.attack_norms=batch; `like` is a plan of the
/// graph, which must outlive the attack. wsr__path_attack_free() also after a
/// failure.
wsr_status wsr__path_attack_new(wsr__path_attack *out, wsr_search *search,
                                const wsr_graph *graph, unsigned purpose,
                                const wsr_plan *like);
void wsr__path_attack_free(wsr__path_attack *attack);

/// Before attacks on a batch and after them, see wsr__attack_plans_begin().
wsr_status wsr__search_attack_begin(wsr_search *search,
                                    const wsr__attack_plans *plans,
                                    const wsr_batch *batch);

/// Images that PGD makes to search->x_adv, along a path; the images themselves
/// where the logits do not depend on them.
wsr_status wsr__search_pgd(wsr_search *search, const wsr__attack_plans *plans,
                           const wsr_batch *batch, const wsr__pgd *pgd);

/// Images of strength eps to search->x_adv, along a path.
wsr_status wsr__search_attack(wsr_search *search,
                              const wsr__attack_plans *plans,
                              const wsr_batch *batch, double eps);

/// Whether attacks see the statistics of each attacked batch.
static inline bool wsr__search_batch_norms(const wsr__search_params *params)
{
    return wsr__streq(params->attack_norms.s, "batch");
}

/// Whether they see those of the clean batch.
static inline bool wsr__search_frozen(const wsr__search_params *params)
{
    return wsr__streq(params->attack_norms.s, "frozen");
}

/// Room for the parts of a batch of the supernet's training. CONFIG.
wsr_status wsr__search_make_parts(wsr_search *search);
void wsr__search_free_parts(wsr_search *search);
/// Takes the gradients of the part that is learned from, NULL: no one.
wsr__reducer *wsr__search_reducer(const wsr_search *search);
/// Memory of parts, where the parameters take `net` bytes.
double wsr__search_parts_bytes(const wsr_search *search, double net);

/// Learning rate of the weights in the current epoch.
double wsr__search_lr(const wsr_search *search);

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
/// Counter of the epoch's path, where there is one an epoch.
uint64_t wsr__search_path_serial(const wsr_search *search);

/// Gumbel noise (rows, cols), scaled by search->importance.
void wsr__search_noise(float *g, const wsr_search *search, wsr__rng *rng);
/// Sample a path of the current alphas; `kind` and `serial` key the noise.
void wsr__path_sample(wsr__path *path, const wsr_search *search,
                      uint64_t serial, uint32_t kind);
enum {
    WSR__SAMPLE_TRAIN,
    WSR__SAMPLE_EVALUATE,
    WSR__SAMPLE_UPDATE,
    WSR__SAMPLE_BASELINE,
    WSR__SAMPLE_CALLER, // of wsr_search_sample()
    WSR__SAMPLE_SELECT, // of an individual, for its offspring
    WSR__SAMPLE_REMOVE, // of one to remove
    WSR__SAMPLE_HOLDOUT,
    WSR__SAMPLE_FAIR,  // order of an edge's candidates
    WSR__SAMPLE_DERIVE // genotypes to choose among by prediction
};
/// Sample a path of which every candidate is equally likely.
void wsr__path_uniform(wsr__path *path, const wsr_search *search,
                       uint64_t serial);
/// Path `number` of the fair ones: on every edge each candidate once in as many
/// paths as there are candidates, in an order of its own.
void wsr__path_fair(wsr__path *path, const wsr_search *search, uint64_t number);
wsr_status wsr__path_new(wsr__path *path, const wsr__arch *arch);
void wsr__path_free(wsr__path *path);
/// A plan of a path in the search's arena. [out, owned]
wsr_status wsr__path_plan(wsr_plan **out, wsr_search *search,
                          const wsr__path *path, size_t batch,
                          unsigned purpose);
/// A plan of a path's graph in an arena, which must outlive it. [out, owned]
wsr_status wsr__path_plan_in(wsr_plan **out, wsr_search *search,
                             const wsr_graph *graph, size_t batch,
                             unsigned purpose, wsr__arena *arena);

/// Choose the path that trains the supernet, as the searcher or
/// search.sampling does; `key` is that of wsr__searcher_class.sample, `number`
/// counts the paths of the search.
wsr_status wsr__search_sample_path(wsr_search *search, uint64_t key,
                                   uint64_t number);

/// Train the supernet for the rest of the epoch.
wsr_status wsr__search_train_supernet(wsr_search *search, wsr__run *run);

/// See wsr__evaluator.
wsr_status wsr__path_evaluate(double *losses, wsr_search *search,
                              const wsr__path *path, wsr__evaluation how);

/// Losses of the network in `plan` (WSR_GRAD_INPUT) on the held-out images, all
/// strengths attacked. In the order of wsr__evaluator.
wsr_status wsr__search_measure(double *losses, wsr_search *search,
                               wsr_plan *plan);

/// Tell a predictor the strengths of the losses and reserve its memory. CONFIG
/// when it cannot learn them.
wsr_status wsr__search_fit_predictor(wsr_predictor *predictor,
                                     const wsr_search *search);

/// Architectures that were evaluated and that nothing remembers; losses by
/// slot, then by architecture.
typedef struct wsr__holdout {
    size_t n;
    float *tables;     // (n, rows, cols)
    double *predicted; // by the search's predictor
    double *measured;
} wsr__holdout;

/// Predictors beside that of the search, search.holdout_predictors. NULL where
/// it names none.
wsr_status wsr__rivals_new(wsr__rivals **out, const wsr_search *search);
void wsr__rivals_free(wsr__rivals *rivals); // NULL is legal

/// In the last epoch: train them on what the search's predictor remembers, and
/// log how all of them rank the held-out architectures.
wsr_status wsr__rivals_compare(const wsr_search *search, wsr__run *run,
                               const wsr__holdout *holdout);

/// Say to the log how a predictor ranks the losses of a slot (0: the clean
/// one): "holdout_eps_0.03_tau" and "..._low", "..._high" for its interval.
void wsr__holdout_log(wsr__json *line, const wsr_search *search, size_t slot,
                      const double tau[3]);

/// Kendall's tau of two losses of the held-out architectures and the ends of
/// its interval.
wsr_status wsr__holdout_tau(double tau[3], const wsr_search *search,
                            const double *a, const double *b, size_t n);

/// Evaluate architectures that nothing remembers, and correlate the predictor's
/// losses with theirs, into search->holdout.
wsr_status wsr__search_holdout(wsr_search *search, wsr__run *run);

/// Go to the next phase that has epochs left, if the current one has none.
void wsr__search_advance(wsr_search *search);
/// Do what is left of the current epoch and go to the next; nothing when the
/// search is done. A run without a log (NULL) gets no lines.
wsr_status wsr__search_run_epoch(wsr_search *search, wsr__run *run);
/// Run the search from its current position to the end.
wsr_status wsr__search_loop(wsr_search *search, wsr__run *run);

// -------------------------------------------------------------- importance

/// How the importance of past steps scales the Gumbel noise of an epoch.
struct wsr__importance {
    wsr__text mode; // mean, sum, last
    float *sum;     // (rows, cols) over all steps
    float *last;    // (rows, cols) of the last step
    float *scale;   // (rows, cols) factors of the noise
    int64_t count;  // steps
};

/// [out, owned] `mode` "off": NULL
wsr_status wsr__importance_new(wsr__importance **out, const wsr__text *mode,
                               size_t floats);
void wsr__importance_free(wsr__importance *importance); // NULL is legal
/// Take up the gradient (rows, cols) of a step of the alphas.
void wsr__importance_add(wsr__importance *importance, const float *diff_alphas,
                         const wsr__arch *arch);
/// Bring the scale up to date, between two epochs.
void wsr__importance_apply(wsr__importance *importance, size_t floats);
enum { WSR__IMPORTANCE_STATES = 3 };
wsr__state wsr__importance_state(wsr__importance *importance, size_t i,
                                 size_t floats);

// ------------------------------------------------------------------ passes

/// Whether a stage of a phase has anything to do.
bool wsr__search_has_stage(const wsr_search *search, wsr_phase phase,
                           wsr__search_stage stage);
/// Passes of a stage of an epoch.
wsr__passes wsr__stage_passes(const wsr_search *search, wsr_phase phase,
                              wsr__search_stage stage);
/// Passes of all phases before the current one and of `epochs` epochs of it,
/// without those of random baselines and those that interrupted stages repeat.
wsr__passes wsr__search_passes_until(const wsr_search *search, size_t epochs);
/// Passes of `paths` evaluations; the noises of training batches are stored
/// `stored` times. For wsr__searcher_class.passes.
wsr__passes wsr__evaluation_passes(const wsr_search *search, double paths,
                                   double stored);
/// Work of a stage of an epoch and of the whole search for the forecast: all
/// passes, with those of the random baseline.
double wsr__stage_work(const wsr_search *search, wsr_phase phase,
                       wsr__search_stage stage);
double wsr__search_work(const wsr_search *search);
/// With search.budget: as many epochs of the search phase as it pays for.
wsr_status wsr__search_spend(wsr_search *search);

// ---------------------------------------------------------------- baseline

/// Evaluate search.random_baseline random architectures for the log. Nothing
/// else changes.
wsr_status wsr__search_baseline(wsr_search *search, wsr__run *run);
/// Log the event "found": what the search took, and, with
/// search.random_baseline, the objective of the found architecture and those
/// of random ones under the same attacks.
wsr_status wsr__search_compare_found(wsr_search *search, wsr__run *run);

// ----------------------------------------------------------- best predicted

/// Make room for the best genotype by prediction, where search.derive wants it.
wsr_status wsr__search_prepare_best(wsr_search *search);
/// Choose it, by the predictor as it is; nothing where it is unwanted.
wsr_status wsr__search_choose_best(wsr_search *search);
/// With search.derive=measured, in the last epoch: choose it by the evaluations
/// of those predicted to be best.
wsr_status wsr__search_measure_best(wsr_search *search, wsr__run *run);
/// Number of genotypes that this evaluates, 0: it is unwanted.
size_t wsr__search_measured(const wsr_search *search);

// ----------------------------------------------------------------- ranking

/// Read search.ranking, a table of architectures that were trained alone. [out,
/// owned]
wsr_status wsr__ranking_open(wsr__ranking **out, const wsr_search *search);
void wsr__ranking_free(wsr__ranking *ranking); // NULL is legal
/// At the end of an epoch: log how the search ranks these architectures, if
/// that is due.
wsr_status wsr__search_rank(wsr_search *search, wsr__run *run);

/// Kendall's tau by the objective, with its interval, at the last ranking.
typedef struct wsr__ranked_taus {
    double architectures;
    double shared[3];
    double predictor[3]; // NAN: it has not learned
} wsr__ranked_taus;

/// NULL: nothing was ranked. [borrowed]
const wsr__ranked_taus *wsr__ranking_last(const wsr__ranking *ranking);
/// Its state in checkpoints; absent before the first ranking.
wsr_status wsr__ranking_save(const wsr__ranking *ranking,
                             wsr__st_builder *builder);
wsr_status wsr__ranking_load(wsr__ranking *ranking, const wsr__st *checkpoint);

// ---------------------------------------------------------------- evidence

/// One line about how far the result can be relied on: what was ranked, or that
/// nothing was.
void wsr__search_evidence(wsr__str *out, const wsr_search *search);
/// The same as the event "evidence" of the log, with its numbers.
wsr_status wsr__search_log_evidence(const wsr_search *search, wsr__run *run);

// ------------------------------------------------------------------ lookup

/// Read search.table, for the space and the strengths of the search. [out,
/// owned]
wsr_status wsr__lookup_open(wsr__lookup **out, const wsr_search *search);
void wsr__lookup_free(wsr__lookup *lookup); // NULL is legal
/// The evaluator of a search with a table.
wsr_status wsr__lookup_evaluate(double *losses, wsr_search *search,
                                const wsr__path *path, wsr__evaluation how);

enum {
    WSR__LOOKUP_CLEAN,      // accuracy of the genotype that was found
    WSR__LOOKUP_ROBUST,     // mean over all strengths of the table
    WSR__LOOKUP_PERCENTILE, // of that among the rows
    WSR__LOOKUP_BEST,       // of the rows
    WSR__LOOKUP_RANK
};
wsr_status wsr__lookup_rank(double out[WSR__LOOKUP_RANK], wsr_search *search);

// ------------------------------------------------------------------- skips

/// How far the cells have collapsed to skip connections.
typedef struct wsr__skips {
    size_t most;          // skip connections of a cell of the genotype
    double genotype;      // share of skip connections in the genotype
    double edges;         // share of the supernet's edges that prefer a skip
                          // connection, "none" apart
    double parameterless; // share of them whose best candidate is a skip
                          // connection, a pool or none
} wsr__skips;

wsr_status wsr__search_skips(wsr__skips *skips, const wsr_search *search);
/// Whether that is more than search.max_skips permits.
bool wsr__skips_collapse(const wsr__skips *skips, const wsr_search *search);
/// What a warning says about it.
void wsr__skips_describe(wsr__str *out, const wsr__skips *skips,
                         const wsr_search *search);

// ------------------------------------------------------------------- pairs

enum { WSR__PAIRS = 2 * 2 * WSR__GENOTYPE_NODES }; // edges of both cells

/// An architecture as a genotype has it: for every node of the normal and then
/// of the reduction cell two edges, each with its state and its candidate; in a
/// single space every edge of the one cell.
typedef struct wsr__pairs {
    uint32_t states[WSR__PAIRS];
    uint32_t ops[WSR__PAIRS]; // numbers of candidates
} wsr__pairs;

enum { WSR__PAIRS_NUMBERS = 2 * WSR__PAIRS }; // of a wsr__pairs, in checkpoints

size_t wsr__pairs_count(const wsr__space_class *space); // edges
/// Draw states, two for each node, and candidates other than "none"; in a
/// single space candidates alone.
void wsr__pairs_random(wsr__pairs *pairs, const wsr__space_class *space,
                       wsr__rng *rng);
/// Give one edge another candidate, or another state.
void wsr__pairs_mutate(wsr__pairs *pairs, const wsr__space_class *space,
                       wsr__rng *rng);
/// The path of an architecture: "none" on all other edges, weights one-hot.
void wsr__pairs_path(wsr__path *path, const wsr__pairs *pairs,
                     const wsr__space_class *space);
/// A table (rows, cols) from which the same genotype is derived.
void wsr__pairs_table(float *table, const wsr__pairs *pairs,
                      const wsr__space_class *space);
/// The architecture of the genotype that a table stands for.
wsr_status wsr__pairs_derive(wsr__pairs *pairs, const wsr__space_class *space,
                             const float *table);
/// The architecture of a genotype whose operations are candidates of the space.
void wsr__pairs_read(wsr__pairs *pairs, const wsr__space_class *space,
                     const wsr_genotype *genotype);
/// The same of any genotype: FORMAT, where it is not of the space.
wsr_status wsr__pairs_take(wsr__pairs *pairs, const wsr__space_class *space,
                           const wsr_genotype *genotype);
/// The genotype of an architecture. [out, owned]
wsr_status wsr__pairs_genotype(wsr_genotype **out, const wsr__pairs *pairs,
                               const wsr__space_class *space, const char *name);
/// A random path in genotype form to train the supernet on:
/// wsr__searcher_class.sample.
wsr_status wsr__pairs_sample(wsr_search *search, uint64_t key);
/// What a searcher does with the search.architectures architectures of an
/// epoch, one after the other.
typedef struct wsr__pairs_walk {
    uint32_t sample; // WSR__SAMPLE_..., keys the random numbers
    /// Choose architecture `k`.
    wsr_status (*draw)(wsr__pairs *pairs, wsr_search *search, size_t k,
                       wsr__rng *rng);
    /// Take up its objective. The next one is drawn afterwards.
    void (*keep)(wsr_search *search, size_t k, const wsr__pairs *pairs,
                 double objective);
} wsr__pairs_walk;

/// Evaluate the architectures of an epoch; search->losses become their means.
wsr_status wsr__pairs_evaluate(wsr_search *search, wsr__run *run,
                               const wsr__pairs_walk *walk);
/// Passes of search.architectures evaluations an epoch.
wsr__passes wsr__pairs_passes(const wsr_search *search, wsr_phase phase,
                              wsr__search_stage stage);
/// Whether every number is in its range.
bool wsr__pairs_valid(const wsr__pairs *pairs, const wsr__space_class *space);

// --------------------------------------------------- wsr_nas for variants

/// Keeps what was measured of architecture k of the epoch: its losses, centred
/// where the options say so.
typedef wsr_status (*wsr__nas_keep)(wsr_search *search, const wsr__path *path,
                                    size_t k, const double *losses);
wsr_status wsr__nas_evaluate(wsr_search *search, wsr__run *run,
                             wsr__nas_keep keep);
/// Gumbel noise (rows, cols) of architecture k of the epoch.
void wsr__nas_noise(float *g, const wsr_search *search, size_t k);
/// Train estimator and predictor on their memories.
wsr_status wsr__nas_train(wsr_search *search);
/// The steps of the alphas along the predictor; `g` (rows, cols) is the Gumbel
/// noise of all samples, NULL: fresh noise for each.
wsr_status wsr__nas_steps(wsr_search *search, const float *g);
wsr__passes wsr__nas_passes(const wsr_search *search, wsr_phase phase,
                            wsr__search_stage stage);

// ------------------------------------------------------------------ compare

/// The run that takes up several searchers in turn.
extern const wsr__run_class wsr__comparing;

/// State for checkpoints.
wsr_status wsr__search_add_state(const wsr_search *search,
                                 wsr__st_builder *builder);
wsr_status wsr__search_read_state(wsr_search *search, const wsr__st *st);

#endif
