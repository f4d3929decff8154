// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over attack strengths. eval.c makes an evaluation, step.c takes a
// data set through its attacks batch by batch, stats.c and text.c say what came
// out, warnings.c what makes the numbers doubtful, doubts.c what makes the
// network doubtful, state.c saves and takes up
// an evaluation, images.c its images,
// ledger.c what became of each image, shard.c the division of the images and
// merge.c the results of its parts, curve.c accuracy at every strength of
// min-norm attacks. released.c measures as the research code
// does. walk.c takes an evaluation to its end inside a run, walk_ranks.c
// among the processes of a job: stage.c at the end
// of another run, run.c for a network file. result.c is what a run hands out.

#ifndef WSR_EVAL_EVAL_H
#define WSR_EVAL_EVAL_H

#include "attack/attack.h"
#include "attack/engine/loss.h"
#include "attack/engine/model.h"
#include "attack/engine/part.h"
#include "data/data.h"
#include "net/net.h"
#include "run/run.h"
#include "wsr/eval.h"

// -------------------------------------------------------------- evaluation

typedef struct wsr__eval_settings {
    wsr__attack_settings attack;
    int64_t keep;
    int64_t count;
    bool quantize;
    wsr__text shard;
} wsr__eval_settings;

extern const char *const wsr__eval_targets[]; // words of the option target

/// Rows of a schema for the settings of an evaluation, which lie `at` bytes
/// behind the start of the params.
// clang-format off
#define WSR__EVAL_OPTION(at, field) \
    ((at) + offsetof(wsr__eval_settings, field))
#define WSR__EVAL_OPTIONS(at) \
    {"stop", WSR__BOOL, WSR__EVAL_OPTION(at, attack.stop), "true", 0, 0, "", \
     "leave images alone after a success", NULL}, \
    {"nested", WSR__BOOL, WSR__EVAL_OPTION(at, attack.nested), "true", 0, 0, \
     "", "a success at a strength counts as one at larger ones", NULL}, \
    {"target", WSR__WORD, WSR__EVAL_OPTION(at, attack.target), "none", 0, 0, \
     "", "class to reach, by how likely it is", \
     wsr__eval_targets}, \
    {"target_class", WSR__INT, WSR__EVAL_OPTION(at, attack.target_class), \
     "-1", -1, INT32_MAX, "", "number of the class that every image is to " \
     "reach, -1: see target; images of that class are left out", NULL}, \
    {"batch", WSR__INT, WSR__EVAL_OPTION(at, attack.batch), "0", 0, 65536, \
     "images", "at once at most, 0: as many as the model takes", NULL}, \
    {"queries", WSR__INT, WSR__EVAL_OPTION(at, attack.queries), "0", 0, \
     UINT32_MAX, "queries", "of each image under one attack at one strength " \
     "at most, 0: no limit", NULL}, \
    {"count", WSR__INT, WSR__EVAL_OPTION(at, count), "0", 0, 1e9, "images", \
     "that are evaluated, 0: all", NULL}, \
    {"quantize", WSR__BOOL, WSR__EVAL_OPTION(at, quantize), "false", 0, 0, \
     "", "measure what survives rounding to 8 bits as well", NULL}, \
    {"shard", WSR__TEXT, WSR__EVAL_OPTION(at, shard), "1/1", 0, 0, "", \
     "I/N: evaluate part I of N of the images", NULL}
// clang-format on

/// One of several parts into which the images of an evaluation are divided.
typedef struct wsr__shard {
    size_t number; // from 0
    size_t of;     // 1: there is nothing to divide
} wsr__shard;

/// Read "I/N". CONFIG.
wsr_status wsr__shard_parse(wsr__shard *out, const char *text);

/// Images [first, first + n) of all the evaluation's. Shards consist of whole
/// batches, since the last bits of an image may depend on its batch.
typedef struct wsr__shard_images {
    size_t first;
    size_t n;
} wsr__shard_images;

/// ARG when there are fewer batches than shards.
wsr_status wsr__shard_images_of(wsr__shard_images *out, const wsr__shard *shard,
                                size_t images, size_t batch);

/// What an evaluation is made of. wsr_eval_new() decodes text to this.
typedef struct wsr__eval_params {
    const char *attacks; // list of specs, "fgsm,pgd:steps=20"
    const float *eps;    // (n_eps); NULL: 8/255 alone
    size_t n_eps;
    wsr__eval_settings settings;
} wsr__eval_params;

/// The defaults of wsr_eval_new(); `attacks` stays to be set.
void wsr__eval_params_default(wsr__eval_params *params);

/// Make an evaluation of params, which are copied. [out, owned] Errors as
/// wsr_eval_new() and wsr_eval_set_strengths().
wsr_status wsr__eval_make(wsr_eval **out, const wsr__eval_params *params);

