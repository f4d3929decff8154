// SPDX-License-Identifier: Apache-2.0
//
// Long runs and training. job.c is the folder that a run works in: its
// configuration, its checkpoint, its log (journal.c), and whoever watches.
// training.c owns epochs, validation and the state that a checkpoint holds;
// batch.c the plans and what one batch costs the parameters; a trainer is one
// file with the mathematics of a batch. sources.c makes data and networks of
// a configuration; assess.c measures a spectrum into the log; run.c puts all
// of this together. Search uses everything but run.c.

#ifndef WSR_TRAIN_TRAIN_H
#define WSR_TRAIN_TRAIN_H

#include "attack/attack.h"
#include "config/config.h"
#include "data/data.h"
#include "io/io.h"
#include "net/net.h"
#include "optim/optim.h"
#include "sched/sched.h"
#include "wsr/train.h"

// ----------------------------------------------------------------- journal

/// The log of a run: JSON objects, one a line. Counted in lines, not bytes,
/// so that a checkpoint may name its place although lines hold times.
typedef struct wsr__journal wsr__journal;

/// Open a log and drop what follows its first `keep` lines. FORMAT when it
/// has fewer; IO. [out, owned] NULL on failure.
wsr_status wsr__journal_open(wsr__journal **out, const char *path,
                             uint64_t keep);
void wsr__journal_close(wsr__journal *journal); // NULL is legal

/// Begin a line {"event": event, ...}. [out, borrowed until the line ends]
wsr_status wsr__journal_begin(wsr__json **line, wsr__journal *journal,
                              const char *event);

/// Write the line that was begun; it has reached the system afterwards.
wsr_status wsr__journal_end(wsr__journal *journal);

/// Write the JSON object `text` as a line, with the event put first.
wsr_status wsr__journal_text(wsr__journal *journal, const char *event,
                             const char *text);

/// Make sure that the lines are on the disk.
wsr_status wsr__journal_sync(wsr__journal *journal);

/// Lines written so far, those that were kept included.
uint64_t wsr__journal_lines(const wsr__journal *journal);

// --------------------------------------------------------------------- job

typedef struct wsr__job wsr__job;

/// Adds everything that the run's owner needs to go on to a checkpoint.
typedef wsr_status (*wsr__job_state)(wsr__st_builder *builder, void *ctx);

/// A run's folder and who watches it. The owner sets `state` and `ctx`.
struct wsr__job {
    char *dir;
    wsr__journal *journal; // NULL until wsr__job_begin
    wsr_progress_hook hook;
    void *user;
    wsr__job_state state; // NULL: checkpoints are not written
    void *ctx;
    bool canceled; // the hook said so
};

/// Open a run's folder. Fresh: it is made; ARG when it holds a checkpoint, for
/// that is hours of work. Resumed: NOTFOUND when it is no run's folder.
/// [out, owned] NULL on failure.
wsr_status wsr__job_open(wsr__job **out, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user);
void wsr__job_close(wsr__job *job); // NULL is legal

/// Path of a file in the folder. [out, owned]
wsr_status wsr__job_path(char **path, const wsr__job *job, const char *name);

/// Write a text file in the folder as a whole or not at all.
wsr_status wsr__job_write(const wsr__job *job, const char *name,
                          const char *text);

/// Decode the folder's configuration; `given`, NULL or what the caller has
/// this time, must agree with it but for the number of threads.
wsr_status wsr__job_stored(const wsr__job *job, wsr__section *sections,
                           size_t n, const wsr_config *given);
/// Write the configuration that the sections stand for.
wsr_status wsr__job_store(const wsr__job *job, const wsr__section *sections,
                          size_t n);

/// Load the folder's checkpoint. [out, owned] NULL when there is none yet.
wsr_status wsr__job_load(wsr__st **out, const wsr__job *job);

/// Open log.jsonl; `checkpoint` says how many lines count, NULL: none.
wsr_status wsr__job_begin(wsr__job *job, const wsr__st *checkpoint);

/// Write checkpoint.safetensors: what `state` adds, and the place in the log.
wsr_status wsr__job_checkpoint(wsr__job *job);

/// Tell the hook how far the work is. CANCELED when it wants to stop; the
/// caller then brings its state in order and leaves.
wsr_status wsr__job_progress(wsr__job *job, const char *phase, size_t done,
                             size_t total, const char *note);

// ---------------------------------------------------------------- trainers

/// A batch, as a trainer gets it. Arrays are (n, ...).
typedef struct wsr__lesson {
    wsr_plan *plan;   // training graph, train mode
    wsr_plan *attack; // NULL unless the trainer attacks; shares its memory
    const wsr_net *net;
    const float *x; // clean images
    const int32_t *labels;
    float *x_adv; // room for images
    size_t n;
    size_t classes;
    uint64_t seed;
    uint64_t id;      // number of the first image over all epochs
    double smoothing; // of labels
    double auxiliary; // weight of the second classifier's loss
    double drop_path; // probability now
    uint64_t step;    // over all epochs
    // Out:
    double loss;  // of the batch, mean
    size_t right; // images that were right where they were learned from
    size_t clean; // clean images that were right, where known
    bool clean_known;
} wsr__lesson;

