// SPDX-License-Identifier: Apache-2.0
//
// Evaluation of robustness: accuracy of a model on a data set under several
// attacks at several strengths, with confidence intervals, means over the
// strengths and the worst case over the attacks.
//
// wsr_eval_run() does a whole evaluation from a configuration, with or without
// a folder. wsr_eval_new(), wsr_eval_open() and wsr_eval_step() let a program
// do an evaluation step by step.

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
 * Load a network from a file, attack it and measure its accuracy.
 *
 * The run writes these files into its folder: `config.yaml` (the value of every
 * option), `genotype.yaml` (for a network with a genotype), `log.jsonl`,
 * `results.jsonl`, `results.csv`, `images.csv`, `images.jsonl` and, with
 * minimum-norm attacks, `curves.csv` (docs/json.md), `images.safetensors` (the
 * first adversarial images), and `checkpoint.safetensors` (every 15 seconds and
 * at the end). A run that was stopped or killed can be resumed and ends with
 * the same numbers. A run without a folder writes only the file that the option
 * `attack.save` names.
 *
 * @param result [out, owned] the measurements, release with wsr_result_free();
 *        NULL is legal. A run that fails or is stopped returns the
 *        measurements made until then; NULL when there are none
 * @param config [borrowed] options, see wsr_eval_help(). A resumed run uses
 *        the configuration in its folder; `config` is then NULL or must agree
 *        with that one
 * @param dir [borrowed] folder of the run; the run makes it if necessary; NULL
 *        runs without a folder
 * @param resume true continues the run in `dir`
 * @param hook progress hook, NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns WSR_CONFIG for a key or value that is not permitted; WSR_ARG for a
 *          folder that is not empty, for more images than the data set has,
 *          and when network and data set differ in the number of classes;
 *          WSR_SHAPE when they differ in the shape of an image; WSR_NOTFOUND
 *          when `dir` holds no run to resume, and for attacks, data or
 *          genotypes that do not exist; WSR_CANCELED when the hook returned
 *          false; WSR_NUMERIC, WSR_IO, WSR_FORMAT, WSR_BUSY, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_run(wsr_result **result,
                                             const wsr_config *config,
                                             const char *dir, bool resume,
                                             wsr_progress_hook hook,
                                             void *user);

/**
 * Make one evaluation of those of its shards: runs in folders of their own that
 * differ in the option `attack.shard=I/N` alone, and are complete. The results
 * are those of a run that was not divided, image by image; only times are sums.
 * Nothing is attacked.
 *
 * @param result [out, owned] as for wsr_eval_run()
 * @param shards [borrowed] (n) folders of all N shards, in any order
 * @param n number of folders
 * @param config [borrowed] options other than those of the first shard, such
 *        as a place of net.file, and attack.save, which is not taken from it;
 *        NULL for none
 * @param dir [borrowed] folder of the whole, as for wsr_eval_run(); NULL for
 *        none
 * @returns WSR_ARG for a shard that is missing, there twice or not complete;
 *          WSR_CONFIG for shards of different evaluations; WSR_IO for a
 *          folder without a run; else as
 *          wsr_eval_run()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_merge(wsr_result **result,
                                               const char *const *shards,
                                               size_t n,
                                               const wsr_config *config,
                                               const char *dir);

/**
 * Estimate what an evaluation costs, without doing it. The function prepares
 * the run, times a few steps of each stage for some seconds, and writes no
 * file.
 *
 * The forecast assumes the speed of these steps. The
 * evaluation counts as if every image were attacked to the end, so it takes
 * less time when attacks succeed early.
 *
 * @param cost [out]
 * @param config [borrowed] options as for wsr_eval_run()
 * @param hook progress hook, which may stop the timing; NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns as wsr_eval_run(); WSR_NOMEM also when the run needs more memory
 * than the machine has
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_cost(wsr_cost *cost,
                                              const wsr_config *config,
                                              wsr_progress_hook hook,
                                              void *user);

/**
 * Write the network of a configuration to a file; no data are read and nothing
 * is attacked.
 *
 * @param config [borrowed] net.file and the other options of the section net,
 *        as for wsr_eval_run(), and export.file, whose ending says the format
 *        as for wsr_net_save()
 * @returns WSR_CONFIG for options that are missing or without meaning here,
 *          else as wsr_net_load() and wsr_net_save()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_export(const wsr_config *config);

/**
 * Write a help text about the options of wsr_eval_run() and their defaults.
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
 * Make an evaluation.
 *
 * It has the options of wsr_attack_new() except `first`, `images` and
 * `target=given`, and these: `count=0`, the number of images to evaluate (0:
 * all); `keep=0`, the number of first images whose adversarial images the
 * evaluation keeps; `shard=1/1`, "I/N" evaluates part I of N of the images, in
 * whole batches. With `target_class` the evaluation leaves out the images of
 * that class and takes the images after them instead.
 *
 * The list of attacks is one text, "fgsm,pgd:steps=20,restarts=5". A comma
 * before a name begins the next attack; a comma before "key=" begins the next
 * option of the same attack.
 *
 * @param out [out, owned] NULL on failure
 * @param attacks [borrowed] list of 1 to 64 attacks
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns as wsr_attack_new(); WSR_CONFIG for no attack or too many
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_new(wsr_eval **out,
                                             const char *attacks,
                                             const char *options);

/** Free an evaluation; NULL is legal. */
WSR_API void wsr_eval_free(wsr_eval *eval);

