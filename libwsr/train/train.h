// SPDX-License-Identifier: Apache-2.0
//
// Training. training.c owns what a training needs, step.c the step and its
// parts.c divides a batch among parts and processes, reducer.c adds their
// gradients, lockstep.c lets parts with common norms advance together,
// training_state.c has the state that a checkpoint holds, validate.c the
// validation between epochs and guard.c what it warns of, batch.c the passes
// over one batch, loss.c the losses that callers use; a trainer is one file
// with the mathematics of a batch. inner.c and paired.c are what some of them
// share; awp.c, average.c, mix.c (mixup, cutmix) and teacher.c (distillation)
// go with any. loop.c is the loop of runs, trainer.c what callers loop with.
// sources.c makes data and networks of a configuration; eval/stage.c evaluates
// a network into the log; run.c is the whole as a run (run/run.h). Search uses
// everything but run.c and trainer.c.

#ifndef WSR_TRAIN_TRAIN_H
#define WSR_TRAIN_TRAIN_H

#include "attack/engine/attack_plans.h"
#include "comm/comm.h"
#include "config/config.h"
#include "data/data.h"
#include "eval/eval.h"
#include "io/io.h"
#include "kernel/softmax_cross_entropy.h"
#include "net/net.h"
#include "optim/optim.h"
#include "run/run.h"
#include "sched/sched.h"
#include "train/lockstep.h"
#include "train/reducer.h"
#include "wsr/loss.h"
#include "wsr/train.h"

// ---------------------------------------------------------------- trainers

/// What is trained on what.
typedef struct wsr__training_of {
    wsr_net *net;             // borrowed
    const wsr_dataset *train; // borrowed
    const wsr_dataset *test;  // borrowed; NULL: no validation
    uint64_t seed;
} wsr__training_of;

/// How a network learns from a teacher, see teacher.c.
typedef struct wsr__distill {
    float *logits; // of the teacher, (n, classes), in the order of the images
                   // that are learned from; NULL: there is no teacher
    double temperature;
    double weight;     // of its loss; the rest is that of the labels
    bool over_classes; // the divergence is a mean over classes too
} wsr__distill;

/// A batch, or a part of one, as a trainer gets it. Arrays are (n, ...).
typedef struct wsr__train_step {
    wsr_plan *plan;   // training graph, train mode
    wsr_plan *second; // another one like it, with memory of its own; NULL
                      // unless the trainer has `two_passes`
    const wsr__attack_plans *attack; // NULL unless the trainer attacks
    wsr__reducer *reducer; // takes gradients as they are complete, NULL: no one
    const wsr_net *net;
    const float *x;        // clean images
    const int32_t *labels; // of mixed images, the one of the larger share
    wsr__mixed mixed;      // their second labels
    wsr__distill distill;
    float *x_adv;        // room for images
    float *logits;       // room for logits; NULL unless the trainer attacks
    float *state;        // what the trainer keeps from batch to batch
    void *own;           // what its `open` made
    int32_t *adv_labels; // room for labels of x_adv
    bool reuse;   // x_adv and adv_labels are those of the last call: no attack
    float *stats; // room for all buffers: passes leave the running statistics
                  // as they are; NULL: they move
    size_t n;
    size_t classes;
    uint64_t seed;
    uint64_t id;         // number of the first image over all epochs
    uint64_t epoch;      // from 0
    size_t update;       // of the batch, from 0
    double smoothing;    // of labels
    double clean_share;  // of the images that are not attacked
    wsr_loss_fn loss_fn; // NULL: cross entropy
    void *loss_user;
    double auxiliary; // weight of the second classifier's loss
    double drop_path; // probability now
    uint64_t number;  // of the step, over all epochs
    // Instead of drawn noise, where tests give it:
    const float *start_noise; // start of the attack minus x
    const float *step_noise;  // standard normal, (steps, n, ...)
    // Out:
    double loss;       // of the batch, mean
    size_t correct;    // images that were classified correctly where they were
                       // learned from
    double constraint; // what a trainer with a constraint keeps below 0
    bool skip;         // there is nothing to descend along
    size_t clean; // clean images that were classified correctly, where known
    bool clean_known;
} wsr__train_step;

