// SPDX-License-Identifier: Apache-2.0
//
// Images in a file whose check is asked for: files of wsr_eval_save_images()
// and of others, by the usual names of arrays.

#include "eval/verify.h"

#include <math.h>
#include <string.h>

static const char *const clean_names[] = {"clean", "x", "x_orig", "x_test",
                                          NULL};
static const char *const label_names[] = {"labels", "y", "y_test", NULL};

static const wsr__st_tensor *find_any(const wsr__st *st,
                                      const char *const *names)
{
    const wsr__st_tensor *found = NULL;
    for (size_t i = 0; found == NULL && names[i] != NULL; i++) {
        found = wsr__st_find(st, names[i]);
    }
    return found;
}

bool wsr__verify_is_adversarial(const wsr__st_tensor *t)
{
    bool clean = false;
    for (size_t i = 0; clean_names[i] != NULL; i++) {
        clean = clean || wsr__streq(t->name, clean_names[i]);
    }
    return t->ndims == 4 && !clean;
}

// ------------------------------------------------------------------- images

static bool has_shape(const wsr__st_tensor *t, const wsr_shape *image)
{
    return t->ndims == 4 && t->dims[1] == image->dims[0] &&
           t->dims[2] == image->dims[1] && t->dims[3] == image->dims[2];
}

static wsr_status check_shape(const wsr__st *st, const wsr__st_tensor *t,
                              const wsr_shape *image, size_t n)
{
    char text[96];
    wsr__shape_print(text, image);
    if (t->ndims != 4) {
        return WSR_FAIL(WSR_SHAPE,
                        "%s: %.80s has %zu dimensions, images have (n, c, h, "
                        "w)",
                        wsr__st_path(st), t->name, t->ndims);
    }
    if (!has_shape(t, image)) {
        return WSR_FAIL(WSR_SHAPE,
                        "%s: images of %.80s have shape (%lld, %lld, %lld), "
                        "the model takes %s",
                        wsr__st_path(st), t->name, (long long)t->dims[1],
                        (long long)t->dims[2], (long long)t->dims[3], text);
    }
    if (t->dims[0] < 1 || (n > 0 && (size_t)t->dims[0] != n)) {
        return WSR_FAIL(WSR_SHAPE,
                        "%s: %.80s has %lld images, there are %zu clean ones",
                        wsr__st_path(st), t->name, (long long)t->dims[0], n);
    }
    return WSR_OK;
}

static wsr_status read_bytes(float *out, const wsr__st *st,
                             const wsr__st_tensor *t)
{
    wsr_status status = WSR_OK;
    unsigned char *const bytes = wsr__alloc(t->count, 1);
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__st_read_u8(bytes, st, t->name, t->count));
    for (size_t i = 0; i < t->count; i++) {
        out[i] = (float)bytes[i] / 255.0f;
    }
out:
    wsr__free(bytes);
    return status;
}

wsr_status wsr__verify_images(float **out, const wsr__st *st,
                              const wsr__st_tensor *t, const wsr_shape *image,
                              size_t n)
{
    wsr_status status = WSR_OK;
    float *images = NULL;
    *out = NULL;
    WSR_TRY(check_shape(st, t, image, n));
    images = wsr__alloc(t->count, sizeof(*images));
    if (images == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(t->dtype == WSR__ST_U8
                ? read_bytes(images, st, t)
                : wsr__st_read_f32(images, st, t->name, t->count));
    *out = images;
    images = NULL;
out:
    wsr__free(images);
    return status;
}

// ------------------------------------------------------------ clean images

void wsr__verify_clean_free(wsr__verify_clean *clean)
{
    wsr__free(clean->images);
    wsr__free(clean->labels);
    *clean = (wsr__verify_clean){0};
}

// Images that are no numbers cannot be the centre of a ball.
static wsr_status check_finite(const wsr__verify_clean *clean,
                               const wsr__st *st)
{
    for (size_t i = 0; i < clean->n * clean->d; i++) {
        if (!isfinite(clean->images[i])) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: clean image %zu has a pixel that is no finite "
                            "number",
                            wsr__st_path(st), i / clean->d);
        }
    }
    return WSR_OK;
}

static wsr_status read_labels(wsr__verify_clean *clean, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    int64_t *labels = NULL;
    const wsr__st_tensor *const t = find_any(st, label_names);
    if (t == NULL) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: holds no labels (labels or y), give data.spec",
                        wsr__st_path(st));
    }
    labels = wsr__alloc(clean->n, sizeof(*labels));
    clean->labels = wsr__alloc(clean->n, sizeof(*clean->labels));
    if (labels == NULL || clean->labels == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__st_read_counts(labels, st, t->name, clean->n, INT32_MAX));
    for (size_t i = 0; i < clean->n; i++) {
        clean->labels[i] = (int32_t)labels[i];
    }
