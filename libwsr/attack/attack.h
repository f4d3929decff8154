// SPDX-License-Identifier: Apache-2.0
//
// What an attack is: its class, its options and its strengths. An attack is
// one file: its options, and `run`, which works on a batch (engine/batch.h)
// with the losses (engine/loss.h), projections (engine/project.h) and steps
// (engine/steps.h) that attacks share. attack.c makes attacks;
// engine/loop.c takes the images batch by batch through all strengths;
// engine/model*.c are what is attacked; engine/pgd_plan.c is the bare PGD that
// training and search use.

#ifndef WSR_ATTACK_ATTACK_H
#define WSR_ATTACK_ATTACK_H

#include "attack/engine/loss.h"
#include "attack/engine/project.h"
#include "base/registry.h"
#include "wsr/attack.h"

typedef struct wsr__attack_batch wsr__attack_batch;
typedef struct wsr__members wsr__members;

enum { WSR__MEMBERS = 16 }; // most attacks of a combination

typedef struct wsr__attack_class {
    wsr__class super;
    unsigned norms; // 1 << WSR__LINF | ...
    /// Norm that the options choose; NULL: the only one.
    wsr__lp (*norm)(const void *params);
    bool needs_gradient;
    /// Whether the options make it need gradients; NULL: needs_gradient says.
    bool (*gradients)(const void *params);
    /// Whether the options make it one step along one gradient; NULL: never.
    bool (*single_step)(const void *params);
    /// Check options against each other, fill what follows from them.
    wsr_status (*prepare)(void *params);
    /// Free what `prepare` allocated; NULL: nothing.
    void (*release)(void *params);
    /// The attacks that it combines; NULL: it is a single one.
    const wsr__members *(*members)(const void *params);
    /// Refuse a model that the options do not suit; NULL: all are suited.
    wsr_status (*fits)(const void *params, const wsr_model *model);
    bool targets;    // knows what to do with target classes
    bool unbounded;  // strength INFINITY makes sense
    bool min_norm;   // looks for the smallest change; strengths only measure it
    bool early_stop; // deactivates images when it is done with them; so do
                     // min-norm attacks
    size_t classes;  // the fewest that it can work with; 0: 2
    /// The loss whose gradient at the clean images `run` needs first: the pass
    /// that computes the clean logits computes it, too. NULL, or a result of
    /// NULL: it begins elsewhere.
    wsr__loss (*clean_loss)(const void *params);
    /// Attack the active rows of `batch` at its strength. For min-norm attacks:
    /// offer every image found.
    wsr_status (*run)(wsr__attack_batch *batch, const void *params);
    /// Forward passes that `run` makes at most, for the progress; 0: memory is
    /// short.
    uint64_t (*passes)(const wsr__attack_batch *batch, const void *params);
} wsr__attack_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "attack/attacks.def"
#undef WSR_REG

extern const wsr__family wsr__attacks;

typedef enum wsr__target_mode {
    WSR__TARGET_NONE,
    WSR__TARGET_GIVEN,
    WSR__TARGET_LEAST,
    WSR__TARGET_SECOND,
    WSR__TARGET_RANDOM,
    WSR__TARGET_CLASS // the setting target_class
} wsr__target_mode;

/// Options that all attacks have.
typedef struct wsr__attack_settings {
    bool stop;
    bool nested;
    bool images;
    wsr__text target;
    int64_t target_class; // negative: none
    int64_t seed;
    int64_t first;
    int64_t batch;
    int64_t queries; // forward passes of an image at a strength, 0: no limit
} wsr__attack_settings;

extern const wsr__option wsr__attack_schema[];

struct wsr_attack {
    const wsr__attack_class *cls;
    void *params;
    wsr__attack_settings settings;
    wsr__target_mode target;
    wsr__lp norm;
    float *eps;
    size_t n_eps;
    wsr_attack_hook hook; // NULL: nobody watches
    void *user;           // for the hook
};

/// wsr_attack_new() with decoded settings.
wsr_status wsr__attack_make(wsr_attack **out, const char *spec,
                            const wsr__attack_settings *settings);

/// "pgd:steps=7": name, and the options that differ from their defaults.
void wsr__attack_print(wsr__str *out, const wsr_attack *attack);

/// Find a class by a spec, whose name may have "-" for "_", and make its
/// params. [out, owned] params
wsr_status wsr__attack_decode(const wsr__attack_class **cls, void **params,
                              const char *spec);

/// A `clean_loss`: the cross entropy, whatever the options.
wsr__loss wsr__attack_clean_ce(const void *params);

/// Free the params of a class; NULL is legal.
void wsr__attack_params_free(const wsr__attack_class *cls, void *params);

bool wsr__attack_gradients_of(const wsr__attack_class *cls, const void *params);

/// Whether an attack is one step along one gradient.
bool wsr__attack_is_single_step(const wsr_attack *attack);

/// ARG, SHAPE or FORMAT when an attack with these options cannot work on the
/// model: no gradients, too few classes, images that its files do not know.
wsr_status wsr__attack_fits(const wsr__attack_class *cls, const void *params,
                            const wsr_model *model);

wsr__lp wsr__attack_norm_of(const wsr__attack_class *cls, const void *params);

/// Passes of an image through a model at all strengths, at most; 1 at least.
wsr_status wsr__attack_count_passes(double *out, const wsr_attack *attack,
                                    wsr_model *model);

/// The effect of an attack on an image at one strength.
typedef struct wsr__attack_breaks {
    const uint32_t *member; // (n) that succeeded, see wsr__members_at(); 0:
                            // none, or the attack is no combination
    const uint32_t *step;   // (n) forward passes of the attack, or of that
                            // member, up to the success; 0: no success
    const double *seconds;  // (WSR__MEMBERS) spent in the members
} wsr__attack_breaks;

wsr__attack_breaks wsr__attack_result_breaks(const wsr_attack_result *result,
                                             size_t e);

/// Predictions of the model on the clean images of a result.
typedef struct wsr__attack_clean {
    const uint32_t *predicted; // (n) classes
    const float *margin;       // (n) logit of the label less the largest other
    const double *smallest;    // (n) norm of the smallest change that a
                               // min-norm attack found, INFINITY: it found none
} wsr__attack_clean;

wsr__attack_clean wsr__attack_result_logits(const wsr_attack_result *result);

/// Smallest or largest pixel of each image, of the adversarial one after a
/// success. [borrowed]
const float *wsr__attack_result_end(const wsr_attack_result *result, size_t e,
                                    bool high);

/// Whether each image of a result lies outside of ball or pixel range, which
/// would be the attack's fault. [borrowed] (n)
const uint8_t *wsr__attack_result_outside(const wsr_attack_result *result,
                                          size_t e);

#endif