typedef struct wsr__trainer_class {
    wsr__class super;
    /// Purpose of the attack, see wsr__attack_of; NULL: the trainer does not
    /// attack.
    unsigned (*attack)(const void *params);
    /// Purposes of the training plan besides the usual ones.
    unsigned purposes;
    /// The attack is one step along one gradient.
    bool single_step;
    /// The loss is of two forward passes at once, so that there are two
    /// training plans.
    bool two_passes;
    /// Steps of the optimiser for each batch; NULL: 1.
    size_t (*updates)(const void *params);
    /// Make what the trainer needs besides; `batch` is the size of whole ones.
    /// NULL: nothing.
    wsr_status (*open)(void **own, const void *params,
                       const wsr__training_of *of, size_t batch);
    void (*close)(void *own);
    double (*bytes)(const void *own); // memory of it
    /// Floats that the trainer keeps from batch to batch, zeros at first. They
    /// are part of checkpoints. NULL: none.
    size_t (*state)(const void *params, const void *own, size_t batch,
                    size_t pixels);
    /// Whether updates after the first find the gradients of the one before;
    /// NULL: they do not.
    bool (*keeps_gradients)(const void *params);
    /// The trainer asks whether an image is classified as its one label, so
    /// that images cannot be mixed.
    bool one_label;
    /// Passes of an image through the network, forward and back, in a step;
    /// NULL: 1.
    double (*passes)(const void *params);
    /// Accumulate the gradients of the batch's loss and set the results; once
    /// for each update. Gradients are zero before.
    wsr_status (*batch)(wsr__train_step *step, const void *params);
} wsr__trainer_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "train/trainers.def"
#undef WSR_REG

extern const wsr__family wsr__trainers;

/// What part of the loss counts in a pass.
typedef struct wsr__pass {
    double logits;    // weight of the first classifier's loss
    double auxiliary; // of the second's
} wsr__pass;

/// Forward the images and, unless both weights are 0, backward from
///   mean over images of CE(logits, label) and CE(aux, label).
/// `correct` counts images. NUMERIC, naming the tensor, when a loss is not
/// finite.
wsr_status wsr__train_step_pass(double *loss, size_t *correct,
                                wsr__train_step *step, const float *x,
                                wsr__pass pass);

/// The same for the last pass of the batch that has gradients: their sum over
/// processes may begin.
wsr_status wsr__train_step_last_pass(double *loss, size_t *correct,
                                     wsr__train_step *step, const float *x,
                                     wsr__pass pass);

/// The last backward pass of the batch, on one of the training plans.
wsr_status wsr__train_step_last_backward(const wsr__train_step *step,
                                         wsr_plan *plan);

/// The forward pass alone, on one of the training plans.
wsr_status wsr__train_step_forward(const wsr__train_step *step, wsr_plan *plan,
                                   const float *x);

/// The losses and gradients of the outputs of a plan that has run forward.
/// Gradients of all its outputs are written.
wsr_status wsr__train_step_loss(double *loss, size_t *correct,
                                const wsr__train_step *step, wsr_plan *plan,
                                wsr__pass pass);

/// SHAPE when a loader's images are not what is wanted, (1, c, h, w), ARG when
/// the data have more classes than the network.
wsr_status wsr__images_fit(const wsr_loader *loader, const wsr_dataset *data,
                           const wsr_net *net, const wsr_shape *image);

// ---------------------------------------------------------------- training