out:
    wsr__free(labels);
    return status;
}

// The first images of the data set, as many as the file has.
static wsr_status read_data(wsr__verify_clean *clean,
                            const wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    size_t *index = NULL;
    if (wsr_dataset_count(dataset) < clean->n) {
        return WSR_FAIL(WSR_ARG,
                        "data.spec: has %zu images, the file %zu adversarial "
                        "ones",
                        wsr_dataset_count(dataset), clean->n);
    }
    index = wsr__alloc(clean->n, sizeof(*index));
    clean->images = wsr__alloc(clean->n * clean->d, sizeof(*clean->images));
    clean->labels = wsr__alloc(clean->n, sizeof(*clean->labels));
    if (index == NULL || clean->images == NULL || clean->labels == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < clean->n; i++) {
        index[i] = i;
        clean->labels[i] = wsr_dataset_labels(dataset)[i];
    }
    WSR_TRY(wsr_dataset_images(clean->images, dataset, index, clean->n));
out:
    wsr__free(index);
    return status;
}

// Somebody may have moved the centres of the balls.
static wsr_status compare(const wsr__verify_clean *clean, const wsr__st *st,
                          const wsr__st_tensor *t, const wsr_shape *image)
{
    wsr_status status = WSR_OK;
    float *images = NULL;
    WSR_TRY(wsr__verify_images(&images, st, t, image, clean->n));
    for (size_t i = 0; i < clean->n * clean->d; i++) {
        if (images[i] != clean->images[i]) {
            status = WSR_FAIL(WSR_ARG,
                              "%s: clean image %zu is not that of data.spec",
                              wsr__st_path(st), i / clean->d);
            goto out;
        }
    }
out:
    wsr__free(images);
    return status;
}

// The first array of images tells how many there are.
static wsr_status count_images(size_t *out, const wsr__st *st)
{
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        if (wsr__verify_is_adversarial(t) && t->dims[0] > 0) {
            *out = (size_t)t->dims[0];
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_FORMAT, "%s: holds no adversarial images (n, c, h, w)",
                    wsr__st_path(st));
}

wsr_status wsr__verify_clean_of(wsr__verify_clean *out, const wsr__st *st,
                                const wsr_shape *image,
                                const wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *const t = find_any(st, clean_names);
    *out = (wsr__verify_clean){
        .d = (size_t)(image->dims[0] * image->dims[1] * image->dims[2])};
    WSR_TRY(count_images(&out->n, st));
    if (dataset != NULL) {
        WSR_TRY(read_data(out, dataset));
        WSR_TRY(t != NULL ? compare(out, st, t, image) : WSR_OK);
        return WSR_OK;
    }
    if (t == NULL) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: holds no clean images (clean or x), give "
                          "data.spec",
                          wsr__st_path(st));
        goto out;
    }
    WSR_TRY(wsr__verify_images(&out->images, st, t, image, out->n));
    WSR_TRY(check_finite(out, st));
    WSR_TRY(read_labels(out, st));
out:
    if (status != WSR_OK) {
        wsr__verify_clean_free(out);
    }
    return status;
}

// -------------------------------------------------------- what a file says

// "0.1.norm" for "0.1.images"; false for other names.
static bool sibling(char out[WSR__EVAL_NAME], const char *name,
                    const char *what)
{
    static const char suffix[] = ".images";
    const size_t length = strlen(name);
    const size_t end = sizeof(suffix) - 1;
    if (length < end || !wsr__streq(name + length - end, suffix)) {
        return false;
    }
    const int n = snprintf(out, WSR__EVAL_NAME, "%.*s.%s", (int)(length - end),
                           name, what);
    return n > 0 && n < WSR__EVAL_NAME;
}

const char *wsr__verify_said(const wsr__st *st, const char *name,
                             const char *what)
{
    char key[WSR__EVAL_NAME];
    return sibling(key, name, what) ? wsr__st_metadata(st, key) : NULL;
}

wsr_status wsr__verify_claims(uint8_t **out, const wsr__st *st,
                              const char *name, size_t n)
{
    wsr_status status = WSR_OK;
    char key[WSR__EVAL_NAME];
    *out = NULL;
    if (!sibling(key, name, "success") || wsr__st_find(st, key) == NULL) {
        return WSR_OK;
    }
    *out = wsr__alloc(n, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    status = wsr__st_read_flags(*out, st, key, n);
    if (status != WSR_OK) {
        wsr__free(*out);
        *out = NULL;
    }
    return status;
}