/// What a model's outputs are: a classifier may end in a softmax.
typedef enum wsr__outputs {
    WSR__LOGITS,
    WSR__PROBABILITIES,
    WSR__LOG_PROBABILITIES
} wsr__outputs;

/// Of rows of outputs of a class each. No logits look like the other two.
wsr__outputs wsr__outputs_of(const float *z, size_t n, size_t classes);

/// Something that makes an evaluation doubtful before any attack.
typedef struct wsr__doubt {
    const char *name;
    char detail[200];
    char remedy[600];
} wsr__doubt;

/// Whether the network recognises no more clean images than guesses would, at
/// 1 %: most often it wants other images.
bool wsr__doubt_chance(wsr__doubt *out, const wsr_eval *eval);
/// Whether the outputs are no logits.
bool wsr__doubt_outputs(wsr__doubt *out, const wsr_eval *eval);

/// What one attack did at one strength; arrays have a row per image.
typedef struct wsr__eval_cell {
    uint8_t *robust;
    uint8_t *success;
    float *norms[3];
    float *ends[2]; // smallest and largest pixel: of a success, else clean
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;
    uint8_t *outside;
    uint32_t *member;   // of a combination that succeeded: wsr__attack_breaks
    uint32_t *step;     // of the attack, or of that member, that succeeded
    uint8_t *quantized; // robust against images of 8 bits, NULL: not measured
    float *images;      // of the first `keep`
    double member_seconds[WSR__MEMBERS];
    double seconds;
} wsr__eval_cell;

struct wsr_eval {
    wsr__eval_settings settings;
    wsr_attack **attacks;
    size_t n_attacks;
    float *eps;
    size_t n_eps;
    wsr_model *model;  // NULL until it is opened
    wsr_model *source; // that attacks work on, NULL: the same
    const wsr_dataset *dataset;
    size_t *index;   // of its images, those that are evaluated: (n)
    int32_t *labels; // of these
    size_t n;        // images
    size_t first;    // number of the first of them in the undivided evaluation
    size_t keep;     // of which adversarial images are kept
    size_t batch;    // images of a step
    size_t position;
    size_t loaded;          // number of the batch in `x`, SIZE_MAX: none
    float *x;               // (batch, d)
    float *logits;          // (batch, classes)
    uint8_t *clean;         // (n)
    int32_t *predicted;     // (n) classes of the clean images
    float *margin;          // (n) logit of the label less the largest other
    uint32_t *crc32;        // (n) of the pixels of the clean images
    double **smallest;      // [attack] (n), min-norm attacks: norm of the
                            // smallest change found; INFINITY: none was
    bool random;            // the model answers differently when asked again
    wsr__outputs outputs;   // what the model's outputs are
    wsr__eval_cell *cells;  // [attack][strength]
    wsr__attack_part *part; // of the step at `position`, NULL: none of it
    size_t savepoints;      // of the steps before
    double *passes;         // of an image under each attack, at most
    float *probe;           // of state.c, NULL: not computed yet
    wsr_eval_hook hook;     // NULL: nobody watches
    void *user;             // for the hook
};

static inline wsr__eval_cell *wsr__eval_at(const wsr_eval *eval, size_t a,
                                           size_t e)
{
    return &eval->cells[a * eval->n_eps + e];
}

/// What changes of an image are possible, for the size of strengths.
typedef struct wsr__range {
    wsr__lp norm;
    wsr__box box;
    int64_t pixels;
} wsr__range;

enum { WSR__STRENGTHS = 64 }; // most of a configured evaluation

/// Bytes that an opened evaluation needs of the machine: whole batches of the
/// model, a row per image and pair of attack and strength, images kept.
wsr_status wsr__eval_needs(wsr__needs *needs, const wsr_eval *eval,
                           wsr_model *model);

/// Results of images [first, first + n) under one attack.
typedef struct wsr__eval_rows {
    size_t attack;
    size_t first;
    size_t n;
} wsr__eval_rows;

/// Results as bytes, for another process with the same evaluation; with them go
/// the times of the attack, which are added there.
size_t wsr__eval_rows_bytes(const wsr_eval *eval, const wsr__eval_rows *rows);
void wsr__eval_rows_pack(char *out, const wsr_eval *eval,
                         const wsr__eval_rows *rows);
void wsr__eval_rows_unpack(wsr_eval *eval, const wsr__eval_rows *rows,
                           char *bytes);
void wsr__eval_clear_times(wsr_eval *eval);

/// The attack and the images of a step.
wsr__eval_rows wsr__eval_rows_of(const wsr_eval *eval, size_t step);

