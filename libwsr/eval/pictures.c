// SPDX-License-Identifier: Apache-2.0
//
// The images that an evaluation kept as a folder of PNG files, for people and
// for programs that read pictures:
//
//   DIR/clean/00000.png   clean images
//   DIR/A.E/00000.png     those of attack A at strength E, rounded to 8 bits
//                         without leaving the ball (quantize.c)
//   DIR/images.csv        number in the data set, class and outcomes

#include "eval/eval.h"
#include "io/io.h"

#include <math.h>
#include <string.h>

// Planes of floats become pixels of bytes.
static void interleave(unsigned char *out, const float *x,
                       const wsr__picture *of)
{
    const size_t plane = of->width * of->height;
    for (size_t i = 0; i < plane * of->channels; i++) {
        const float value = x[i % of->channels * plane + i / of->channels];
        out[i] = (unsigned char)lrint(255.0 * (double)value);
    }
}

// Writes image number i of a folder, which exists.
static wsr_status write_picture(const wsr_eval *s, const char *dir, size_t i,
                                const float *x)
{
    wsr_status status = WSR_OK;
    const int64_t *const dims = s->model->shape.dims;
    wsr__picture picture = {.channels = (size_t)dims[0],
                            .height = (size_t)dims[1],
                            .width = (size_t)dims[2]};
    char name[32];
    unsigned char *const bytes = wsr__alloc((size_t)s->model->pixels, 1);
    (void)snprintf(name, sizeof(name), "%05zu.png", i);
    char *const path = wsr__path_join(dir, name);
    if (bytes == NULL || path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    interleave(bytes, x, &picture);
    picture.bytes = bytes;
    WSR_TRY(wsr__png_write(path, &picture));
out:
    wsr__free(path);
    wsr__free(bytes);
    return status;
}

// `name` NULL: the folder itself. [out, owned] path
static wsr_status make_folder(char **path, const char *dir, const char *name)
{
    *path = name == NULL ? wsr__strdup(dir) : wsr__path_join(dir, name);
    return *path == NULL ? WSR_NOMEM : wsr__make_directory(*path);
}

// All images of cell k; SIZE_MAX: the clean ones. `clean` (n, d).
static wsr_status write_cell(const wsr_eval *s, const char *dir, size_t k,
                             const float *clean, size_t n)
{
    wsr_status status = WSR_OK;
    const int64_t d = s->model->pixels;
    char *path = NULL;
    char name[WSR__EVAL_NAME] = "clean";
    float *const rounded = wsr__alloc((size_t)d, sizeof(*rounded));
    if (rounded == NULL) {
        return WSR_NOMEM;
    }
    if (k != SIZE_MAX) {
        (void)snprintf(name, sizeof(name), "%zu.%zu", k / s->n_eps,
                       k % s->n_eps);
    }
    WSR_TRY(make_folder(&path, dir, name));
    for (size_t i = 0; i < n; i++) {
        const float *x = wsr__at_const(clean, d, i);
        const wsr__ball ball = {
            .x0 = x,
            .d = d,
            .eps = k == SIZE_MAX ? 0 : s->eps[k % s->n_eps],
            .norm = k == SIZE_MAX ? WSR__LINF : s->attacks[k / s->n_eps]->norm,
            .box = s->model->box};
        if (k != SIZE_MAX) {
            (void)wsr__quantize(rounded,
                                wsr__at_const(s->cells[k].images, d, i), &ball);
            x = rounded;
        }
        WSR_TRY(write_picture(s, path, i, x));
    }
out:
    wsr__free(path);
    wsr__free(rounded);
    return status;
}

// Outcomes are those of the images before they were rounded.
static wsr_status write_table(const wsr_eval *s, const char *dir, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    const size_t cells = s->n_attacks * s->n_eps;
    char *const path = wsr__path_join(dir, "images.csv");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    wsr__str_add(&text, "file,image,class,predicted");
    for (size_t k = 0; k < cells; k++) {
        wsr__str_addf(&text, ",%zu.%zu robust", k / s->n_eps, k % s->n_eps);
    }
    wsr__str_add(&text, "\n");
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&text, "%05zu.png,%zu,%ld,%ld", i, s->index[i],
                      (long)s->labels[i], (long)s->predicted[i]);
        for (size_t k = 0; k < cells; k++) {
            wsr__str_addf(&text, ",%d", s->cells[k].robust[i] != 0);
        }
        wsr__str_add(&text, "\n");
    }
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__file_write(path, text.s, text.len));
out:
    wsr__str_free(&text);
    wsr__free(path);
    return status;
}

wsr_status wsr__eval_write_pictures(const wsr_eval *eval, const char *dir,
                                    size_t n)
{
    wsr_status status = WSR_OK;
    const int64_t channels = eval->model->shape.dims[0];
    char *path = NULL;
    float *clean = NULL;
    if (channels != 1 && channels != 3) {
        return WSR_FAIL(WSR_SHAPE,
                        "%s: pictures have 1 or 3 channels, the images %lld",
                        dir, (long long)channels);
    }
    clean = wsr__alloc(n * (size_t)eval->model->pixels, sizeof(*clean));
    if (clean == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr_dataset_images(clean, eval->dataset, eval->index, n));
    WSR_TRY(make_folder(&path, dir, NULL));
    WSR_TRY(write_cell(eval, dir, SIZE_MAX, clean, n));
    for (size_t k = 0; k < eval->n_attacks * eval->n_eps; k++) {
        WSR_TRY(write_cell(eval, dir, k, clean, n));
    }
    WSR_TRY(write_table(eval, dir, n));
out:
    wsr__free(path);
    wsr__free(clean);
    return status;
}