typedef struct wsr__trainer_class {
    wsr__class super;
    /// Purpose of the attack plan (WSR_GRAD_INPUT | ...); NULL: none needed.
    unsigned (*attack)(const void *params);
    /// Accumulate the gradients of the batch's loss and set the results.
    wsr_status (*batch)(wsr__lesson *lesson, const void *params);
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
/// `right` counts images. NUMERIC, naming the tensor, when a loss is not
/// finite.
wsr_status wsr__lesson_pass(double *loss, size_t *right, wsr__lesson *lesson,
                            const float *x, wsr__pass pass);

/// SHAPE when a loader's images are not what the network takes, ARG when the
/// data have more classes.
wsr_status wsr__images_fit(const wsr_loader *loader, const wsr_dataset *data,
                           const wsr_net *net);

// ---------------------------------------------------------------- training

typedef struct wsr__train_params {
    wsr__text trainer;
    int64_t epochs;
    int64_t batch;
    wsr__text optimizer;
    double lr;
    wsr__text schedule;
    double grad_clip;
    double auxiliary_weight;
    double label_smoothing;
    bool drop_path_ramp;
    wsr__text augment;
    bool drop_last;
    int64_t eval_every;
    int64_t eval_count;
    wsr__text eval_attack;
    double eval_eps;
    wsr__text keep;
    int64_t log_every;
    int64_t save_every;
} wsr__train_params;

extern const wsr__option wsr__train_schema[];

/// What is trained on what.
typedef struct wsr__training_of {
    wsr_net *net;             // borrowed
    const wsr_dataset *train; // borrowed
    const wsr_dataset *test;  // borrowed; NULL: no validation
    uint64_t seed;
} wsr__training_of;

/// Plans for one number of images, all in the memory of the training.
typedef struct wsr__rack {
    size_t n;
    wsr_plan *train;
    wsr_plan *attack; // NULL when the trainer does not attack
} wsr__rack;

/// Sums over the images of an epoch so far.
typedef struct wsr__sums {
    double loss;
    double right;
    double clean;
    double seen;
} wsr__sums;

/// A network on its way from random parameters to trained ones.
typedef struct wsr__training {
    wsr__training_of of;
    wsr__train_params params;
    const wsr__trainer_class *trainer;
    void *options; // of the trainer
    wsr_optim *optim;
    wsr_sched *sched;
    wsr_loader *loader;
    size_t batches; // of an epoch
    wsr_graph *graph;
    wsr_graph *attack_graph;
    wsr__arena arena;
    wsr__rack racks[2]; // whole batches, and the last one of an epoch
    float *x_adv;
    wsr_model *judge; // of the validation, made when first needed
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

/// Train from the current position to the end: a line of the journal per
/// epoch and every log_every batches, progress per batch as phase "train", a
/// checkpoint of the job after each epoch and when it is canceled. CANCELED;
/// NUMERIC, naming epoch, step and tensor, for a loss or gradient that is not
/// finite.
wsr_status wsr__training_run(wsr__training *training, wsr__job *job);

/// Accuracies of a validation, below 0 when it was not due.
typedef struct wsr__verdict {
    double clean;
    double robust;
} wsr__verdict;

/// Validate after an epoch, if that is due, and keep what is best. Phase
/// "validate".
wsr_status wsr__training_validate(wsr__verdict *verdict, wsr__training *t,
                                  wsr__job *job);

/// Give the network the parameters that the option `keep` asks for. Call it
/// once the run has ended; the state can no longer be resumed then.
void wsr__training_finish(wsr__training *training);

/// Parameters, buffers, optimiser, position, sums; names begin with `prefix`.
wsr_status wsr__training_save(const wsr__training *training,
                              wsr__st_builder *builder, const char *prefix);
/// FORMAT for a state of another training.
wsr_status wsr__training_load(wsr__training *training, const wsr__st *st,
                              const char *prefix);

// ---------------------------------------------------- for configured runs

typedef struct wsr__source_params {
    wsr__text spec;
    int64_t size;
    int64_t channels;
    int64_t limit;
    int64_t test_limit;
} wsr__source_params;

extern const wsr__option wsr__source_schema[]; // section "data"

/// Open both splits. [out, owned] NULL on failure; `test` may be NULL.
wsr_status wsr__source_load(wsr_dataset **train, wsr_dataset **test,
                            const wsr__source_params *params);

typedef struct wsr__student_params {
    wsr__text genotype;
    wsr__text codes;
    int64_t channels;
    int64_t layers;
    wsr__text stem;
    bool auxiliary;
    double drop_path;
} wsr__student_params;

extern const wsr__option wsr__student_schema[]; // section "net"

/// Make the network of a configuration for images and classes of a data set.
/// `genotype` and `codes` may be NULL: those that the params name.
/// [out, owned]
wsr_status wsr__student_new(wsr_net **out, const wsr__student_params *params,
                            const wsr_genotype *genotype,
                            const wsr_robnet_codes *codes,
                            const wsr_dataset *dataset, uint64_t seed);

typedef struct wsr__assess_params {
    wsr__text attack; // list of specs; empty: no spectrum
    wsr__floats eps;
    int64_t count;
    int64_t batch;
} wsr__assess_params;

extern const wsr__option wsr__assess_schema[]; // section "spectrum"

typedef struct wsr__assess_of {
    const wsr_net *net;      // borrowed
    const wsr_dataset *test; // borrowed
    uint64_t seed;
} wsr__assess_of;

/// CONFIG, before hours of work, for what wsr__assess() would refuse.
wsr_status wsr__assess_check(const wsr__assess_params *params);

/// Measure accuracy over the spectrum; lines with the event "spectrum" go to
/// the log. Phase "spectrum". On cancellation the part done is kept in the
/// file spectrum.safetensors, where the next call finds it.
wsr_status wsr__assess(wsr__job *job, const wsr__assess_of *of,
                       const wsr__assess_params *params);

#endif