/// Evaluations of shards in folders of their own.
typedef struct wsr__merge {
    const char *const *dirs; // borrowed
    size_t n;
} wsr__merge;

/// Fill an evaluation that is opened and not begun with the results of its
/// shards. `params` are those that the shards were made of, but for the shard.
/// ARG for a shard that is missing, there twice or incomplete; CONFIG for one
/// of another evaluation; NOTFOUND; FORMAT. On failure the evaluation is not
/// begun.
wsr_status wsr__eval_merge(wsr_eval *eval, const wsr__eval_params *params,
                           const wsr__merge *merge);

/// The state that wsr_eval_save() writes and wsr_eval_resume() reads, inside
/// a file that holds other things as well.
wsr_status wsr__eval_save_state(wsr__st_builder *builder, const wsr_eval *eval);
wsr_status wsr__eval_load_state(wsr_eval *eval, const wsr__st *st);

/// Log a warning for a strength that is larger than any change of an image
/// inside the pixel range can be: 8 where 8/255 was meant.
void wsr__strength_check(const wsr__range *range, float eps);

/// The same for all norms and strengths of an evaluation that was opened.
void wsr__eval_check_strengths(const wsr_eval *eval);

/// Norms of the smallest changes that a min-norm attack found. [borrowed] NULL
/// for other attacks.
static inline const double *wsr__eval_smallest(const wsr_eval *eval, size_t a)
{
    return eval->smallest[a];
}

/// Whether attack `a` is a min-norm attack whose norms hold for the evaluated
/// model, and is done with some image.
bool wsr__eval_has_curve(const wsr_eval *eval, size_t a);

/// Accuracy over all strengths: `accuracy[i]` from strength `eps[i]` on, up to
/// the next. The first strength is 0.
typedef struct wsr__eval_curve {
    size_t n;
    double *eps;
    double *accuracy;
    size_t count; // images
} wsr__eval_curve;

/// [out, owned] wsr__eval_curve_free(); {0} on failure.
wsr_status wsr__eval_curve_of(wsr__eval_curve *out, const wsr_eval *eval,
                              size_t a);
void wsr__eval_curve_free(wsr__eval_curve *curve); // {0} afterwards

/// Append the name of the attack that broke image `i`: of a combination, of
/// its member, with the options of that where several members have the name.
/// Nothing for an image that stands.
void wsr__eval_breaker(wsr__str *out, const wsr_eval *eval, size_t k, size_t i);

/// Compute what tells the models and the data apart, once: logits of the first
/// images. wsr_eval_save() then needs no model.
wsr_status wsr__eval_make_probe(wsr_eval *eval);

/// Make room for a part of the step at `position`.
wsr_status wsr__eval_make_part(wsr_eval *eval);

/// Passes of images through the model that the whole takes at most.
double wsr__eval_passes(const wsr_eval *eval);

/// Part of these that the steps done stand for.
double wsr__eval_part_done(const wsr_eval *eval);

/// Images that tell models apart: the first n of the evaluation. With a limit
/// of queries they are grey ones, since questions about them count for no
/// image.
wsr_status wsr__eval_probe_images(float *x, const wsr_eval *eval, size_t n);

/// Ask the model about the probe's images twice.
wsr_status wsr__eval_ask_twice(wsr_eval *eval);

/// The image with multiples of 1/255 as pixels that is near x and lies in the
/// ball (quantize.c). False if the rounding found none.
bool wsr__quantize(float *out, const float *x, const wsr__ball *ball);

/// Measure how many successes of a batch, which begins at image `at`, survive
/// the rounding. The clean images of the batch are in `x` of the evaluation.
wsr_status wsr__eval_quantize(wsr_eval *eval, const wsr_attack_result *result,
                              size_t a, size_t at);

/// Write the first n kept images into a folder of PNG files.
wsr_status wsr__eval_write_pictures(const wsr_eval *eval, const char *dir,
                                    size_t n);

/// How a path is written: a path that ends in "/" is a folder of PNG files,
/// one in ".npy" a single array.
bool wsr__eval_is_folder(const char *path);
bool wsr__eval_is_array(const char *path);

/// What an entry of RobustBench says besides the numbers.
typedef struct wsr__robustbench_of {
    const char *dataset;
    const char *architecture;
} wsr__robustbench_of;

/// The entry of a complete evaluation with AutoAttack's standard version, as
/// one line of JSON. [out, owned] NULL without such an attack.
wsr_status wsr__eval_robustbench(char **out, const wsr_eval *eval,
                                 const wsr__robustbench_of *of);

// ------------------------------------------------------ fidelity: released

/// Options of the research code's measure, and who watches it.
typedef struct wsr__released_params {
    int64_t steps;
    double rel_length;
    int64_t batch;
    int64_t count;
    wsr__run *run; // told after every batch; NULL: nobody
} wsr__released_params;

