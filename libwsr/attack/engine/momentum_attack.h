// SPDX-License-Identifier: Apache-2.0
//
// Attacks that step along the sign of a momentum of gradients; what mifgsm and
// its relatives share.

#ifndef WSR_ATTACK_ENGINE_MOMENTUM_ATTACK_H
#define WSR_ATTACK_ENGINE_MOMENTUM_ATTACK_H

#include "attack/engine/steps.h"

/// Options of a momentum attack. Params that hold more begin with them.
typedef struct wsr__momentum_params {
    int64_t steps;
    double alpha;
    double decay;
} wsr__momentum_params;

/// Their part of a schema.
// clang-format off
#define WSR__MOMENTUM_OPTIONS(decay_default)                                  \
    {"steps", WSR__INT, offsetof(wsr__momentum_params, steps), "10", 1,       \
     100000, "steps", "gradient steps", NULL},                                \
    {"alpha", WSR__FLOAT, offsetof(wsr__momentum_params, alpha), "0", 0, 1e9, \
     "pixel values", "length of a step, 0: strength / steps", NULL},          \
    {"decay", WSR__FLOAT, offsetof(wsr__momentum_params, decay),              \
     (decay_default), 0, 10, "",                                              \
     "what remains of the momentum from step to step", NULL}
// clang-format on

/// A running momentum attack. The scratch arrays from WSR__MOMENTUM_SCRATCH on
/// are its own.
typedef struct wsr__momentum_attack {
    const wsr__momentum_params *momentum;
    const void *params; // the same, as the attack knows it
    float alpha;
    float *m;     // momentum, a row per image
    int64_t step; // from 0
} wsr__momentum_attack;

enum {
    WSR__MOMENTUM_SCRATCH = WSR__SCRATCH_ARRAYS - 4,
    WSR__MOMENTUM_AHEAD,
    WSR__RESIZED,
    WSR__RESIZED_GRADIENT
};

/// Leaves in s->grad what the momentum is to take in.
typedef wsr_status (*wsr__momentum_gradient)(wsr__attack_batch *s,
                                             const wsr__momentum_attack *c);

/// `params`: begin with wsr__momentum_params.
wsr_status wsr__momentum_attack_run(wsr__attack_batch *s, const void *params,
                                    wsr__momentum_gradient gradient);

/// The gradient at x, which is checked for success; and at the point that the
/// momentum is about to lead to, which may lie outside of the ball and is not.
wsr_status wsr__gradient_here(wsr__attack_batch *s,
                              const wsr__momentum_attack *c);
wsr_status wsr__gradient_ahead(wsr__attack_batch *s,
                               const wsr__momentum_attack *c);

/// ahead = those points.
void wsr__momentum_ahead(float *ahead, wsr__attack_batch *s,
                         const wsr__momentum_attack *c);

/// The same with variance tuning: corrected by how the gradients around the
/// last point differed from that point's (vmifgsm, vnifgsm).
typedef struct wsr__variance {
    wsr__momentum_params momentum;
    int64_t samples;
    double beta;
} wsr__variance;

extern const wsr__option wsr__variance_schema[];
uint64_t wsr__variance_passes(const wsr__attack_batch *s, const void *params);
wsr_status wsr__gradient_tuned(wsr__attack_batch *s,
                               const wsr__momentum_attack *c);
wsr_status wsr__gradient_tuned_ahead(wsr__attack_batch *s,
                                     const wsr__momentum_attack *c);

/// Input diversity: a momentum attack on images that are resized at random and
/// padded with zeros at random. Params that hold more begin with it.
typedef struct wsr__input_diversity {
    wsr__momentum_params momentum;
    double rate; // smallest size of what it was
    double prob; // of changing an image at all
} wsr__input_diversity;

// clang-format off
#define WSR__INPUT_DIVERSITY_OPTIONS                                          \
    WSR__MOMENTUM_OPTIONS("0"),                                               \
    {"rate", WSR__FLOAT, offsetof(wsr__input_diversity, rate), "0.9", 0.01,   \
     1, "", "smallest size of an image, as a part of its own", NULL},         \
    {"prob", WSR__FLOAT, offsetof(wsr__input_diversity, prob), "0.5", 0, 1,   \
     "", "probability that an image is changed", NULL}
// clang-format on

/// The gradient at x of the loss of resized images, for those params.
wsr_status wsr__gradient_resized(wsr__attack_batch *s,
                                 const wsr__momentum_attack *c);

/// An image of (h, w) pixels per channel in the size (rows, columns) at
/// (top, left).
typedef struct wsr__resize {
    int64_t channels;
    int64_t h;
    int64_t w;
    int64_t rows;
    int64_t columns;
    int64_t top;
    int64_t left;
} wsr__resize;

/// to = from, resized bilinearly (pixel centres at half numbers); zeros around.
void wsr__resize_image(float *to, const float *from, const wsr__resize *how);

/// The adjoint: what a gradient of the one is for the other.
void wsr__resize_backward(float *to, const float *from, const wsr__resize *how);

#endif