typedef struct wsr__train_params {
    wsr__text trainer;
    int64_t epochs;
    int64_t batch;
    wsr__text sizes; // phases of images of one size; empty: one
    wsr__text optimizer;
    double lr;
    wsr__text schedule;
    double grad_clip;
    double auxiliary_weight;
    double label_smoothing;
    double mixup;
    double cutmix;
    double mix_switch;
    double mix_prob;
    wsr__text mix_mode;
    wsr__text teacher; // network file; empty: none
    double temperature;
    double teacher_weight;
    wsr__text teacher_fidelity;
    int64_t shards;
    wsr__text deterministic; // "shards:N"; empty: as many as ranks
    wsr__text norms;         // "rank" or "global"
    bool drop_path_ramp;
    wsr__text augment;
    bool drop_last;
    int64_t repeats;
    int64_t workers;
    int64_t eval_every;
    int64_t eval_count;
    wsr__text eval_attack;
    double eval_eps;
    wsr__text keep;
    wsr__text export;
    double awp;
    int64_t awp_start;
    double clean_share;
    double ema;
    int64_t swa;
    int64_t log_every;
    int64_t save_every;
    wsr__text init; // network file; empty: random parameters
} wsr__train_params;

extern const wsr__option wsr__train_schema[];
extern const char *const wsr__train_norms[]; // "rank", "global", NULL

enum { WSR__SHARDS_MAX = 65536 };

/// Settle into how many parts a batch is divided in a new run: what
/// `deterministic` says, "shards:N", else `shards` where it is not 1, else one
/// for each process of the job. CONFIG, naming options of the section.
wsr_status wsr__divide(int64_t *shards, const char *deterministic,
                       const char *section);
wsr_status wsr__train_divide(wsr__train_params *params);

/// Plans for whole parts of a batch, and, by the parity of their number of
/// images, for those of an epoch's last batch, which differ by one image at
/// most.
enum { WSR__PLAN_PAIRS = 3 };

/// Plans for one number of images, all in the memory of the training.
typedef struct wsr__plan_pair {
    size_t n;
    wsr_plan *train;
    wsr_plan *second;         // NULL when the trainer makes one pass at a time
    wsr__attack_plans attack; // empty when the trainer does not attack
} wsr__plan_pair;

/// Plans of parts that run in turn, and their memory.
typedef struct wsr__part_room {
    wsr__arena arena;
    wsr__arena second_arena; // of the second training plans
    wsr__plan_pair pairs[WSR__PLAN_PAIRS];
} wsr__part_room;

/// Sums over the images of an epoch so far.
typedef struct wsr__sums {
    double loss;
    double correct;
    double clean;
    double seen;
} wsr__sums;

enum { WSR__SIZES = 16 }; // phases at most

/// Epochs whose images have one size, see sizes.c.
typedef struct wsr__size_phase {
    size_t first;      // epoch, from 0
    int64_t side;      // of the images, 0: that of the network
    size_t batch;      // images of a batch
    size_t batches;    // of an epoch
    size_t before;     // batches of all phases before
    wsr_shape image;   // (1, c, h, w)
    wsr_dataset *data; // the data set at that size; NULL: as it is
} wsr__size_phase;

typedef struct wsr__sizes {
    wsr__size_phase list[WSR__SIZES];
    size_t n;
    size_t now;
    size_t opened; // the one that loader, graphs and plans are of; WSR__SIZES:
                   // none
    size_t batch;  // most images of a batch
    size_t floats; // most floats of a batch
} wsr__sizes;

/// Room of mixed batches, NULL where there are none. See mix.c.
typedef struct wsr__mix_room {
    float *images; // (batch, c, h, w)
    int32_t *labels;
    int32_t *others;
    double *shares;
} wsr__mix_room;

typedef struct wsr__paired wsr__paired; // train/paired.h

/// Room of adversarial weight perturbation, NULL where there is none.
typedef struct wsr__awp {
    float *before; // all parameters
    float *moved;  // how far they are moved
    float *stats;  // all buffers
} wsr__awp;

/// The best accuracy of validations under attack.
typedef struct wsr__guard {
    double peak;
    double epoch;   // that it comes from, from 1; 0: none
    double learned; // accuracy of training then
    double warned;  // 0: not since
} wsr__guard;

