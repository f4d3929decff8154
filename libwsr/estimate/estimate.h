// SPDX-License-Identifier: Apache-2.0
//
// The test bench of estimators (wsr/estimate.h): several networks, the noises
// that PGD finds for them, and several variants of estimators that learn from
// these noises and are compared on them.
//   options.c    what is configured, and the lists of networks and variants
//   networks.c   networks from files or trained here, their plans
//   bench.c      loaders, estimators, arrays, the position
//   noise.c      PGD's noises, accuracies under noises, norms
//   variants.c   the estimators: a training step, estimates
//   validate.c   leave-one-out: each noise estimated from the others
//   strengths.c  estimates against PGD at equal norm, and the time of both
//   state.c      what a checkpoint holds
//   result.c     the rows of the result
//   run.c        the method of the run (run/run.h)
//
// The noises of a batch are those of the sources, ascending, then one of a
// random strength. In leave-one-out each of them is the target of a sample
// whose sources are the others.

#ifndef WSR_ESTIMATE_ESTIMATE_H
#define WSR_ESTIMATE_ESTIMATE_H

#include "base/fidelity.h"
#include "estimator/estimator.h"
#include "eval/result.h"
#include "run/run.h"
#include "train/train.h"
#include "wsr/estimate.h"

enum {
    WSR__ESTIMATE_NETS = 16,
    WSR__ESTIMATE_VARIANTS = 16,
    WSR__ESTIMATE_NOISES = WSR_ESTIMATOR_SOURCES + 1
};

// ----------------------------------------------------------------- options

typedef struct wsr__estimate_top {
    wsr__text networks;
    wsr__text variants;
    wsr__text fidelity;
} wsr__estimate_top;

typedef struct wsr__estimate_attack {
    int64_t steps;
    double rel_stepsize;
    wsr__floats sources;
    double random_eps;
    wsr__floats eps; // where no estimator sees PGD's noise
} wsr__estimate_attack;

typedef struct wsr__estimate_params {
    int64_t epochs;
    int64_t batch;
    int64_t train_batches;
    int64_t val_batches;
    int64_t train_networks;
    int64_t rotate;
    wsr__text augment;
    wsr__text gradients;
    wsr__text rotation;
    wsr__text norms;
    wsr__text order;
    wsr__text noise_range;
} wsr__estimate_params;

enum {
    WSR__ESTIMATE_TOP,
    WSR__ESTIMATE_DATA,
    WSR__ESTIMATE_NET,   // of networks that are trained here
    WSR__ESTIMATE_TRAIN, // their training
    WSR__ESTIMATE_ATTACK,
    WSR__ESTIMATE_ESTIMATOR,
    WSR__ESTIMATE_SECTIONS
};

typedef struct wsr__estimate_config {
    wsr__estimate_top top;
    wsr__source_params source;
    wsr__cells_options net;
    wsr__train_params train;
    wsr__estimate_attack attack;
    wsr__estimate_params estimator;
} wsr__estimate_config;

void wsr__estimate_sections(wsr__estimate_config *c, wsr__section *out);

/// What the released harness does differently; true is as released.
typedef struct wsr__estimate_quirks {
    bool accumulate;  // gradients of the steps of a batch add up
    bool one_turn;    // the networks change once
    bool batch_stats; // networks normalise by the batch
    bool in_order;    // the first images, in their order
    bool unclamped;   // images with an estimated noise may leave [0, 1]
} wsr__estimate_quirks;

wsr__estimate_quirks wsr__estimate_resolve(const wsr__estimate_config *c);

/// CONFIG for options that do not fit each other.
wsr_status wsr__estimate_check(const wsr__estimate_config *c);

/// A network under attack.
typedef struct wsr__estimate_net {
    char *label; // unique, part of file names
    bool is_file;
    char *cells;                 // name or path of its genotype, or of its file
    wsr__cells_options options;  // of a network that is trained here
    wsr__net_override *override; // of a file
    wsr_net *net;
    wsr_plan *attack; // NULL until the network is trained
    wsr_plan *forward;
} wsr__estimate_net;

/// An estimator under test.
typedef struct wsr__estimate_variant {
    char *label; // unique, part of file names
    const wsr__estimator_class *cls;
    void *options; // of it
    wsr_estimator *estimator;
    double loss;  // sum over the training steps of the epoch
    double bytes; // of its plans
} wsr__estimate_variant;