/**
 * Set the strengths of all attacks. Without this call the only strength is
 * 8/255.
 *
 * @param eval an evaluation
 * @param eps [copied] strengths in any order
 * @param n number of strengths
 * @returns WSR_ARG for a strength that is not permitted or after
 *          wsr_eval_open(), WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_set_strengths(wsr_eval *eval,
                                                       const float *eps,
                                                       size_t n);

/**
 * Set the model to evaluate and the data set to evaluate it on.
 *
 * @param eval an evaluation that has not been opened
 * @param model must outlive the evaluation
 * @param dataset must outlive the evaluation
 * @returns WSR_SHAPE when model and data set differ in the shape of an image;
 *          WSR_ARG when they differ in the number of classes, and when the
 *          option `count` exceeds the number of images; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_open(wsr_eval *eval, wsr_model *model,
                                              const wsr_dataset *dataset);

/**
 * Make it a transfer evaluation: the attacks compute adversarial images on the
 * model `source`, and the model of wsr_eval_open() classifies them.
 *
 * @param eval an evaluation that was opened
 * @param source must outlive the evaluation
 * @returns WSR_SHAPE, WSR_ARG as wsr_eval_open(); WSR_CONFIG when the
 *          option `target` is not none
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_transfer(wsr_eval *eval,
                                                  wsr_model *source);

/**
 * Progress of an evaluation. The pointers are valid during the call of the hook
 * only.
 */
typedef struct wsr_eval_progress {
    size_t step;  /**< number of the current step, from 0 */
    size_t steps; /**< number of all steps */
    double done;  /**< finished fraction of all passes, from 0 to 1, including
                       those of the current step */
    size_t savepoints; /**< number of points passed from which a resumed
                       evaluation can continue: the end of a step and, inside a
                       step, the end of a strength or of a member of a
                       combination. Save again when this number has grown */
    const wsr_attack_progress *attack; /**< [borrowed] progress of the current
                       attack; `first` counts the evaluated images */
} wsr_eval_progress;

/**
 * Function of the caller that observes the progress of an evaluation and may
 * stop it inside a step. It is called when a wsr_attack_hook is called. The
 * hook may call wsr_eval_save() and the functions that take a const wsr_eval,
 * but no other function on the evaluation.
 *
 * @param progress [borrowed] progress of the evaluation
 * @param user the pointer that was passed to wsr_eval_set_hook()
 * @returns true to go on; false makes wsr_eval_step() return WSR_CANCELED
 */
typedef bool (*wsr_eval_hook)(const wsr_eval_progress *progress, void *user);

/**
 * Set the progress hook of an evaluation. A new evaluation has no hook.
 *
 * @param eval an evaluation
 * @param hook NULL removes the hook
 * @param user [borrowed] the library passes it to the hook
 */
WSR_API void wsr_eval_set_hook(wsr_eval *eval, wsr_eval_hook hook, void *user);

