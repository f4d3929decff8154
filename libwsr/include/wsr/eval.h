// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over attack strengths: several attacks at several strengths on the
// images of a data set, image by image, with intervals, means and worst cases.
// wsr_eval_run() does a whole evaluation as it is configured, with or without a
// folder. wsr_eval_new() and what follows it do one step by step.

#ifndef WSR_EVAL_H
#define WSR_EVAL_H

#include "wsr/attack.h"
#include "wsr/base.h"
#include "wsr/config.h"
#include "wsr/data.h"
#include "wsr/run.h"

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------ a configured run

/**
 * Attack the network of a file and measure its accuracy.
 *
 * Written into the folder, when there is one: `config.yaml`, every option in
 * force; `genotype.yaml` for a network that has a genotype; `log.jsonl`,
 * `results.jsonl` and `results.csv`: docs/json.md; `images.safetensors`, the
 * first adversarial images; `checkpoint.safetensors` every 15 seconds and at
 * the end. An evaluation that was stopped or killed goes on where it stood and
 * ends with the same numbers. Without a folder the result and the option
 * `attack.save` hold everything.
 *
 * @param result [out, owned] what was measured, release with
 *        wsr_result_free(); NULL is legal. Also on failure, when something was
 *        measured before it; else NULL
 * @param config [borrowed] see wsr_eval_help(); in a resumed run the stored
 *        one counts, and this one, which may be NULL, must not differ from it
 * @param dir [borrowed] folder of the run, made when it does not exist; NULL:
 *        none
 * @param resume go on with the run in `dir`
 * @param hook NULL: nobody watches
 * @param user [borrowed] passed to the hook
 * @returns WSR_CONFIG for a key or value that is not permitted; WSR_ARG for a
 *          folder that is not empty, more images than there are or another
 *          number of classes; WSR_SHAPE when the network takes other images;
 *          WSR_NOTFOUND when there is nothing to resume, and for attacks, data
 *          or genotypes that do not exist; WSR_CANCELED when the hook returned
 *          false; WSR_NUMERIC, WSR_IO, WSR_FORMAT, WSR_BUSY, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_run(wsr_result **result,
                                             const wsr_config *config,
                                             const char *dir, bool resume,
                                             wsr_progress_hook hook,
                                             void *user);

/**
 * Tell a person about the options of wsr_eval_run() and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] as in wsr_train_help()
 * @returns as wsr_train_help()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_help(char **out, const char *topic);

// ------------------------------------------------------------ step by step

/** An evaluation. One thread at a time may use it. */
typedef struct wsr_eval wsr_eval;

/**
 * Begin an evaluation.
 *
 * Options: those of wsr_attack_new() apart from `first`, `images` and
 * `target=given`, where images of the class `target_class` are left out and
 * those that follow take their place; and `keep=0`: number of images, from the
 * first on, whose adversarial images are kept; `count=0`: number of images
 * evaluated, 0: all.
 *
 * Several attacks are one text, "fgsm,pgd:steps=20,restarts=5": a comma
 * separates attacks where a name follows, options where "key=" follows.
 *
 * @param out [out, owned] NULL on failure
 * @param attacks [borrowed] at most 64 of them
 * @param options [borrowed] "key=value,...", NULL: defaults
 * @returns as wsr_attack_new(); WSR_CONFIG for no attack or too many
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_new(wsr_eval **out,
                                             const char *attacks,
                                             const char *options);

/** Free an evaluation; NULL is legal. */
WSR_API void wsr_eval_free(wsr_eval *eval);

/**
 * Set the strengths; without, there is 8/255 alone.
 *
 * @param eps [copied] in any order
 * @returns WSR_ARG for a strength that is not permitted or after
 *          wsr_eval_open(), WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_set_strengths(wsr_eval *eval,
                                                       const float *eps,
                                                       size_t n);

/**
 * Say what is evaluated, on what.
 *
 * @param evaluation an evaluation that was not opened before
 * @param model must outlive the evaluation
 * @param dataset must outlive the evaluation
 * @returns WSR_SHAPE when the model takes other images, WSR_ARG for other
 *          numbers of classes or more images than there are, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_open(wsr_eval *eval, wsr_model *model,
                                              const wsr_dataset *dataset);

/**
 * Let the attacks work on another model than the one that is evaluated, as
 * somebody would who does not know the latter.
 *
 * @param evaluation an evaluation that was opened
 * @param source must outlive the evaluation
 * @returns WSR_SHAPE, WSR_ARG as wsr_eval_open(); WSR_CONFIG when the
 *          option `target` is not none
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_transfer(wsr_eval *eval,
                                                  wsr_model *source);

/** How far an evaluation is. Pointers are valid during the call only. */
typedef struct wsr_eval_progress {
    size_t step;  /**< the running step, from 0 */
    size_t steps; /**< of all */
    double done;  /**< part of all passes, 0 to 1: of the steps done and of the
                       running one */
    size_t savepoints; /**< places that the evaluation has passed from which a
                       stopped one goes on: ends of steps, and inside a step of
                       strengths and of members of a combination; it pays to
                       save when there are more of them than at the last time */
    const wsr_attack_progress *attack; /**< [borrowed] the running attack;
                       `first` is the number of the batch's first image among
                       those that are evaluated */
} wsr_eval_progress;

