// SPDX-License-Identifier: Apache-2.0
//
// What an attack works with: the images of a batch, those of them that are
// still attacked, and the model.

#ifndef WSR_ATTACK_ENGINE_BATCH_H
#define WSR_ATTACK_ENGINE_BATCH_H

#include "attack/attack.h"
#include "attack/engine/batch_own.h"
#include "attack/engine/loss.h"
#include "attack/engine/model.h"

#include <math.h>

typedef struct wsr__attack_part wsr__attack_part;

/// How far wsr_attack_run() is.
typedef struct wsr__attack_counts {
    double begin;    // part of the call that was done before this strength
    double end;      // and will be done after it
    uint64_t passes; // forward passes at this strength; those that a member of
                     // a combination saved count once it has ended
    uint64_t most;   // passes at most
    size_t first;    // image of the batch, among those of the call
    size_t eps;      // strengths of the batch that are done
    size_t members;  // of a combination that are done at this strength, those
                     // of combinations in it counted one by one
    double started;  // when this strength was begun
    double before;   // seconds that were spent on it before that
} wsr__attack_counts;

/// The images of a batch under attack at one strength. Arrays have a row per
/// image of the batch, at the same index all the time; `active` lists those
/// that are still attacked.
struct wsr__attack_batch {
    const wsr_attack *attack;
    wsr_model *model;
    size_t capacity; // rows of the arrays
    size_t n;        // images
    int64_t d;       // pixels of an image
    size_t classes;
    wsr__lp norm;
    float eps;
    bool stop;        // images with a success are not attacked further
    bool stop_at_eps; // min-norm attacks: any change inside the ball suffices
    uint64_t id;      // number of the first image
    uint32_t stream;  // sets the random numbers of nested attacks apart
    const wsr__attack_class *cls;

    const float *x0; // clean images
    float *x;        // the attack's iterate
    float *grad;     // gradient at x, divided by 2^exponent
    int *exponent;   // (n) of grad
    float *logits;   // at x
    float *dlogits;
    double *loss;       // at x
    const float *clean; // logits of the clean images
    float *found;       // adversarial image, or the last attempt
    double *best;       // min-norm attacks: smallest norm of the changes found,
                        // INFINITY: none yet; else unused
    wsr__loss_target *loss_targets;  // of the losses; an attack may change them
    const wsr__loss_target *targets; // what counts as success
    uint8_t *success;
    uint32_t *active;
    size_t n_active;
    uint32_t *queries;
    uint32_t *gradients;
    wsr__attack_counts progress;
    size_t skip;                // members that were done before the attack was
                                // taken up, and are passed over
    wsr__attack_part *part;     // takes what is done; NULL: nobody wants it
    uint32_t *flat;             // gradients that were zero everywhere
    wsr__attack_batch_own *own; // of batch*.c and part.c
};

/// Ball around row `row`.
wsr__ball wsr__attack_batch_ball(const wsr__attack_batch *s, size_t row);

/// Random numbers for one image and one step of the running attack.
wsr__rng wsr__attack_batch_rng(const wsr__attack_batch *s, size_t row,
                               uint32_t step);

/// An array of the attack's own, `width` floats per image, kept from call to
/// call; its content is undefined at the beginning of `run`. NULL when memory
/// is short.
float *wsr__attack_batch_scratch(wsr__attack_batch *s, size_t which,
                                 int64_t width);

/// An object of the attack's own that lasts through all batches and strengths;
/// NULL before there is one. A new one replaces it. A stopped attack does not
/// keep it, so that a batch in which it was asked for begins anew.
void *wsr__attack_batch_cache(const wsr__attack_batch *s);
void wsr__attack_batch_set_cache(wsr__attack_batch *s, void *object,
                                 void (*release)(void *));

/// x = the clean images.
void wsr__attack_batch_reset(wsr__attack_batch *s);

/// Do something to each active row, in parallel. `ctx` is passed on.
typedef void (*wsr__row_body)(wsr__attack_batch *s, size_t row, void *ctx);
void wsr__attack_batch_each(wsr__attack_batch *s, wsr__row_body body,
                            void *ctx);

/// Logits at x, nothing else.
wsr_status wsr__attack_batch_forward(wsr__attack_batch *s);

/// The same at other images.
wsr_status wsr__attack_batch_forward_at(wsr__attack_batch *s, const float *x);

/// Sees the logits of a row, s->logits. It may record a success or deactivate
/// the row, which spares its gradient, as does a result of false. It may change
/// what belongs to the row alone: threads call it for several rows at once, in
/// any order.
typedef bool (*wsr__row_look)(wsr__attack_batch *s, size_t row, void *ctx);

/// A pass of the active rows forward and backward.
typedef struct wsr__attack_pass {
    const float *x;     // NULL: s->x
    wsr__row_look look; // NULL: all gradients are wanted
    void *ctx;
    wsr__loss loss;
} wsr__attack_pass;

