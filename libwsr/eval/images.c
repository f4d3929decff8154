// SPDX-License-Identifier: Apache-2.0
//
// The file of the images that an evaluation kept: clean and adversarial ones,
// with labels, predictions and outcomes. docs/formats.md lists its tensors.

#include "eval/eval.h"
#include "io/io.h"
#include "wsr/data.h"

#include <string.h>

// Classes that the evaluated model predicts for n images, as I32.
static wsr_status add_predictions(wsr__st_builder *b, const wsr_eval *s,
                                  const char *name, const float *images,
                                  size_t n)
{
    wsr_status status = WSR_OK;
    const size_t classes = s->model->classes;
    float *const logits = wsr__alloc(n, classes * sizeof(*logits));
    int32_t *const predictions = wsr__alloc(n, sizeof(*predictions));
    if (logits == NULL || predictions == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr_model_logits(logits, s->model, images, n));
    for (size_t i = 0; i < n; i++) {
        predictions[i] = wsr__argmax(logits + i * classes, classes);
    }
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_I32, predictions, n));
out:
    wsr__free(logits);
    wsr__free(predictions);
    return status;
}

// Names of the classes as metadata, where the data set has names.
static wsr_status add_class_names(wsr__st_builder *b, const wsr_eval *s)
{
    wsr_status status = WSR_OK;
    for (int64_t c = 0; c < wsr_dataset_classes(s->dataset); c++) {
        const char *const text = wsr_dataset_class_name(s->dataset, c);
        char name[WSR__EVAL_NAME];
        (void)snprintf(name, sizeof(name), "class.%lld", (long long)c);
        if (text != NULL) {
            WSR_TRY(wsr__st_set(b, name, text));
        }
    }
out:
    return status;
}

// Kept images of one cell with their predictions and outcomes; metadata name
// the attack, its norm and the strength.
static wsr_status add_kept(wsr__st_builder *b, const wsr_eval *s, size_t k,
                           size_t n)
{
    wsr_status status = WSR_OK;
    const wsr__eval_cell *const cell = &s->cells[k];
    const size_t a = k / s->n_eps;
    char name[WSR__EVAL_NAME];
    char eps[32];
    wsr__str spec = {0};
    wsr__eval_cell_name(name, s, k, "images");
    WSR_TRY(wsr__eval_add_images(b, s, name, cell->images, n));
    wsr__eval_cell_name(name, s, k, "predictions");
    WSR_TRY(add_predictions(b, s, name, cell->images, n));
    wsr__eval_cell_name(name, s, k, "robust");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_U8, cell->robust, n));
    wsr__eval_cell_name(name, s, k, "success");
    WSR_TRY(wsr__eval_add_array(b, name, WSR__ST_U8, cell->success, n));
    wsr__attack_print(&spec, s->attacks[a]);
    WSR_TRY(wsr__str_status(&spec));
    wsr__eval_cell_name(name, s, k, "attack");
    WSR_TRY(wsr__st_set(b, name, spec.s));
    wsr__eval_cell_name(name, s, k, "norm");
    WSR_TRY(wsr__st_set(b, name, wsr_attack_norm(s->attacks[a])));
    wsr__format_float(eps, s->eps[k % s->n_eps]);
    wsr__eval_cell_name(name, s, k, "eps");
    WSR_TRY(wsr__st_set(b, name, eps));
out:
    wsr__str_free(&spec);
    return status;
}

// The clean images with labels, predictions and names of classes.
static wsr_status add_clean(wsr__st_builder *b, const wsr_eval *s, size_t n)
{
    wsr_status status = WSR_OK;
    float *const x = wsr__alloc(n, (size_t)s->model->pixels * sizeof(*x));
    if (x == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr_dataset_images(x, s->dataset, s->index, n));
    WSR_TRY(wsr__eval_add_images(b, s, "clean", x, n));
    WSR_TRY(add_predictions(b, s, "predictions", x, n));
    WSR_TRY(add_class_names(b, s));
    WSR_TRY(wsr__eval_add_array(b, "labels", WSR__ST_I32, s->labels, n));
out:
    wsr__free(x);
    return status;
}

static bool ends_in(const char *path, const char *ending)
{
    const size_t n = strlen(path);
    const size_t m = strlen(ending);
    return n >= m && wsr__streq(path + n - m, ending);
}

bool wsr__eval_is_folder(const char *path)
{
    return ends_in(path, "/");
}

bool wsr__eval_is_array(const char *path)
{
    return ends_in(path, ".npy");
}

// A file of one array has the images of one attack at one strength alone.
static wsr_status write_array(const wsr_eval *s, const char *path, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    if (s->n_attacks * s->n_eps != 1) {
        return WSR_FAIL(WSR_ARG,
                        "%s: holds one array, the evaluation has %zu attacks "
                        "at %zu strengths; .npz holds several",
                        path, s->n_attacks, s->n_eps);
    }
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(wsr__eval_add_images(b, s, "images", s->cells[0].images, n));
    WSR_TRY(wsr__st_write(b, path));
out:
    wsr__st_builder_free(b);
    return status;
}

// In an interrupted evaluation only the images that all attacks are done with
// are written, so that all cells have the same rows. `most` 0 means all that
// were kept.
wsr_status wsr_eval_save_images(const wsr_eval *eval, size_t most,
                                const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *b = NULL;
    size_t n = most > 0 && most < eval->keep ? most : eval->keep;
    for (size_t a = 0; eval->model != NULL && a < eval->n_attacks; a++) {
        const size_t done = wsr_eval_count(eval, a);
        n = done < n ? done : n;
    }
    if (eval->model == NULL || n == 0) {
        return WSR_FAIL(WSR_ARG, "evaluation: no images were kept");
    }
    if (wsr__eval_is_folder(path)) {
        return wsr__eval_write_pictures(eval, path, n);
    }
    if (wsr__eval_is_array(path)) {
        return write_array(eval, path, n);
    }
    WSR_TRY(wsr__st_builder_new(&b));
    WSR_TRY(add_clean(b, eval, n));
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        WSR_TRY(add_kept(b, eval, k, n));
    }
    WSR_TRY(wsr__st_write(b, path));
out:
    wsr__st_builder_free(b);
    return status;
}