/// Decode the list of networks; labels are names without folders and endings.
wsr_status wsr__estimate_list_nets(wsr__estimate_net *nets, size_t *n,
                                   const wsr__estimate_config *c);
/// Decode the list of variants. Options that a spec leaves out and that name
/// the fidelity follow the run's.
wsr_status wsr__estimate_list_variants(wsr__estimate_variant *variants,
                                       size_t *n,
                                       const wsr__estimate_config *c);

// ------------------------------------------------------------------- bench

/// The parts that a run goes through once the networks are trained. An epoch
/// is a validation and a training; after the last there is a validation more.
typedef enum wsr__estimate_part {
    WSR__ESTIMATE_VALIDATE,
    WSR__ESTIMATE_FIT,
    WSR__ESTIMATE_STRENGTHS,
    WSR__ESTIMATE_END
} wsr__estimate_part;

/// What leave-one-out measured on one network; arrays are (noises) and
/// (variants, noises).
typedef struct wsr__estimate_validation {
    int64_t seen; // images
    int64_t clean;
    int64_t real[WSR__ESTIMATE_NOISES];
    int64_t estimated[WSR__ESTIMATE_VARIANTS][WSR__ESTIMATE_NOISES];
    int64_t undefined[WSR__ESTIMATE_VARIANTS]; // estimates that were no numbers
    double mse[WSR__ESTIMATE_VARIANTS][WSR__ESTIMATE_NOISES]; // sums
} wsr__estimate_validation;

/// What the comparison at equal norm measured on one network.
typedef struct wsr__estimate_test {
    int64_t seen;
    int64_t clean;
    int64_t real[WSR__LIST_SIZE];
    double norm[WSR__LIST_SIZE]; // sums, as the next two
    int64_t estimated[WSR__ESTIMATE_VARIANTS][WSR__LIST_SIZE];
    int64_t undefined[WSR__ESTIMATE_VARIANTS];
    double cosine[WSR__ESTIMATE_VARIANTS][WSR__LIST_SIZE];
    double mse[WSR__ESTIMATE_VARIANTS][WSR__LIST_SIZE];
    double pgd_seconds; // per image and strength; NAN: not measured
    double seconds[WSR__ESTIMATE_VARIANTS]; // likewise
} wsr__estimate_test;

/// The bench: everything but the training of its networks.
typedef struct wsr__estimate {
    const wsr__estimate_config *config;
    wsr__estimate_quirks quirks;
    uint64_t seed;
    wsr__estimate_net nets[WSR__ESTIMATE_NETS];
    size_t n_nets;
    wsr__estimate_variant variants[WSR__ESTIMATE_VARIANTS];
    size_t n_variants;
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_loader *train_loader;
    wsr_loader *test_loader;
    size_t train_batches; // of an epoch
    size_t val_batches;
    wsr__arena arena; // of the networks' plans
    size_t batch;     // images
    size_t pixels;    // of one
    size_t sources;   // noises of fixed strengths
    // Arrays of a batch, (batch, c, h, w).
    float *noise[WSR__ESTIMATE_NOISES];
    float *wanted[WSR__LIST_SIZE];   // PGD's, at the strengths under test
    float *estimate[WSR__LIST_SIZE]; // at these
    float *x_adv;
    float *norms; // (noises, batch), or (batch, strengths)
    wsr__estimator_sample *samples;
    uint32_t *order;
    size_t zero; // noises of norm zero in the batch
    bool told;   // whether a warning spoke of them
    // The position.
    size_t trained; // networks
    wsr__estimate_part part;
    size_t epoch;
    size_t net;
    size_t at; // batch
    wsr__estimate_validation validation[WSR__ESTIMATE_NETS];
    wsr__estimate_test test_of[WSR__ESTIMATE_NETS];
    double saved; // when the last checkpoint was written
} wsr__estimate;

/// Make what the networks do not need, once they exist: loaders, estimators,
/// arrays. The data sets are there.
wsr_status wsr__estimate_open(wsr__estimate *b);
/// Free everything, the data sets too.
void wsr__estimate_close(wsr__estimate *b);

/// Networks whose noises train the estimators.
bool wsr__estimate_is_seen(const wsr__estimate *b, size_t net);
/// The network whose noises the training step uses.
size_t wsr__estimate_active(const wsr__estimate *b, size_t epoch, size_t at);

