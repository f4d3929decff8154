// SPDX-License-Identifier: Apache-2.0
//
// Adversarial attacks: they look for images close to the given ones that a
// model misclassifies.
//
//   model    the classifier under attack: a function that computes logits(x)
//            and, for most attacks, one that computes the gradient of a
//            function of the logits with respect to x
//   attack   a method with its options and its list of strengths
//   result   for each strength and image: success, the adversarial image, the
//            norms of its change, the number of passes spent on it
//
// A strength (eps) is the radius of a ball around the clean image, in the norm
// of the attack and in the unit of the pixels. Every image that an attack
// returns lies inside that ball and inside the pixel range exactly, not only
// up to rounding. At strength 0 the attack returns the clean image bit for bit.

#ifndef WSR_ATTACK_H
#define WSR_ATTACK_H

#include "wsr/base.h"
#include "wsr/graph.h"
#include "wsr/net.h"
#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------------------ models

/** A classifier under attack. One thread at a time may use it. */
typedef struct wsr_model wsr_model;

/**
 * Function of the caller that computes the logits of a batch of images.
 *
 * @param logits [out] (n, classes)
 * @param x [borrowed] images (n, c, h, w)
 * @param n number of images, at most wsr_model_batch()
 * @param user the pointer that was passed to wsr_model_new()
 * @returns WSR_OK; any other status ends the attack, which returns it
 */
typedef wsr_status (*wsr_model_logits_fn)(float *logits, const float *x,
                                          size_t n, void *user);

/**
 * Function of the caller that computes a vector-Jacobian product: the gradient
 * of a loss with respect to the images of the last call of the logits
 * function.
 *
 * @param dx [out] (n, c, h, w) gradient of the loss with respect to the images
 * @param dlogits [borrowed] (n, classes) gradient of the loss with respect to
 *        the logits
 * @param n number of images, the same as in the last call of the logits
 *        function
 * @param user the pointer that was passed to wsr_model_new()
 * @returns WSR_OK; any other status ends the attack, which returns it
 */
typedef wsr_status (*wsr_model_backward_fn)(float *dx, const float *dlogits,
                                            size_t n, void *user);

/**
 * Make a model from two functions of the caller.
 *
 * @param out [out, owned] NULL on failure
 * @param shape [borrowed] shape of one image, (c, h, w) or (1, c, h, w)
 * @param classes number of classes, at least 2
 * @param logits the library calls it with at most 64 images, or with as many
 *        as wsr_model_set_batch() permits
 * @param backward NULL makes a black-box model, which only attacks without
 *        gradients can attack: see wsr_attack_needs_gradients()
 * @param user [borrowed] the library passes it to both functions
 * @returns WSR_ARG, WSR_SHAPE, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_new(
    wsr_model **out, const wsr_shape *shape, size_t classes,
    wsr_model_logits_fn logits, wsr_model_backward_fn backward, void *user);

/**
 * Make a model from a network. Batch norms use the running statistics, as
 * PyTorch's eval() does, unless wsr_model_set_statistics() says otherwise.
 *
 * The model compiles a plan for each batch size that it meets and keeps it.
 *
 * @param out [out, owned] NULL on failure
 * @param net must outlive the model; must not be a supernet
 * @param batch largest number of images in one pass; memory grows with it; 0
 *        means 64
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_from_net(wsr_model **out,
                                                   const wsr_net *net,
                                                   size_t batch);

/**
 * Make a model from a graph that has the input "x", (1, c, h, w), and the
 * output "logits", (1, classes). Batch norms use the running statistics, as in
 * wsr_model_from_net().
 *
 * @param out [out, owned] NULL on failure
 * @param graph must outlive the model
 * @param batch as in wsr_model_from_net()
 * @returns WSR_ARG when there is no such input or output, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_from_graph(wsr_model **out,
                                                     const wsr_graph *graph,
                                                     size_t batch);

/**
 * Make a black-box model from a program, which answers batches of images over
 * its standard input and output (docs/protocol.md). The library starts the
 * program and waits until it has said which images it takes. wsr_model_free()
 * closes its standard input, by which the program knows the end.
 *
 * Options, with defaults: `timeout=60`, seconds that the program may take for
 * its beginning and for each answer; `batch=0`, number of images in one query
 * at most (0: 64); `mean=[]`, `std=[]` and `range=1`: the program receives
 * range (x - mean) / std, with one value for all channels or one for each.
 *
 * The library ends a program that fails, and each later call fails.
 *
 * @param out [out, owned] NULL on failure
 * @param command [borrowed] a program and its arguments, "./serve --quiet";
 * with quotes, pipes or variables a command of /bin/sh
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_NOTFOUND when there is no such program; WSR_IO when it ends,
 *          does not answer in time, or answers with an error, whose text the
 *          detail line holds; WSR_FORMAT for a message that the protocol does
 *          not permit; WSR_CONFIG, WSR_NOMEM. Calls that compute logits return
 *          the same, and WSR_NUMERIC for logits that are not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_from_command(wsr_model **out,
                                                       const char *command,
                                                       const char *options);

/** Free a model; NULL is legal. */
WSR_API void wsr_model_free(wsr_model *model);

