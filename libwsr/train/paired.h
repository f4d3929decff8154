// SPDX-License-Identifier: Apache-2.0
//
// A second network beside the one that is trained: a teacher, or the base of
// the trainers that compare losses with another network's. Its weights never
// change.

#ifndef WSR_TRAIN_PAIRED_H
#define WSR_TRAIN_PAIRED_H

#include "train/inner.h"
#include "train/train.h"

// For whole batches, and, by the parity of their number, for other ones: the
// parts of a batch differ by at most one image.
enum { WSR__PAIRED_PLANS = 3 };

struct wsr__paired {
    wsr_net *net;
    wsr_graph *graph;
    wsr__arena arena;
    wsr_plan *plans[WSR__PAIRED_PLANS];
    unsigned purpose;
    size_t buffers; // floats of the running statistics
};

/// Read a network file, which the option `key` names, and make the plan of
/// whole batches for a purpose, without gradients. CONFIG without a path;
/// SHAPE or ARG when its images or classes are not those of the trained
/// network. [out, owned] NULL on failure
wsr_status wsr__paired_open(wsr__paired **out, const char *key,
                            const char *path, const wsr__training_of *of,
                            size_t batch, unsigned purpose);
void wsr__paired_free(wsr__paired *paired); // NULL is legal

/// Bytes of memory.
double wsr__paired_bytes(const wsr__paired *paired);

/// The input of the plan for n images, and their logits once it has run.
/// [borrowed]
wsr_status wsr__paired_input(float **x, wsr_plan **plan, wsr__paired *paired,
                             size_t n);

/// Write images such that the normalisation of a network gives back x; `shape`
/// is (n, c, h, w). They may be x itself.
void wsr__denormalise(float *out, const float *x, const wsr_net *net,
                      const wsr_shape *shape);

// ---------------------------------------- trainers that compare with a base

/// What these trainers have; the first member of their params.
typedef struct wsr__base_params {
    wsr__text base;
    double eps;
    int64_t steps;
    double alpha;
    wsr__text mode;
} wsr__base_params;

// clang-format off
#define WSR__BASE_AT(field) offsetof(wsr__base_params, field)
#define WSR__BASE_OPTIONS \
    {"base", WSR__TEXT, WSR__BASE_AT(base), "", 0, 0, "", \
     "file of the network that clean images are compared with; a resumed run " \
     "reads it again", NULL}, \
    {"eps", WSR__FLOAT, WSR__BASE_AT(eps), "0.031", 0, 1, "", \
     "strength of the attack", NULL}, \
    {"steps", WSR__INT, WSR__BASE_AT(steps), "7", 1, 1000, "steps", \
     "steps of the attack", NULL}, \
    {"alpha", WSR__FLOAT, WSR__BASE_AT(alpha), "0", 0, 1, "", \
     "length of a step, 0: 2.5 eps / steps", NULL}, \
    {"mode", WSR__WORD, WSR__BASE_AT(mode), "train_moving", 0, 0, "", \
     WSR__ATTACK_MODE_HELP, wsr__attack_modes}
// clang-format on

// Members of their classes. The base is in train mode, and its running
// statistics, which checkpoints hold, follow its passes.
unsigned wsr__base_attack(const void *params);
wsr_status wsr__base_open(void **own, const void *params,
                          const wsr__training_of *of, size_t batch);
void wsr__base_close(void *own);
double wsr__base_bytes(const void *own);
size_t wsr__base_updates(const void *params);
double wsr__base_passes(const void *params);

/// Floats of the base's statistics in the trainer's state.
size_t wsr__base_state(const void *own);

/// The update that learns from attacked images.
wsr_status wsr__base_attacked(wsr__train_step *step,
                              const wsr__base_params *params);

/// Mean cross entropy of the clean images less that of the base on them; the
/// plan has run forward then. The base's statistics are read from `state`,
/// unless it is all zeros, and written there.
wsr_status wsr__base_constraint(double *constraint, wsr__train_step *step,
                                const float *x, float *state);

/// Write the gradient of `weight` times the mean cross entropy, and run
/// backward, after wsr__base_constraint().
wsr_status wsr__base_descend(wsr__train_step *step, double weight);

#endif