/// A network on its way from random parameters to trained ones.
typedef struct wsr__training {
    wsr__training_of of;
    const char *phase; // [borrowed] in lines of the log, "train"
    wsr__train_params params;
    const wsr__trainer_class *trainer;
    void *options; // of the trainer
    void *own;     // what its `open` made
    wsr_optim *optim;
    wsr_sched *sched;
    wsr_loader *loader;
    wsr__sizes sizes;
    size_t batches; // of the current epoch
    wsr_graph *graph;
    wsr_graph *attack_graph;
    wsr__part_room *rooms; // one for all parts, or for each part of this
                           // process where they advance together
    size_t room_count;
    wsr__lockstep *lockstep;         // NULL: parts run one after another
    wsr__image_plans *attack_images; // of attack_graph; NULL: there are none
    double attack_bytes;             // of these
    bool attack_chosen;              // whether there are to be any
    float *attack_stats; // the running statistics during an attack; NULL: it
                         // sees no others
    size_t shard;        // images of a part of a whole batch
    float *stats;   // running statistics of each part, (shards, buffers); NULL:
                    // there is one part, or all have the network's
    size_t buffers; // floats of the running statistics
    wsr__reducer *reducer; // adds gradients of parts, NULL: there is one
    void *results;         // of the parts, see parts.c
    float *earlier;        // gradients of the update before, NULL: unwanted
    double seconds; // of work on parts in this process since the epoch began
    float *x_adv;
    float *logits; // of a batch, NULL when the trainer does not attack
    float *state;  // of the trainer, NULL: it has none
    size_t states; // floats of it
    int32_t *adv_labels;
    wsr__mix_room mix;
    wsr__paired *teacher; // NULL: there is none
    float *teacher_logits;
    wsr__awp awp;
    wsr__guard guard;
    float *average;      // of all parameters, NULL: unwanted
    wsr_loss_fn loss_fn; // NULL: cross entropy
    void *loss_user;
    wsr_model *eval_model; // of the validation, NULL: there is none
    double eval_bytes;     // of its plans
    // The position; batch == batches: the epoch's validation is due.
    size_t epoch;
    size_t batch;
    wsr__sums sums;
    float *best; // all parameters at the best validation, NULL: unwanted
    size_t floats;
    double best_value; // below 0: there was none
    uint64_t best_epoch;
} wsr__training;

/// [out, owned] NULL on failure. CONFIG for specs in the params.
wsr_status wsr__training_new(wsr__training **out, const wsr__training_of *of,
                             const wsr__train_params *params);
void wsr__training_free(wsr__training *training); // NULL is legal

/// Make the plans of whole batches and try the validation, so that what cannot
/// work or does not fit into memory shows before the first step.
wsr_status wsr__training_prepare(wsr__training *training);
/// Memory and disk of a training that is prepared.
void wsr__training_needs(wsr__needs *needs, const wsr__training *training);

/// Make the plans of a whole batch.
wsr_status wsr__training_plans(wsr__training *training);
/// The plans of a room for so many images at once. [out, borrowed] In a room
/// beyond the first the gradients must be those of its part.
wsr_status wsr__training_pair(const wsr__plan_pair **out,
                              wsr__training *training, size_t n, size_t room);

/// Whether updates after the first find the gradients of the one before.
static inline bool wsr__training_keeps_gradients(const wsr__training *t)
{
    return t->trainer->keeps_gradients != NULL &&
           t->trainer->keeps_gradients(t->options);
}

/// Where parts advance together, exchange the gradients of the parameters for
/// those of a room's part, or back.
static inline void wsr__training_exchange(const wsr__training *t, size_t room)
{
    if (t->lockstep != NULL) {
        wsr__lockstep_exchange(t->lockstep, room);
    }
}

/// Images of the first part of a batch of n.
size_t wsr__training_part_images(const wsr__training *training, size_t n);
/// Bytes of room for the results of parts.
size_t wsr__training_results_bytes(const wsr__training *training);
/// Mix the parts of a batch and ask the teacher, once before the first update.
wsr_status wsr__training_prepare_parts(wsr__training *training,
                                       const wsr__train_step *step,
                                       const wsr_batch *batch);