/**
 * Do the next step: run one attack on one batch of images at all strengths.
 *
 * A step that fails or that the hook stops is not counted as done. If the
 * evaluation has a hook, the next call continues after the last strength, or
 * the last member of a combination, that was complete, and the result is the
 * same as without the interruption. If it has no hook, the next call repeats
 * the whole step.
 *
 * @param eval an evaluation
 * @returns WSR_ARG before wsr_eval_open() and when all steps are done;
 *          WSR_CANCELED when the hook returned false; the statuses of
 *          wsr_attack_run()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_step(wsr_eval *eval);

/** Number of steps that are done. */
WSR_API size_t wsr_eval_position(const wsr_eval *eval);

/** Number of steps of the whole evaluation. */
WSR_API size_t wsr_eval_steps(const wsr_eval *eval);

/**
 * Do all steps that are left.
 *
 * @returns as wsr_eval_step()
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_finish(wsr_eval *eval);

/**
 * Write a checkpoint, from which wsr_eval_resume() continues. It includes the
 * complete strengths and members of a step that was stopped inside;
 * docs/formats.md lists its tensors.
 *
 * @param eval an evaluation
 * @param path path of the file, which is replaced as a whole or not at all
 * @returns WSR_ARG before wsr_eval_open(); WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_save(const wsr_eval *eval,
                                              const char *path);

/**
 * Continue the evaluation of a checkpoint. Attacks, options, strengths, data
 * and model must be the same as when wsr_eval_save() wrote it.
 *
 * @param eval an evaluation that was opened and has done no step; it stays so
 *        on failure
 * @param path path of the file
 * @returns WSR_ARG for any other evaluation; WSR_CONFIG, naming the difference,
 *          for a checkpoint of another evaluation, data set or model;
 *          WSR_NOTFOUND, WSR_IO, WSR_FORMAT
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_resume(wsr_eval *eval,
                                                const char *path);

// ----------------------------------------------------------------- results

/** The data set that is evaluated. @returns [borrowed] NULL before
 * wsr_eval_open() */
WSR_API const wsr_dataset *wsr_eval_dataset(const wsr_eval *eval);

/** Number of attacks of an evaluation. */
WSR_API size_t wsr_eval_attacks(const wsr_eval *eval);

/**
 * Attack `a`.
 *
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @returns [borrowed]
 */
WSR_API const wsr_attack *wsr_eval_attack(const wsr_eval *eval, size_t a);

/** Number of strengths of an evaluation. */
WSR_API size_t wsr_eval_strengths(const wsr_eval *eval);

/**
 * Strength `e`, in the order of wsr_eval_set_strengths().
 *
 * @param eval an evaluation
 * @param e number of the strength, from 0
 */
WSR_API float wsr_eval_eps(const wsr_eval *eval, size_t e);

/**
 * Number of images on which attack `a` is complete.
 *
 * @param eval an evaluation
 * @param a number of the attack, from 0
 */
WSR_API size_t wsr_eval_count(const wsr_eval *eval, size_t a);

/** A number of one attack at one strength, see wsr_eval_get(). */
typedef enum wsr_eval_value {
    WSR_EVAL_CLEAN = 0,        /**< accuracy on the clean images */
    WSR_EVAL_ROBUST = 1,       /**< accuracy under attack */
    WSR_EVAL_LOW = 2,          /**< lower end of its 95 % interval (Wilson) */
    WSR_EVAL_HIGH = 3,         /**< upper end */
    WSR_EVAL_LINF = 4,         /**< mean linf norm of the change, over attacked
                                    images */
    WSR_EVAL_L2 = 5,           /**< mean l2 norm, over attacked images */
    WSR_EVAL_L1 = 6,           /**< mean l1 norm, over attacked images */
    WSR_EVAL_SUCCESS_LINF = 7, /**< mean linf norm, over successes */
    WSR_EVAL_SUCCESS_L2 = 8,   /**< mean l2 norm, over successes */
    WSR_EVAL_SUCCESS_L1 = 9,   /**< mean l1 norm, over successes */
    WSR_EVAL_MEDIAN = 10,      /**< median norm of the change over successes, in
                                    the norm of the attack */
    WSR_EVAL_QUERIES = 11,     /**< forward passes per image */
    WSR_EVAL_GRADIENTS = 12,   /**< backward passes per image */
    WSR_EVAL_SECONDS = 13,     /**< time spent on all images */
    WSR_EVAL_QUARTILE_1 = 14,  /**< first quartile of the norms of the median */
    WSR_EVAL_QUARTILE_3 = 15,  /**< third quartile of the norms of the median */
    WSR_EVAL_QUANTIZED = 16,   /**< accuracy under attack by images of 8 bits,
                                    with the option `quantize` */
    WSR_EVAL_QUANTIZED_LOW = 17, /**< lower end of its 95 % interval */
    WSR_EVAL_QUANTIZED_HIGH = 18 /**< upper end */
} wsr_eval_value;