extern const wsr__option wsr__released_schema[];

/// wsr_eval_released() with decoded options. CANCELED when the run's hook says
/// so.
wsr_status wsr__eval_measure_released(double *accuracy, const wsr_net *net,
                                      const wsr_dataset *dataset,
                                      const float *eps, size_t n,
                                      const wsr__released_params *params);

// ------------------------------------------------------ tensors in its files

enum { WSR__EVAL_NAME = 64 }; // bytes of a tensor's name

/// "A.E.what" for cell k: attack A at strength E.
void wsr__eval_cell_name(char out[WSR__EVAL_NAME], const wsr_eval *eval,
                         size_t k, const char *what);
/// Add a tensor of one dimension.
wsr_status wsr__eval_add_array(wsr__st_builder *builder, const char *name,
                               wsr__st_dtype dtype, const void *data, size_t n);
/// Add images as a tensor (n, c, h, w).
wsr_status wsr__eval_add_images(wsr__st_builder *builder, const wsr_eval *eval,
                                const char *name, const float *images,
                                size_t n);

// ------------------------------------------------------------ inside a run

/// Saves what an evaluation has done so far.
typedef wsr_status (*wsr__eval_saver)(void *ctx);

/// Do all steps that are left: phase "eval", the event "member" after each
/// member of a combination, and `save` at most every 15 seconds. What `save`
/// or the run's hook refuse is the status. Collective: processes share the
/// steps, rank 0 saves, and in the end all have all results.
wsr_status wsr__eval_walk(wsr_eval *eval, wsr__run *run, wsr__eval_saver save,
                          void *ctx);

/// State of the hook of a running evaluation.
typedef struct wsr__eval_watch {
    wsr_eval *eval;
    wsr__run *run;
    wsr__eval_saver save;
    wsr__eval_saver between; // called before each pass, NULL: nothing is
    void *ctx;               // of both
    double saved;            // when the part done was saved last
    size_t savepoints;       // of the evaluation then
    wsr_status status;       // of all that the hook does
    char detail[512];        // of that, if it is a failure
} wsr__eval_watch;

/// One step, and the progress behind it. The hook is set from the first step
/// to wsr__eval_unwatch().
wsr_status wsr__eval_watched_step(wsr__eval_watch *watch);
void wsr__eval_unwatch(wsr__eval_watch *watch);

/// wsr__eval_walk() among several processes (walk_ranks.c).
wsr_status wsr__eval_walk_ranks(wsr_eval *eval, wsr__run *run,
                                wsr__eval_saver save, void *ctx);

// --------------------------------------------------- stage of another run

typedef struct wsr__eval_stage_params {
    wsr__text attack; // list of specs; empty: no evaluation
    wsr__floats eps;
    int64_t count;
    int64_t batch;
} wsr__eval_stage_params;

extern const wsr__option wsr__eval_stage_schema[]; // section "evaluation"

typedef struct wsr__eval_stage_of {
    const wsr_net *net;      // borrowed
    const wsr_dataset *test; // borrowed
    uint64_t seed;
} wsr__eval_stage_of;

/// CONFIG, before hours of work, for what wsr__eval_stage_run() would refuse.
wsr_status wsr__eval_stage_check(const wsr__eval_stage_params *params);

/// Open the evaluation as wsr__eval_stage_run() will, and close it again: what
/// data, network and attacks refuse of each other shows before the first step.
/// [out] work: passes of images through the network
wsr_status wsr__eval_stage_prepare(double *work, const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params);

/// An evaluation and the model that it borrows; {0}: none.
typedef struct wsr__evaluated {
    wsr_eval *eval;
    wsr_model *model;
} wsr__evaluated;

void wsr__evaluated_free(wsr__evaluated *evaluated); // {0} afterwards

/// Measure accuracy over the strengths; lines with the event "eval" go to the
/// log. Phase "eval". The file eval.safetensors keeps what was measured, for
/// the next call after a cancellation and for wsr__eval_stage_restore() when
/// all is done; a run without a folder keeps nothing. [out, owned] `out`, which
/// is {0} before, holds what was measured also on failure.
wsr_status wsr__eval_stage_run(wsr__evaluated *out, wsr__run *run,
                               const wsr__eval_stage_of *of,
                               const wsr__eval_stage_params *params);

/// Seconds that so many passes of images through the network and back take,
/// measured on some.
wsr_status wsr__eval_stage_seconds(double *seconds,
                                   const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params,
                                   double passes);

/// Bring back what wsr__eval_stage_run() measured; {0} when its file is gone or
/// of another evaluation.
wsr_status wsr__eval_stage_restore(wsr__evaluated *out, const wsr__run *run,
                                   const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params);

#endif