/// Give all parts the running statistics of the network.
void wsr__training_begin_stats(const wsr__training *training);
/// Collective. Give the networks of all processes the running statistics of
/// the first part.
wsr_status wsr__training_share_stats(const wsr__training *training);
/// Collective. Bring together what each part has of its own.
wsr_status wsr__training_gather_parts(const wsr__training *training);

/// Train on the next batch of the epoch. NUMERIC, naming epoch, step and
/// tensor, for a loss or gradient that is not finite; the position stays then.
wsr_status wsr__training_step(wsr__training *training);

/// Accumulate the gradients of an update on a whole batch, part by part, and
/// set its results. Collective: a failure is that of all processes.
wsr_status wsr__training_gradients(wsr__training *training,
                                   wsr__train_step *step);

/// Clip the gradients, and let the optimiser step.
wsr_status wsr__training_descend(wsr__training *training);

/// Whether steps perturb the weights now.
bool wsr__training_perturbs(const wsr__training *training);
/// A step of the optimiser on a batch with perturbed weights. Gradients are
/// zero before. On failure the trained parameters are what they were.
wsr_status wsr__training_perturbed(wsr__training *training,
                                   wsr__train_step *step);

/// The learning rate now.
double wsr__training_rate(const wsr__training *training);
/// Steps that are done, over all epochs.
size_t wsr__training_steps(const wsr__training *training);
/// Steps of all epochs before this one.
size_t wsr__training_steps_to(const wsr__training *training, size_t epoch);
/// Batches of an epoch.
size_t wsr__training_batches(const wsr__training *training, size_t epoch);
/// Updates of the optimiser for each batch.
size_t wsr__training_updates(const wsr__training *training);

/// Read the phases of train.sizes and make the views of the data set. CONFIG.
wsr_status wsr__training_make_sizes(wsr__training *training);
void wsr__training_free_sizes(wsr__training *training);
/// The current phase.
const wsr__size_phase *wsr__training_size(const wsr__training *training);
/// Move to an epoch, and with it to its phase.
void wsr__training_set_epoch(wsr__training *training, size_t epoch);
/// Make the loader and the graphs of the current phase, unless they are there.
wsr_status wsr__training_open_size(wsr__training *training);

/// Whether batches are mixed.
bool wsr__training_mixes(const wsr__training *training);
/// CONFIG for a trainer that cannot have that.
wsr_status wsr__mix_check(const wsr__training *training);
/// Mix the images of a batch from `begin` on, as many as a part has, into the
/// training's room, where the part has its images and labels.
void wsr__training_mix(const wsr__training *training, const wsr_batch *batch,
                       size_t begin, const wsr__train_step *part);

/// Make the teacher, where there is one.
wsr_status wsr__training_open_teacher(wsr__training *training);
/// How a whole batch learns from it.
wsr__distill wsr__distill_of(const wsr__training *training);
/// Ask it for the logits of a part of a batch.
wsr_status wsr__training_teach(wsr__training *training,
                               const wsr__train_step *part);
/// Its loss on logits (n, classes); `weight` times the gradient is added to
/// diff.
double wsr__distillation(float *diff, const float *logits,
                         const wsr__train_step *step, double weight);

/// Whether an average of the parameters is wanted.
bool wsr__training_averages(const wsr__training *training);
/// Bring the average up to date after a step, where there is one. Collective.
wsr_status wsr__training_average(wsr__training *training);
/// The average so far [borrowed]; NULL: there is none.
const float *wsr__training_averaged(const wsr__training *training);
/// Exchange the parameters of the network and their average, where there is
/// one.
void wsr__training_swap_average(wsr__training *training);

/// Means over the images of the epoch so far; not numbers before the first.
typedef struct wsr__epoch {
    double lr;
    double loss;
    double accuracy;       // on what was learned from
    double clean_accuracy; // not a number: not known
} wsr__epoch;

wsr__epoch wsr__training_epoch(const wsr__training *training);