// ---------------------------------------------------------------- networks

/// Make a network, of random parameters unless it is in a file. `resume`: what
/// the folder keeps stands for files that were named.
wsr_status wsr__estimate_make_net(wsr__estimate *b, size_t i,
                                  const wsr__run *run, bool resume);
/// Put what a resumed run needs of a network into the folder.
wsr_status wsr__estimate_store_net(const wsr__estimate *b, size_t i,
                                   const wsr__run *run);
/// Name of the file of a network in the folder. [out, owned]
wsr_status wsr__estimate_net_path(char **out, const wsr__estimate *b, size_t i,
                                  const wsr__run *run);
/// Make the plans of a network that has its final parameters.
wsr_status wsr__estimate_make_plans(wsr__estimate *b, size_t i);

// ------------------------------------------------------------------- noise

/// noise = what PGD adds to the batch's images at strength eps.
wsr_status wsr__estimate_pgd(float *noise, wsr__estimate *b, size_t net,
                             const wsr_batch *batch, double eps);
/// Noises of the current network at some strengths. Collective: processes make
/// a share of them each. CANCELED when the run's hook says so.
wsr_status wsr__estimate_attacks(float *const *noise, wsr__estimate *b,
                                 wsr__run *run, const wsr_batch *batch,
                                 const wsr__floats *eps);
/// The same, at those of all sources and, with `serial` above 0, at the random
/// strength with this number.
wsr_status wsr__estimate_noises(wsr__estimate *b, wsr__run *run,
                                const wsr_batch *batch, uint64_t serial);
/// Add the images that the network recognises with a noise (NULL: none).
wsr_status wsr__estimate_count(int64_t *correct, wsr__estimate *b, size_t net,
                               const wsr_batch *batch, const float *noise,
                               bool clamp);
double wsr__estimate_norm(const float *x, size_t n);
double wsr__estimate_dot(const float *x, const float *y, size_t n);

// ---------------------------------------------------------------- variants

/// Lay out the samples of a batch whose noises are there: image i with noise k
/// as its target at place k * batch + i.
void wsr__estimate_samples(wsr__estimate *b, const wsr_batch *batch);
/// One batch of training for every variant: a step on each quarter.
wsr_status wsr__estimate_fit(wsr__estimate *b);
/// Train on the batches that are left of an epoch, and log it.
wsr_status wsr__estimate_fit_epoch(wsr__estimate *b, wsr__run *run);
/// Estimate the targets of the samples of a batch: dst (batch, c, h, w).
wsr_status wsr__estimate_infer(float *dst, wsr__estimate *b, size_t variant,
                               const wsr__estimator_sample *samples);
/// Put zeros where the estimate for an image is not a number, as it can be as
/// released. Returns the number of such images.
int64_t wsr__estimate_define(float *noise, const wsr__estimate *b);

// ------------------------------------------------------------------- parts

/// Tell the hook: step `done` of `total` of a phase.
wsr_status wsr__estimate_tell(const wsr__estimate *b, wsr__run *run);
/// After a batch: write a checkpoint at most every 15 seconds, tell the hook.
wsr_status wsr__estimate_batch_done(wsr__estimate *b, wsr__run *run);

/// Leave-one-out on all networks from the current position on, and its lines.
wsr_status wsr__estimate_validate(wsr__estimate *b, wsr__run *run);
/// The comparison at equal norm on all networks likewise, with the time of
/// both.
wsr_status wsr__estimate_strengths(wsr__estimate *b, wsr__run *run);
/// "below", "between" or "above" the strengths of the sources.
const char *wsr__estimate_place(const wsr__estimate *b, double eps);

// ------------------------------------------------------------ state, result

wsr_status wsr__estimate_save(wsr__estimate *b, wsr__st_builder *builder);
wsr_status wsr__estimate_load(wsr__estimate *b, const wsr__st *st);

/// Take times that were measured before the run was resumed from its log.
wsr_status wsr__estimate_read_times(wsr__estimate *b, const char *path);
/// The rows of wsr_result_estimates(), into a result that has none. [owned]
wsr_status wsr__estimate_rows(wsr_result *out, const wsr__estimate *b);
/// results.csv: the same rows, without times.
wsr_status wsr__estimate_csv(wsr__str *out, const wsr_result *result);

#endif
