// SPDX-License-Identifier: Apache-2.0
//
// Attacks: images that a model takes for something else.
//
//   model    what is attacked: logits(x) and, for most attacks, the gradient
//            of a function of the logits with respect to x
//   attack   a method with its options, and the strengths to try
//   result   per strength and image: success, the image, norms, costs
//
// Strengths are radii of a ball around the image in the attack's norm, in the
// unit of the pixels. Whatever an attack returns lies inside that ball and
// inside the pixel range exactly, not up to rounding; strength 0 returns the
// input bit for bit.

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

/** A classifier as an attack sees it. One thread at a time may use it. */
typedef struct wsr_model wsr_model;

/**
 * Compute logits.
 *
 * @param logits [out] (n, classes)
 * @param x [borrowed] images (n, c, h, w)
 * @param n at most the model's batch
 * @param user what was passed to wsr_model_new()
 * @returns anything but WSR_OK ends the attack with that status
 */
typedef wsr_status (*wsr_model_logits_fn)(float *logits, const float *x,
                                          size_t n, void *user);

/**
 * Compute the gradient with respect to the images of the last call of the
 * logits function.
 *
 * @param dx [out] (n, c, h, w)
 * @param dlogits [borrowed] (n, classes): gradient of some function with
 *        respect to the logits
 * @param n as in that call
 * @param user what was passed to wsr_model_new()
 * @returns anything but WSR_OK ends the attack with that status
 */
typedef wsr_status (*wsr_model_backward_fn)(float *dx, const float *dlogits,
                                            size_t n, void *user);

/**
 * Make a model of two functions.
 *
 * @param out [out, owned] NULL on failure
 * @param shape [borrowed] of one image, (c, h, w) or (1, c, h, w)
 * @param classes at least 2
 * @param logits called with at most 64 images unless wsr_model_set_batch()
 * @param backward NULL: a black box, which some attacks can attack
 * @param user [borrowed] passed on unchanged
 * @returns WSR_ARG, WSR_SHAPE, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_new(
    wsr_model **out, const wsr_shape *shape, size_t classes,
    wsr_model_logits_fn logits, wsr_model_backward_fn backward, void *user);

/**
 * Make a model of a network, with frozen statistics unless
 * wsr_model_set_statistics() chooses others.
 *
 * Plans for several batch sizes are made when they are first needed and kept.
 *
 * @param out [out, owned] NULL on failure
 * @param net must outlive the model; no supernet
 * @param batch the most images that are computed at once; memory grows with
 *        it; 0 takes 64
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_from_net(wsr_model **out,
                                                   const wsr_net *net,
                                                   size_t batch);

/**
 * Make a model of a graph that has the input "x", (1, c, h, w), and the output
 * "logits", (1, classes), with frozen statistics as in wsr_model_from_net().
 *
 * @param out [out, owned] NULL on failure
 * @param graph must outlive the model
 * @param batch as in wsr_model_from_net()
 * @returns WSR_ARG when there is no such input or output, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_from_graph(wsr_model **out,
                                                     const wsr_graph *graph,
                                                     size_t batch);

/** Free a model; NULL is legal. */
WSR_API void wsr_model_free(wsr_model *model);

/**
 * Say what values pixels may have. The default is [0, 1].
 *
 * @returns WSR_ARG unless both are finite and lo < hi
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_set_range(wsr_model *model, float lo,
                                                    float hi);

/**
 * Say how many images are passed to the functions of wsr_model_new() at once.
 *
 * @param batch at least 1
 * @returns WSR_ARG, also for models of networks, which fix it when made
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_set_batch(wsr_model *model,
                                                    size_t batch);

/** Which statistics batch norms use, see wsr_model_set_statistics(). */
typedef enum wsr_statistics {
    WSR_STATISTICS_RUNNING =
        0,                   /**< the running ones, frozen: evaluation mode */
    WSR_STATISTICS_BATCH = 1 /**< those of the batch: training mode */
} wsr_statistics;

/**
 * Choose the statistics of the batch norms of a network or graph. Models start
 * with the running ones. With those of the batch the logits of an image depend
 * on the images that are computed with it: attack with stop=false, so that all
 * of a batch stay together, and the model makes one plan per number of images.
 * The running statistics do not move either way.
 *
 * @returns WSR_ARG for another value, and for models of two functions, which
 *          have no statistics that the library knows of
 */
WSR_API WSR_MUST_USE wsr_status
wsr_model_set_statistics(wsr_model *model, wsr_statistics statistics);

/** Shape of one image. @returns [borrowed] (c, h, w) */
WSR_API const wsr_shape *wsr_model_shape(const wsr_model *model);