/// Tell the hook of a run how far the training is, as phase "train".
wsr_status wsr__training_report(const wsr__training *training, wsr__run *run);

enum { WSR__HOST = 56 };

/// Seconds that processes worked on their parts of an epoch's batches.
typedef struct wsr__rank_times {
    size_t ranks;         // 1: a single process, the rest is 0 then
    size_t slowest;       // rank
    char host[WSR__HOST]; // of that
    double least;
    double median;
    double most;
    wsr__comm_cost comm; // of this process, since it began
} wsr__rank_times;

/// Collective. Times since the last call. Warns of a process that the others
/// wait for.
wsr_status wsr__training_time_ranks(wsr__rank_times *out,
                                    wsr__training *training);

/// Move to a batch of an epoch, with the sums of the epoch so far.
wsr_status wsr__training_move(wsr__training *training, size_t epoch,
                              size_t batch, wsr__sums sums);

/// Begin the next epoch, when all batches of this one are done.
wsr_status wsr__training_next_epoch(wsr__training *training);

/// Passes of images through the network that it takes.
double wsr__training_passes(const wsr__training *training);

/// Train from the current position to the end: a line of the log per
/// epoch and every log_every batches, progress per batch as phase "train", a
/// checkpoint of the run after each epoch and when it is canceled. CANCELED;
/// NUMERIC, naming epoch, step and tensor, for a loss or gradient that is not
/// finite.
wsr_status wsr__training_run(wsr__training *training, wsr__run *run);

/// Accuracies of a validation, below 0 when it was not due.
typedef struct wsr__validation {
    double clean;
    double robust;
} wsr__validation;

/// Make the model of the validation, where there is one, and refuse what the
/// validation could not do.
wsr_status wsr__training_prepare_validation(wsr__training *training);

/// Validate after an epoch, if that is due, and keep what is best. Phase
/// "validate".
wsr_status wsr__training_validate(wsr__validation *validation, wsr__training *t,
                                  wsr__run *run);

/// Warn, in the run's log and to the log hook, when the accuracy under attack
/// of a validation on so many images says that robustness is unlearned.
wsr_status wsr__training_guard(wsr__training *training, wsr__run *run,
                               double robust, double images);

/// Give the network the parameters that the option `keep` asks for. Call it
/// once the run has ended; the state can no longer be resumed then.
void wsr__training_finish(wsr__training *training);

/// Parameters, buffers, optimiser, position, sums; names begin with `prefix`.
wsr_status wsr__training_save(const wsr__training *training,
                              wsr__st_builder *builder, const char *prefix);
/// Epochs that a stored training has done; FORMAT as for loading it.
wsr_status wsr__training_stored(size_t *epochs, const wsr__training *training,
                                const wsr__st *st, const char *prefix);
/// FORMAT for a state of another training. Nothing changes on failure.
wsr_status wsr__training_load(wsr__training *training, const wsr__st *st,
                              const char *prefix);

// ---------------------------------------------------- for configured runs

typedef struct wsr__source_params {
    wsr__text spec;
    wsr__data_params view; // limit: of the train split
    int64_t test_limit;
} wsr__source_params;

extern const wsr__option wsr__source_schema[]; // section "data"

/// Open both splits. [out, owned] NULL on failure; `test` may be NULL.
wsr_status wsr__source_load(wsr_dataset **train, wsr_dataset **test,
                            const wsr__source_params *params);

/// Memory of data sets; `test` may be NULL.
void wsr__source_needs(wsr__needs *needs, const wsr_dataset *train,
                       const wsr_dataset *test);

/// Make a network of a kind for images and classes of a data set. `params`
/// [copied] are the kind's own, see wsr__nets_for_data(); `cells` [copied] are
/// what the kind builds its cells of, NULL: what the params name.
/// [out, owned]
wsr_status wsr__network_from_config(wsr_net **out, const wsr__net_class *cls,
                                    const wsr__net_options *params,
                                    const void *cells,
                                    const wsr_dataset *dataset, uint64_t seed);

#endif