/**
 * Set the range of the pixels. The default is [0, 1].
 *
 * @param model a model
 * @param lo smallest value of a pixel
 * @param hi largest value of a pixel
 * @returns WSR_ARG unless both are finite and lo < hi
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_set_range(wsr_model *model, float lo,
                                                    float hi);

/**
 * Set the largest number of images in one call of the functions that were
 * passed to wsr_model_new().
 *
 * @param model a model
 * @param batch at least 1
 * @returns WSR_ARG for 0, and for a model from a network, graph or program,
 *          whose batch is an argument of its constructor
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_set_batch(wsr_model *model,
                                                    size_t batch);

/** Statistics that batch norms use, see wsr_model_set_statistics(). */
typedef enum wsr_statistics {
    WSR_STATISTICS_RUNNING = 0, /**< running statistics: evaluation mode */
    WSR_STATISTICS_BATCH = 1    /**< statistics of the batch: training mode */
} wsr_statistics;

/**
 * Choose the statistics that the batch norms of a network or graph use. A new
 * model uses the running statistics. With the statistics of the batch, the
 * logits of an image depend on the other images of the batch. Attack such a
 * model with the option stop=false: then no image leaves the batch while the
 * attack runs. The running statistics do not change in either mode.
 *
 * @param model a model
 * @param statistics which statistics batch norms use
 * @returns WSR_ARG for another value, and for a model from two functions or a
 *          program, whose statistics the library does not know
 */
WSR_API WSR_MUST_USE wsr_status
wsr_model_set_statistics(wsr_model *model, wsr_statistics statistics);

/** Shape of one image. @returns [borrowed] (c, h, w) */
WSR_API const wsr_shape *wsr_model_shape(const wsr_model *model);

/** Number of classes. */
WSR_API size_t wsr_model_classes(const wsr_model *model);

/** Largest number of images in one pass. */
WSR_API size_t wsr_model_batch(const wsr_model *model);

/** Number of images whose logits the model has computed so far. */
WSR_API uint64_t wsr_model_queries(const wsr_model *model);

/** Number of images whose gradient the model has computed so far. */
WSR_API uint64_t wsr_model_gradients(const wsr_model *model);

/**
 * Compute the logits of any number of images, in batches.
 *
 * @param logits [out] (n, classes)
 * @param model a model
 * @param x [borrowed] (n, c, h, w)
 * @param n number of images
 * @returns WSR_NUMERIC for logits that are not finite; a status that the
 *          model's functions returned
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_logits(float *logits,
                                                 wsr_model *model,
                                                 const float *x, size_t n);

// ----------------------------------------------------------------- attacks

/** A method of attack with its options. */
typedef struct wsr_attack wsr_attack;