/// Compute the logits of the active rows, and loss and gradient of those whose
/// gradient is wanted. Then rows that `look` has recorded or deactivated are
/// active no more (wsr__attack_batch_compact).
wsr_status wsr__attack_batch_pass(wsr__attack_batch *s,
                                  const wsr__attack_pass *wanted);

/// Whether the logits of a row are what the attacker wants.
bool wsr__attack_batch_is_adversarial(const wsr__attack_batch *s, size_t row);

/// After a forward at x: with stop, record rows that are adversarial and
/// deactivate them.
void wsr__attack_batch_check_success(wsr__attack_batch *s);

/// Logits at x; with stop, rows that are adversarial are recorded and
/// deactivated.
wsr_status wsr__attack_batch_evaluate(wsr__attack_batch *s);

/// The same with loss and gradient for those that stay active.
wsr_status wsr__attack_batch_gradient(wsr__attack_batch *s, wsr__loss loss);

/// Loss and gradient at other images, nothing else.
wsr_status wsr__attack_batch_gradient_at(wsr__attack_batch *s, const float *x,
                                         wsr__loss loss);

/// Loss and gradient at the clean images; the same for all strengths.
wsr_status wsr__attack_batch_clean_gradient(wsr__attack_batch *s,
                                            wsr__loss loss);

/// At the end of a run: x are the attack's images.
wsr_status wsr__attack_batch_finish(wsr__attack_batch *s);

/// Image `x` is a success of a row. With stop, wsr__attack_batch_compact
/// removes such rows from the active ones.
void wsr__attack_batch_record_success(wsr__attack_batch *s, size_t row,
                                      const float *x);
void wsr__attack_batch_compact(wsr__attack_batch *s);

/// A row is done with: wsr__attack_batch_compact removes it. For classes with
/// `min_norm` or `early_stop`.
void wsr__attack_batch_deactivate(wsr__attack_batch *s, size_t row);

/// Active rows are again those that the attack began with, apart from those
/// that are finally done with. For the same classes.
void wsr__attack_batch_reactivate(wsr__attack_batch *s);

/// Whether a min-norm attack has found a change, and the smallest one of these
/// fits into strength `eps`; strength INFINITY takes any that was found.
static inline bool wsr__attack_batch_within(const wsr__attack_batch *s,
                                            size_t row, float eps)
{
    return s->best[row] < (double)INFINITY && s->best[row] <= (double)eps;
}

/// A min-norm attack has found an image that is wrong: keep the nearest one.
/// With stop_at_eps, wsr__attack_batch_compact then removes the row if the
/// image is near enough.
void wsr__attack_batch_offer(wsr__attack_batch *s, size_t row, const float *x);

/// Call the hook; the engine does so before every pass of the model. CANCELED
/// when the hook wants to stop.
wsr_status wsr__attack_batch_report(const wsr__attack_batch *s);

/// The same when a member of a combination has ended.
wsr_status wsr__attack_batch_report_member(const wsr__attack_batch *s,
                                           const wsr__attack_class *member);

/// A member of a combination was done before the attack was taken up.
wsr_status wsr__attack_batch_skip_member(wsr__attack_batch *s,
                                         const wsr__attack_class *cls,
                                         const void *params);

/// Run another attack on the active rows.
wsr_status wsr__attack_batch_run_member(wsr__attack_batch *s,
                                        const wsr__attack_class *cls,
                                        const void *params, uint32_t stream);

// ------------------------------------------------------------- for loop.c

wsr_status wsr__attack_batch_new(wsr__attack_batch **out,
                                 const wsr_attack *attack, wsr_model *model,
                                 size_t capacity);
void wsr__attack_batch_free(wsr__attack_batch *s);

/// Images of a whole batch.
size_t wsr__attack_batch_size(const wsr_attack *attack, const wsr_model *model,
                              size_t n);

/// Logits of the clean images, into `clean`, and, if the attack begins with
/// these, the gradients of the rows of which `look` wants them.
wsr_status wsr__attack_batch_clean(wsr__attack_batch *s, wsr__row_look look,
                                   void *ctx);

/// Room for the gradient at the clean images.
wsr_status wsr__attack_batch_make_clean_gradient(wsr__attack_batch *s);

/// Take up a batch: clean logits, targets.
wsr_status wsr__attack_batch_begin(wsr__attack_batch *s, const float *x0,
                                   const int32_t *labels, size_t n,
                                   uint64_t id);

/// Attack at one strength, and at no smaller one afterwards: the images that
/// are right (with stop), apart from successes at smaller strengths (nested).
wsr_status wsr__attack_batch_strength(wsr__attack_batch *s, float eps);

/// Whether the model takes the clean image for its label (or, where only a
/// target is known, not for that).
bool wsr__attack_batch_clean_correct(const wsr__attack_batch *s, size_t row);

#endif