/**
 * A number of attack `a` at strength `e`, over the images that are done.
 *
 * @param what which number; accuracies are in [0, 1]
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @param e number of the strength, from 0
 * @returns NAN when there are no images to compute it from
 */
WSR_API double wsr_eval_get(const wsr_eval *eval, size_t a, size_t e,
                            wsr_eval_value what);

/**
 * Worst-case accuracy at strength `e`: an image counts as correct only if no
 * attack of the norm succeeded on it.
 *
 * @param eval an evaluation
 * @param norm "linf", "l2" or "l1"
 * @param e number of the strength, from 0
 * @returns the accuracy over the images on which all attacks of the norm are
 *          complete; NAN when there are none
 */
WSR_API double wsr_eval_worst(const wsr_eval *eval, const char *norm, size_t e);

/**
 * Mean robust accuracy of attack `a` over the strengths above 0.
 *
 * @param eval an evaluation
 * @param a number of the attack, from 0
 */
WSR_API double wsr_eval_mean(const wsr_eval *eval, size_t a);

/**
 * Robust accuracy of the images of one class.
 *
 * @param count [out] number of these images, may be NULL
 * @param label number of the class
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @param e number of the strength, from 0
 * @returns the accuracy; NAN when there are no images of the class
 */
WSR_API double wsr_eval_class(size_t *count, const wsr_eval *eval, size_t a,
                              size_t e, size_t label);

/**
 * Whether image `i` is robust against attack `a` at strength `e`.
 *
 * @param i below wsr_eval_count()
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @param e number of the strength, from 0
 */
WSR_API bool wsr_eval_robust(const wsr_eval *eval, size_t a, size_t e,
                             size_t i);

/**
 * Adversarial image `i` of attack `a` at strength `e`.
 *
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @param e number of the strength, from 0
 * @param i number of the image in the evaluation, from 0
 * @returns [borrowed] (c, h, w); NULL unless i is below the option `keep` and
 *          wsr_eval_count()
 */
WSR_API const float *wsr_eval_image(const wsr_eval *eval, size_t a, size_t e,
                                    size_t i);

/**
 * Number of images on which all attacks of one norm are complete.
 *
 * @param eval an evaluation
 * @param norm "linf", "l2" or "l1"
 * @returns the number; 0 when there is no attack of the norm
 */
WSR_API size_t wsr_eval_worst_count(const wsr_eval *eval, const char *norm);

/**
 * Write the results as JSON lines: one object for each attack and strength,
 * then the worst case for each norm and strength, then the mean over the
 * strengths for each attack, then the warnings. docs/json.md describes the
 * events "eval", "summary" and "warning".
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_json(char **out, const wsr_eval *eval);

/**
 * Write the numbers of each attack and strength as comma-separated values, one
 * line each after a line of column names.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_csv(char **out, const wsr_eval *eval);

/**
 * Write the results of each attack and strength in the words of AutoAttack's
 * log: "initial accuracy: 95.00%", "robust accuracy after APGD-CE: 61.20%
 * (total time 12.3 s)" for each member of a combination, "max Linf
 * perturbation: 0.03137, nan in tensor: 0, max: 1.00000, min: 0.00000",
 * "robust accuracy: 58.00%".
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_progress_text(char **out,
                                                       const wsr_eval *eval);

/**
 * Accuracy under a minimum-norm attack at any strength, also one that the
 * evaluation does not have: the share of images that the model classifies
 * correctly and for which the attack found no change of at most this norm.
 *
 * @param eps radius of the ball, in the norm of the attack
 * @param eval an evaluation
 * @param a number of the attack, from 0
 * @returns the accuracy over the images that are done; NAN for other attacks,
 *          in a transfer evaluation, and when there are no images
 */
WSR_API double wsr_eval_accuracy_at(const wsr_eval *eval, size_t a, double eps);