/**
 * Make an attack. Its only strength is 8/255 until wsr_attack_set_strengths()
 * sets others.
 *
 * Every attack has these options, here with their defaults:
 *
 *   stop=true       The attack stops for an image as soon as the model
 *                   misclassifies it, and skips images that the model
 *                   misclassifies without an attack. With false every image
 *                   takes all steps and the result holds the last iterate, as
 *                   adversarial training needs it.
 *   nested=true     With stop: an adversarial image for one strength also
 *                   counts as success at every larger strength, whose ball
 *                   contains it, and the attack skips the image there. The
 *                   accuracy at the larger strength remains a valid upper
 *                   bound of the robust accuracy.
 *   target=none     The target class of a targeted attack: `given` (the labels
 *                   are the target classes), `least` (the least likely class
 *                   of the clean image), `second` (its most likely class other
 *                   than the label) or `random`.
 *   target_class=N  One target class for all images. No image may have it as
 *                   its label.
 *   seed=0          Seed of all random numbers. They depend on (seed, number
 *                   of the image, step), not on batches or threads.
 *   first=0         Number of the first image.
 *   batch=0         Number of images in one pass; 0: wsr_model_batch().
 *   queries=0       Largest number of forward passes for one image at one
 *                   strength (0: no limit), the one of the clean image, which
 *                   counts for the smallest strength, included. An attack of
 *                   more stops for an image there. Excludes stop=false.
 *   images=true     The result keeps the adversarial images.
 *
 * @param out [out, owned] NULL on failure
 * @param spec [borrowed] "pgd" or "pgd:steps=20,random_start=true"
 * @param options [borrowed] "key=value,..." of the options above; NULL: the
 *        defaults
 * @returns WSR_NOTFOUND for an unknown attack, WSR_CONFIG for options that are
 *          not permitted, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_new(wsr_attack **out,
                                               const char *spec,
                                               const char *options);

/**
 * Write a help text about attacks, data sets and their options.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] "attack" or "dataset" lists the members of a family,
 *        one a line; "attack:pgd" describes one attack and its options; NULL or
 *        "all" describes everything; "" lists the topics
 * @returns WSR_NOTFOUND, with a suggestion, for another topic; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_help(char **out, const char *topic);

/** Free an attack; NULL is legal. */
WSR_API void wsr_attack_free(wsr_attack *attack);

/**
 * Set the strengths at which wsr_attack_run() attacks every image.
 *
 * @param attack keeps its strengths on failure
 * @param eps [copied] radii of the ball, in any order; INFINITY where the
 *        attack permits it
 * @param n number of strengths, at least 1
 * @returns WSR_ARG for a strength that is negative or not a number, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_set_strengths(wsr_attack *attack,
                                                         const float *eps,
                                                         size_t n);

/**
 * Progress of wsr_attack_run(). The pointers are valid during the call of the
 * hook only.
 */
typedef struct wsr_attack_progress {
    const char *attack;   /**< [borrowed] name of the attack */
    const char *member;   /**< [borrowed] in a combination (chain, autoattack):
                               name of the member that runs or has just ended;
                               NULL for other attacks */
    float eps;            /**< current strength; 0 while the clean images are
                               classified. Minimum-norm attacks run once, at
                               the largest strength */
    uint64_t passes;      /**< forward passes of this batch at this strength so
                               far; when a member ends, the passes that it did
                               not need are added */
    uint64_t passes_most; /**< largest number of forward passes that this batch
                               can need at this strength */
    double done;          /**< finished fraction of the whole call, from 0 to
                               1; it never decreases */
    bool member_done;     /**< true: `member` has ended and this call reports
                               `robust`; no pass follows it */
    size_t robust;        /**< with member_done: number of images of the batch
                               that are still robust after this member and all
                               members before it, images that were fooled at a
                               smaller strength not counted (option `nested`);
                               otherwise 0 */
    uint64_t first;       /**< number of the first image of the batch */
    size_t images;        /**< number of images in the batch */
} wsr_attack_progress;

/**
 * Function of the caller that observes the progress of an attack and may stop
 * it.
 *
 * wsr_attack_run() calls it, on its own thread, before every forward and
 * backward pass of a batch through the model and whenever a member of a
 * combination has ended.
 *
 * @param progress [borrowed] progress of the attack
 * @param user the pointer that was passed to wsr_attack_set_hook()
 * @returns true to go on; false makes wsr_attack_run() return WSR_CANCELED
 */
typedef bool (*wsr_attack_hook)(const wsr_attack_progress *progress,
                                void *user);

/**
 * Set the progress hook of an attack. A hook does not change the adversarial
 * images. A new attack has no hook.
 *
 * @param attack an attack
 * @param hook NULL removes the hook
 * @param user [borrowed] the library passes it to the hook
 */
WSR_API void wsr_attack_set_hook(wsr_attack *attack, wsr_attack_hook hook,
                                 void *user);

/** Name of an attack. @returns [borrowed, static] such as "pgd" */
WSR_API const char *wsr_attack_name(const wsr_attack *attack);