/**
 * Hear how far an evaluation is, and stop it inside a step; see
 * wsr_attack_hook. The hook may call wsr_eval_save() and what reads the
 * evaluation, nothing else of it.
 *
 * @param progress [borrowed]
 * @param user what was passed to wsr_eval_set_hook()
 * @returns false to stop: the step then returns WSR_CANCELED
 */
typedef bool (*wsr_eval_hook)(const wsr_eval_progress *progress, void *user);

/**
 * Set the hook of an evaluation.
 *
 * @param eval an evaluation
 * @param hook NULL: nobody watches, as in the beginning
 * @param user [borrowed] passed to the hook
 */
WSR_API void wsr_eval_set_hook(wsr_eval *eval, wsr_eval_hook hook, void *user);

/**
 * Take one batch through one attack.
 *
 * @param evaluation on failure, also when the hook stops it, the step is not
 *        done; done again, it goes on from the last strength, or member of a
 *        combination, that had ended, with the same result. Without a hook it
 *        begins anew.
 * @returns WSR_ARG before wsr_eval_open() or when it is done, and as
 *          wsr_attack_run(), WSR_CANCELED when the hook returned false
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_step(wsr_eval *eval);

/** Number of steps done. */
WSR_API size_t wsr_eval_position(const wsr_eval *eval);

/** Number of steps in all. */
WSR_API size_t wsr_eval_steps(const wsr_eval *eval);

/**
 * Do all steps that are left.
 *
 * @returns as wsr_eval_step()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_finish(wsr_eval *eval);

/**
 * Save how far the evaluation has come, the ended strengths and members of a
 * step that was stopped included.
 *
 * @param path of the file, replaced as a whole or not at all
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_save(const wsr_eval *eval,
                                              const char *path);

/**
 * Take up an evaluation. Attacks, options, strengths, data and model must be
 * those that it was saved with.
 *
 * @param evaluation an evaluation that was opened and not begun, as it remains
 *        on failure
 * @param path of the file
 * @returns WSR_ARG otherwise; WSR_CONFIG, naming what differs; WSR_NOTFOUND,
 * WSR_IO, WSR_FORMAT
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_resume(wsr_eval *eval,
                                                const char *path);

// ----------------------------------------------------------------- results

/** The data set that is evaluated. @returns [borrowed] NULL before
 * wsr_eval_open() */
WSR_API const wsr_dataset *wsr_eval_dataset(const wsr_eval *eval);

/** Number of attacks. */
WSR_API size_t wsr_eval_attacks(const wsr_eval *eval);

/** Attack `a`. @returns [borrowed] */
WSR_API const wsr_attack *wsr_eval_attack(const wsr_eval *eval, size_t a);

/** Number of strengths. */
WSR_API size_t wsr_eval_strengths(const wsr_eval *eval);

/** Strength `e`, in the order given. */
WSR_API float wsr_eval_eps(const wsr_eval *eval, size_t e);

/** Number of images that attack `a` is done with. */
WSR_API size_t wsr_eval_count(const wsr_eval *eval, size_t a);

/** What is known of an attack at a strength. */
typedef enum wsr_eval_value {
    WSR_EVAL_CLEAN = 0,        /**< accuracy on the clean images */
    WSR_EVAL_ROBUST = 1,       /**< accuracy under attack */
    WSR_EVAL_LOW = 2,          /**< lower end of its 95 % interval (Wilson) */
    WSR_EVAL_HIGH = 3,         /**< upper end */
    WSR_EVAL_LINF = 4,         /**< mean largest change of attacked images */
    WSR_EVAL_L2 = 5,           /**< mean Euclidean change of these */
    WSR_EVAL_L1 = 6,           /**< mean absolute change of these */
    WSR_EVAL_SUCCESS_LINF = 7, /**< the same of successes */
    WSR_EVAL_SUCCESS_L2 = 8,
    WSR_EVAL_SUCCESS_L1 = 9,
    WSR_EVAL_MEDIAN = 10,     /**< median change of these in the own norm */
    WSR_EVAL_QUERIES = 11,    /**< logits per image */
    WSR_EVAL_GRADIENTS = 12,  /**< gradients per image */
    WSR_EVAL_SECONDS = 13,    /**< of the whole */
    WSR_EVAL_QUARTILE_1 = 14, /**< a quarter of these changes are smaller */
    WSR_EVAL_QUARTILE_3 = 15  /**< a quarter of these changes are larger */
} wsr_eval_value;

/**
 * A number about an attack at a strength, over the images done so far.
 *
 * @param what which number; accuracies are in [0, 1]
 * @returns NAN where there are no images to speak of
 */