/**
 * Write accuracy over the strength for each minimum-norm attack as
 * comma-separated values: one line for strength 0 and for each strength at
 * which the accuracy drops (docs/formats.md).
 *
 * @param out [out, owned] "" without such attacks; release with
 *        wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_curves_csv(char **out,
                                                    const wsr_eval *eval);

/**
 * Write what became of each image that is done: a row for each image, attack
 * and strength, with class, predicted class, margin of the logits, whether the
 * image is robust, the size of the change and the attack and step that
 * succeeded. docs/formats.md describes the fields.
 *
 * @param eval an evaluation
 * @param csv [borrowed] path of the file of comma-separated values; NULL: none
 * @param jsonl [borrowed] path of the file of JSON lines; NULL: none. Each file
 *        is replaced as a whole or not at all
 * @returns WSR_ARG before wsr_eval_open(); WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_save_ledger(const wsr_eval *eval,
                                                     const char *csv,
                                                     const char *jsonl);

/**
 * Write warnings about results that may overestimate robustness, after the
 * published checklists (Carlini et al., arXiv:1902.06705; Croce et al.,
 * arXiv:2003.01690). Each line is a JSON object with the keys "warning",
 * "detail", "remedy", "attack", "norm" and "eps". The last three are null where
 * the warning is about no single attack, norm or strength. The warnings are
 *
 *   rising          accuracy increases with the strength (with nested=false)
 *   black_box       an attack without gradients succeeds on more images than
 *                   every attack with gradients: gradients are masked
 *   single_step     an attack with one step succeeds on more images than every
 *                   attack with many steps
 *   budget          more steps or restarts still find more adversarial images
 *   unbounded       images stay robust where the ball permits any image
 *   zero_gradients  more than a tenth of the gradients are zero in every pixel
 *   outside         images lie outside the ball or the pixel range
 *   random          the model gives different logits for the same images
 *
 * @param out [out, owned] "" when there are none; release with wsr_text_free()
 * @param eval an evaluation that has done at least one step
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_warnings(char **out,
                                                  const wsr_eval *eval);

/**
 * Write the warnings of wsr_eval_warnings() as sentences, one a line.
 *
 * @param out [out, owned] "" when there are none; release with wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_warnings_text(char **out,
                                                       const wsr_eval *eval);

/**
 * Write the images that the option `keep` kept. The ending of the path says
 * how: ".npz" is NumPy's format; ".npy" one array, the adversarial images of an
 * evaluation with one attack at one strength; "/" a folder of PNG files
 * (docs/formats.md); anything else is a safetensors file. A file holds
 * the tensors "clean" (n, c, h, w), "labels" (n) and "predictions" (n), and for
 * attack number A and strength number E the tensors "A.E.images" (n, c, h, w),
 * "A.E.predictions", "A.E.robust" and "A.E.success" (n). The predictions are
 * those of the evaluated model. The metadata "A.E.attack", "A.E.norm" and
 * "A.E.eps" hold the attack, its norm and the strength; "class.N" holds the
 * name of class N, if the data set has names.
 *
 * @param eval an evaluation
 * @param most largest number of images to write; 0: all that were kept
 * @param path path of the file, which is replaced as a whole or not at all
 * @returns WSR_ARG when none were kept, and for .npy with several attacks or
 *          strengths; WSR_SHAPE for PNG of images without 1 or 3 channels;
 *          WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_eval_save_images(const wsr_eval *eval,
                                                     size_t most,
                                                     const char *path);

// ------------------------------------------------------- fidelity: released

/**
 * Measure accuracy over strengths in the way of the research code of Wsr-NAS,
 * to compare with its published numbers. The result is not a measure of
 * robustness. PGD runs in training mode: its passes use the statistics of the
 * batch and update the running statistics. The attacked images are then
 * classified with the updated running statistics. The updates accumulate over
 * batches and strengths. At the end the function restores the network's
 * statistics.
 *
 * Options, with defaults: `steps=20`, number of PGD steps; `rel_length=2.5`,
 * sum of the step sizes divided by the strength; `batch=32`, images in one
 * pass; `count=0`, number of images (0: all).
 *
 * @param accuracy [out] (n) accuracies in [0, 1]
 * @param net a network, not a supernet
 * @param dataset images of the network's shape
 * @param eps [borrowed] (n) strengths, evaluated in this order; at strength 0
 *        the images are not attacked
 * @param n number of strengths
 * @param options [borrowed] "key=value,..."; NULL: the defaults
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