/**
 * Write the spec from which wsr_attack_new() makes the same attack.
 *
 * @param out [out, owned] such as "pgd:steps=7": the name and the options whose
 *        values are not the defaults; release with wsr_text_free()
 * @param attack an attack
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_spec(char **out,
                                                const wsr_attack *attack);

/** Norm of an attack's ball. @returns [borrowed, static] "linf", "l2", "l1" */
WSR_API const char *wsr_attack_norm(const wsr_attack *attack);

/** Whether an attack needs a model with gradients (a backward function). */
WSR_API bool wsr_attack_needs_gradients(const wsr_attack *attack);

/**
 * Whether an attack is a minimum-norm attack: it runs once, looks for the
 * smallest adversarial change, and succeeds at every strength that is not
 * smaller than the norm of that change.
 */
WSR_API bool wsr_attack_is_min_norm(const wsr_attack *attack);

/** Result of wsr_attack_run(). It may outlive the attack and the model. */
typedef struct wsr_attack_result wsr_attack_result;

/**
 * Attack images at all strengths of an attack.
 *
 * @param out [out, owned] NULL on failure
 * @param attack an attack
 * @param model the attack changes neither its parameters nor its statistics
 * @param images [borrowed] (n, c, h, w) clean images
 * @param labels [borrowed] (n) their labels
 * @param n number of images, at least 1
 * @returns WSR_ARG for pixels outside the model's range, for labels that are
 *          no class, and for an attack with gradients on a black-box model;
 *          WSR_NUMERIC for logits or gradients that are not finite;
 *          WSR_CANCELED when the hook returned false; a status that the
 *          model's functions returned; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_run(wsr_attack_result **out,
                                               const wsr_attack *attack,
                                               wsr_model *model,
                                               const float *images,
                                               const int32_t *labels, size_t n);

/** Free a result; NULL is legal. */
WSR_API void wsr_attack_result_free(wsr_attack_result *result);

/** Number of images of a result. */
WSR_API size_t wsr_attack_result_count(const wsr_attack_result *result);

/** Number of strengths of a result. */
WSR_API size_t wsr_attack_result_strengths(const wsr_attack_result *result);

/**
 * Strength `e`, in the order of wsr_attack_set_strengths().
 *
 * @param result a result
 * @param e number of the strength, from 0
 */
WSR_API float wsr_attack_result_eps(const wsr_attack_result *result, size_t e);

/**
 * For each clean image, whether the model classifies it correctly. With
 * target=given: whether the model does not predict the target class.
 *
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_clean(const wsr_attack_result *result);

/**
 * For each image, whether it is robust at strength `e`: the model classifies
 * the clean image correctly and the attack does not succeed.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_robust(const wsr_attack_result *result,
                                                size_t e);

/**
 * For each image, whether the attack succeeded at strength `e`.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_success(
    const wsr_attack_result *result, size_t e);

/**
 * Adversarial images at strength `e`. Where the attack did not succeed, this is
 * its last attempt or the clean image.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n, c, h, w); NULL with the option images=false
 */
WSR_API const float *wsr_attack_result_images(const wsr_attack_result *result,
                                              size_t e);

/**
 * For each image, the linf norm of its change.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const float *wsr_attack_result_linf(const wsr_attack_result *result,
                                            size_t e);

/**
 * For each image, the l2 norm of its change.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const float *wsr_attack_result_l2(const wsr_attack_result *result,
                                          size_t e);

/**
 * For each image, the l1 norm of its change.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const float *wsr_attack_result_l1(const wsr_attack_result *result,
                                          size_t e);

/**
 * For each image, the number of forward passes at strength `e`. A pass that
 * several strengths share counts for the first strength that needed it.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const uint32_t *wsr_attack_result_queries(
    const wsr_attack_result *result, size_t e);

/**
 * For each image, the number of backward passes at strength `e`, counted like
 * wsr_attack_result_queries().
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const uint32_t *wsr_attack_result_gradients(
    const wsr_attack_result *result, size_t e);

/**
 * For each image, the number of these backward passes whose gradient was zero
 * in every pixel.
 *
 * @param result a result
 * @param e number of the strength, from 0
 * @returns [borrowed] (n)
 */
WSR_API const uint32_t *wsr_attack_result_flat(const wsr_attack_result *result,
                                               size_t e);

/**
 * Seconds spent at strength `e`.
 *
 * @param result a result
 * @param e number of the strength, from 0
 */
WSR_API double wsr_attack_result_seconds(const wsr_attack_result *result,
                                         size_t e);

#ifdef __cplusplus
}
#endif

#endif