/** Number of classes. */
WSR_API size_t wsr_model_classes(const wsr_model *model);

/** Images computed at once at most. */
WSR_API size_t wsr_model_batch(const wsr_model *model);

/** Images whose logits were computed since the model was made. */
WSR_API uint64_t wsr_model_queries(const wsr_model *model);

/** Images whose gradient was computed since the model was made. */
WSR_API uint64_t wsr_model_gradients(const wsr_model *model);

/**
 * Logits of any number of images.
 *
 * @param logits [out] (n, classes)
 * @param model a model
 * @param x [borrowed] (n, c, h, w)
 * @param n number of images
 * @returns what the model returns; WSR_NUMERIC for logits that are not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_model_logits(float *logits,
                                                 wsr_model *model,
                                                 const float *x, size_t n);

// ----------------------------------------------------------------- attacks

/** A method of attack with its options. */
typedef struct wsr_attack wsr_attack;

/**
 * Make an attack. It has the single strength 8/255 until
 * wsr_attack_set_strengths().
 *
 * Options of every attack, with defaults: `stop=true`: an image that was
 * fooled is not attacked further, and one that the model gets wrong anyway is
 * not attacked at all; false: every image takes all steps and the last image
 * is returned, as training wants it. `nested=true`: with stop, an image that
 * was fooled at one strength counts as fooled at larger ones by the same
 * adversarial image, which lies in their balls too. The accuracy at a larger
 * strength is then still an upper bound of the robust accuracy, but such an
 * image is not attacked again there. `target=none`, or the class to reach:
 * `given` (the labels are the classes to reach), `least` and `second` (by the
 * logits of the clean image, the label apart), `random`; or `target_class=N`,
 * one class for all images, none of which may be of it. `seed=0` of all random
 * numbers; `first=0`: number of the first image: random numbers depend on
 * (seed, number of the image, step) and neither on batches nor threads.
 * `batch=0`: images at once, 0: as the model. `images=true`: keep the images in
 * the result.
 *
 * @param out [out, owned] NULL on failure
 * @param spec [borrowed] "pgd" or "pgd:steps=20,random_start=true"
 * @param options [borrowed] "key=value,..." of the above, NULL: defaults
 * @returns WSR_NOTFOUND for an unknown attack, WSR_CONFIG for options that are
 *          not permitted, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_new(wsr_attack **out,
                                               const char *spec,
                                               const char *options);

/**
 * Tell a person about attacks, data sets and their options.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] "attack" or "dataset": a line for each; "attack:pgd":
 *        one with its options; NULL or "all": everything; "": what there is
 * @returns WSR_NOTFOUND, with a suggestion, for another topic; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_help(char **out, const char *topic);

/** Free an attack; NULL is legal. */
WSR_API void wsr_attack_free(wsr_attack *attack);

/**
 * Set the strengths.
 *
 * @param attack keeps its strengths on failure
 * @param eps [copied] in any order; INFINITY where the attack permits it
 * @param n at least 1
 * @returns WSR_ARG for a strength that is negative or not a number, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_set_strengths(wsr_attack *attack,
                                                         const float *eps,
                                                         size_t n);

/** How far wsr_attack_run() is. Pointers are valid during the call only. */
typedef struct wsr_attack_progress {
    const char *attack;   /**< [borrowed] name of the attack */
    const char *member;   /**< [borrowed] of a combination (chain, autoattack):
                               the attack that runs, or has ended; else NULL */
    float eps;            /**< the strength; 0 while clean images are looked at.
                               Attacks that look for the smallest change run
                               once, at the largest one */
    uint64_t passes;      /**< forward passes of this batch at this strength so
                               far; those that a member did not need count when
                               it has ended */
    uint64_t passes_most; /**< passes of this batch at this strength at most */
    double done;          /**< part of the whole call, 0 to 1; never falls */
    bool member_done;     /**< `member` has ended: a result, no pass follows */
    size_t robust;        /**< with member_done: images of the batch that the
                               model gets right after this and all members
                               before it; else 0. Images that were fooled at a
                               smaller strength (option `nested`) are not */
    uint64_t first;       /**< number of the first image of the batch */
    size_t images;        /**< of the batch */
} wsr_attack_progress;

/**
 * Hear how far an attack is, and stop it.
 *
 * Called from the thread of wsr_attack_run() before every forward and backward
 * pass of a batch through the model, and when a member of a combination has
 * ended.
 *
 * @param progress [borrowed]
 * @param user what was passed to wsr_attack_set_hook()
 * @returns false to stop: wsr_attack_run() then returns WSR_CANCELED
 */
typedef bool (*wsr_attack_hook)(const wsr_attack_progress *progress,
                                void *user);