WSR_API double wsr_eval_get(const wsr_eval *eval, size_t a, size_t e,
                            wsr_eval_value what);

/**
 * Accuracy when each image meets whichever attack of one norm fools it.
 *
 * @param norm "linf", "l2" or "l1"
 * @returns over the images that all of these attacks are done with; NAN when
 *          there are none
 */
WSR_API double wsr_eval_worst(const wsr_eval *eval, const char *norm, size_t e);

/** Mean robust accuracy of an attack over the strengths above 0. */
WSR_API double wsr_eval_mean(const wsr_eval *eval, size_t a);

/**
 * Robust accuracy of the images of one class, and their number.
 *
 * @param count [out] may be NULL
 * @returns NAN when there are none
 */
WSR_API double wsr_eval_class(size_t *count, const wsr_eval *eval, size_t a,
                              size_t e, size_t label);

/**
 * Whether image `i` is robust.
 *
 * @param i below wsr_eval_count()
 */
WSR_API bool wsr_eval_robust(const wsr_eval *eval, size_t a, size_t e,
                             size_t i);

/**
 * Adversarial image `i`.
 *
 * @returns [borrowed] (c, h, w); NULL unless i is below the option `keep` and
 *          wsr_eval_count()
 */
WSR_API const float *wsr_eval_image(const wsr_eval *eval, size_t a, size_t e,
                                    size_t i);

/**
 * Images that all attacks of one norm are done with.
 *
 * @returns 0 also when there are no such attacks
 */
WSR_API size_t wsr_eval_worst_count(const wsr_eval *eval, const char *norm);

/**
 * One JSON object per attack and strength, then per norm and strength the
 * worst case over its attacks, then per attack the mean over its strengths,
 * then the warnings; each on a line of its own, with "event" evaluation,
 * summary or warning: docs/json.md.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_json(char **out, const wsr_eval *eval);

/**
 * The same numbers of attacks and strengths as comma-separated values.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_csv(char **out, const wsr_eval *eval);

/**
 * What makes the numbers doubtful, by the published checklists for evaluations
 * of robustness (Carlini et al., arXiv:1902.06705; Croce et al.,
 * arXiv:2003.01690): one JSON object a line with the keys "warning", "attack",
 * "norm", "eps" (null where no single one is meant), "detail" and "remedy".
 * Warnings are
 *
 *   rising          accuracy rises with the strength (with nested=false)
 *   black_box       an attack without gradients fools more than all with them
 *   single_step     a single step fools more than all attacks with many
 *   budget          more steps or restarts still fool more
 *   unbounded       images are robust where any image is permitted
 *   zero_gradients  more than a tenth of the gradients are zero everywhere
 *   outside         images lie outside of the ball or the pixel range
 *   random          the model answers the same question differently
 *
 * @param out [out, owned] "" when there are none; release with wsr_text_free()
 * @param evaluation an evaluation of which something is done
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_warnings(char **out,
                                                  const wsr_eval *eval);

/**
 * The same warnings as sentences, one a line.
 *
 * @param out [out, owned] "" when there are none; release with wsr_text_free()
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_warnings_text(char **out,
                                                       const wsr_eval *eval);

/**
 * Write the images that were kept to a safetensors file: "clean" (n, c, h, w),
 * "labels" and "predictions" (n), the latter of the model that is evaluated;
 * per attack and strength "A.E.images" (n, c, h, w), "A.E.predictions",
 * "A.E.robust" and "A.E.success" (n). Metadata say what A and E are, and
 * "class.N" the name of a class, where the data have names.
 *
 * @param most the first `most` of them alone, 0: all
 * @param path of the file, replaced as a whole or not at all
 * @returns WSR_ARG when none were kept, WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_save_images(const wsr_eval *eval,
                                                     size_t most,
                                                     const char *path);

// ------------------------------------------------------- fidelity: released

/**
 * Accuracy over strengths as the research code of Wsr-NAS measures it, for
 * comparing with its published numbers; not a measure of robustness. PGD runs
 * with the statistics of the batch, every one of its passes moves the running
 * statistics, and the images are classified with the running statistics that
 * the attack on them has just moved. Strengths follow each other without
 * resetting these; afterwards the network is as before.
 *
 * Options, with defaults: `steps=20`; `rel_length=2.5`: length of all steps
 * together, in strengths; `batch=32`; `count=0`: images, 0: all.
 *
 * @param accuracy [out] (n) in [0, 1]
 * @param net a network, no supernet
 * @param dataset images of the network's shape
 * @param eps [borrowed] strengths in their order; at 0 nothing is attacked
 * @param n number of strengths
 * @param options [borrowed] "key=value,...", NULL: defaults
 * @returns WSR_CONFIG, WSR_SHAPE, WSR_ARG, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_released(double *accuracy,
                                                  const wsr_net *net,
                                                  const wsr_dataset *dataset,
                                                  const float *eps, size_t n,
                                                  const char *options);

#ifdef __cplusplus
}
#endif

#endif