/**
 * Set the hook of an attack. It does not change what the attack finds.
 *
 * @param attack an attack
 * @param hook NULL: nobody watches, as in the beginning
 * @param user [borrowed] passed to the hook
 */
WSR_API void wsr_attack_set_hook(wsr_attack *attack, wsr_attack_hook hook,
                                 void *user);

/** Name of the method. @returns [borrowed, static] "pgd" */
WSR_API const char *wsr_attack_name(const wsr_attack *attack);

/**
 * The spec that makes the same attack.
 *
 * @param out [out, owned] "pgd:steps=7": name, and the options that differ
 *        from their defaults; release with wsr_text_free()
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_spec(char **out,
                                                const wsr_attack *attack);

/** Norm of the ball. @returns [borrowed, static] "linf", "l2" or "l1" */
WSR_API const char *wsr_attack_norm(const wsr_attack *attack);

/** Whether the model must have gradients. */
WSR_API bool wsr_attack_needs_gradients(const wsr_attack *attack);

/** Whether it looks for the smallest change, which strengths then only measure.
 */
WSR_API bool wsr_attack_is_min_norm(const wsr_attack *attack);

/** What an attack did. Independent of attack and model once made. */
typedef struct wsr_attack_result wsr_attack_result;

/**
 * Attack images.
 *
 * @param out [out, owned] NULL on failure
 * @param attack an attack
 * @param model its parameters and statistics are left as they are
 * @param images [borrowed] (n, c, h, w)
 * @param labels [borrowed] (n)
 * @param n at least 1
 * @returns WSR_ARG for pixels outside the model's range, labels that are no
 *          class, an attack that the model cannot serve; WSR_NUMERIC for
 *          logits or gradients that are not finite; WSR_CANCELED when the
 *          hook returned false; what the model returns; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_attack_run(wsr_attack_result **out,
                                               const wsr_attack *attack,
                                               wsr_model *model,
                                               const float *images,
                                               const int32_t *labels, size_t n);

/** Free a result; NULL is legal. */
WSR_API void wsr_attack_result_free(wsr_attack_result *result);

/** Number of images. */
WSR_API size_t wsr_attack_result_count(const wsr_attack_result *result);

/** Number of strengths. */
WSR_API size_t wsr_attack_result_strengths(const wsr_attack_result *result);

/** Strength `e`, in the order given. */
WSR_API float wsr_attack_result_eps(const wsr_attack_result *result, size_t e);

/**
 * Whether the model takes each clean image for its label (with target=given:
 * does not take it for the target).
 *
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_clean(const wsr_attack_result *result);

/**
 * Whether each image is robust at strength `e`: clean, and not fooled.
 *
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_robust(const wsr_attack_result *result,
                                                size_t e);

/**
 * Whether the attack fooled the model on each image at strength `e`.
 *
 * @returns [borrowed] (n), 0 or 1
 */
WSR_API const uint8_t *wsr_attack_result_success(
    const wsr_attack_result *result, size_t e);

/**
 * Images that the attack found at strength `e`. Those of images without
 * success are its last attempt, or the clean image.
 *
 * @returns [borrowed] (n, c, h, w); NULL when made with images=false
 */
WSR_API const float *wsr_attack_result_images(const wsr_attack_result *result,
                                              size_t e);

/** Largest change of a pixel of each image. @returns [borrowed] (n) */
WSR_API const float *wsr_attack_result_linf(const wsr_attack_result *result,
                                            size_t e);

/** Euclidean length of each image's change. @returns [borrowed] (n) */
WSR_API const float *wsr_attack_result_l2(const wsr_attack_result *result,
                                          size_t e);

/** Sum of each image's absolute changes. @returns [borrowed] (n) */
WSR_API const float *wsr_attack_result_l1(const wsr_attack_result *result,
                                          size_t e);

/**
 * Logits spent on each image at strength `e`. What serves several strengths
 * counts for the first that needed it.
 *
 * @returns [borrowed] (n)
 */
WSR_API const uint32_t *wsr_attack_result_queries(
    const wsr_attack_result *result, size_t e);

/** Gradients spent on each image at strength `e`. @returns [borrowed] (n) */
WSR_API const uint32_t *wsr_attack_result_gradients(
    const wsr_attack_result *result, size_t e);

/** How many of those were zero everywhere. @returns [borrowed] (n) */
WSR_API const uint32_t *wsr_attack_result_flat(const wsr_attack_result *result,
                                               size_t e);

/** Seconds spent at strength `e`. */
WSR_API double wsr_attack_result_seconds(const wsr_attack_result *result,
                                         size_t e);

#ifdef __cplusplus
}
#endif

#endif
