// SPDX-License-Identifier: Apache-2.0
//
// Applies corruptions to images: the frame around the family's members.
//
// The corruptions are defined on images of bytes. An image of floats is rounded
// to bytes, changed in double precision, and rounded down to bytes again, since
// the published images were made so. Every image has a random stream of its own
// by (seed, its number, corruption, severity), so that neither batches nor
// threads change a result.

#include "corrupt/corrupt.h"

#include <math.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "corrupt/corruptions.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__corruptions = {"corruption", classes};

const char *const wsr__corrupt_scales[] = {"auto", "cifar", "imagenet", NULL};

enum { LARGE = 64 }; // side from which images count as large

#define AT(field) offsetof(wsr__corruption_params, field)

static const wsr__option schema[] = {
    {"severity", WSR__INT, AT(severity), "3", 1, WSR__SEVERITIES, "",
     "1, the weakest, to 5", NULL},
    {"scale", WSR__WORD, AT(scale), "auto", 0, 0, "",
     "constants of CIFAR-10-C or of ImageNet-C; auto: of ImageNet-C for images "
     "whose shorter side has 64 pixels or more",
     wsr__corrupt_scales},
    {"seed", WSR__INT, AT(seed), "0", 0, 9007199254740991.0, "",
     "of all random numbers", NULL},
    {0},
};

struct wsr_corruption {
    const wsr__corruption_class *cls;
    wsr__corruption_params params;
    wsr__image image;
    size_t scale;   // 0: constants of small images, 1: of large ones
    uint32_t name;  // hash
    size_t doubles; // of one thread's room: the image and spare memory
    size_t threads;
    double *room; // (threads, doubles)
};

void wsr__corruption_params_default(wsr__corruption_params *params)
{
    *params = (wsr__corruption_params){0};
    wsr__params_default(params, schema);
}

// FNV-1a: a number of the corruption that does not depend on its place in the
// list.
static uint32_t hash(const char *name)
{
    uint32_t h = UINT32_C(2166136261);
    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * UINT32_C(16777619);
    }
    return h;
}

// The shapes (c, h, w) and (1, c, h, w) are accepted, as models accept them.
static wsr_status take_shape(wsr__image *out, const wsr_shape *shape)
{
    const int first = shape->ndims == 4 && shape->dims[0] == 1;
    const int64_t *const d = shape->dims + first;
    const bool fits = shape->ndims - first == 3 && (d[0] == 1 || d[0] == 3) &&
                      d[1] >= 1 && d[1] <= 4096 && d[2] >= 1 && d[2] <= 4096;
    if (!fits) {
        char text[96];
        wsr__shape_print(text, shape);
        return WSR_FAIL(WSR_SHAPE,
                        "corruption: images must have shape (c, h, w) with 1 "
                        "or 3 channels and sides up to 4096, not %s",
                        text);
    }
    *out = (wsr__image){d[0], d[1], d[2]};
    return WSR_OK;
}

static size_t scale_of(const wsr__text *word, wsr__image image)
{
    const int64_t side = image.h < image.w ? image.h : image.w;
    if (wsr__streq(word->s, "auto")) {
        return side >= LARGE;
    }
    return wsr__streq(word->s, "imagenet");
}

wsr_status wsr__corruption_make(wsr_corruption **out,
                                const wsr__corruption_class *cls,
                                const wsr_shape *image,
                                const wsr__corruption_params *params)
{
    wsr_status status = WSR_OK;
    wsr_corruption *c = NULL;
    wsr__image shape;
    *out = NULL;
    WSR_TRY(take_shape(&shape, image));
    c = wsr__alloc(1, sizeof(*c));
    if (c == NULL) {
        return WSR_NOMEM;
    }
    c->cls = cls;
    c->params = *params;
    c->image = shape;
    c->scale = scale_of(&params->scale, shape);
    c->name = hash(cls->super.name);
    c->doubles = (size_t)wsr__image_floats(shape) +
                 (cls->spare == NULL ? 0 : cls->spare(shape));
    c->threads = wsr_threads();
    c->room = wsr__alloc_raw(c->threads, c->doubles * sizeof(*c->room));
    if (c->room == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    *out = c;
    c = NULL;
out:
    wsr_corruption_free(c);
    return status;
}

wsr_status wsr_corruption_new(wsr_corruption **out, const char *name,
                              const wsr_shape *image, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__corruption_params params;
    const wsr__class *cls = NULL;
    *out = NULL;
    wsr__corruption_params_default(&params);
    WSR_TRY(wsr__class_find(&cls, &wsr__corruptions, name));
    WSR_TRY(wsr__params_parse(&params, schema, "corruption.",
                              options == NULL ? "" : options));
    // The family's classes start with their super.
    WSR_TRY(wsr__corruption_make(
        out, (const wsr__corruption_class *)(const void *)cls, image, &params));
out:
    return status;
}

void wsr_corruption_free(wsr_corruption *corruption)
{
    if (corruption != NULL) {
        wsr__free(corruption->room);
        wsr__free(corruption);
    }
}

const char *wsr_corruption_name(const wsr_corruption *corruption)
{
    return corruption->cls->super.name;
}

const char *wsr_corruption_group(const wsr_corruption *corruption)
{
    return corruption->cls->group;
}

typedef struct work {
    const wsr_corruption *c;
    float *dst;
    const float *src;
    const size_t *indices; // NULL: 0, 1, 2, ...
    size_t severity;
} work;

// Nearest byte / 255; what is no number counts as 0.
static double to_byte(float value)
{
    const double v = rint(255 * (double)value);
    return v > 255 ? 1 : v > 0 ? v / 255 : 0;
}

// The byte below, as a float of the data set's kind. For doubles k / 255 it is
// k: the product is exact after rounding.
static float from_double(double value)
{
    const double v = 255 * value;
    return v >= 255 ? 1.0f : v > 0 ? (float)(int)v / 255.0f : 0.0f;
}

// One image after another; `part` has its own room.
static void apply_some(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const work *const w = ctx;
    const wsr_corruption *const c = w->c;
    const wsr__corruption_class *const cls = c->cls;
    const int64_t floats = wsr__image_floats(c->image);
    const size_t row = c->scale * WSR__SEVERITIES + (w->severity - 1);
    double *const x = c->room + part * c->doubles;
    for (int64_t i = begin; i < end; i++) {
        const size_t index = w->indices == NULL ? (size_t)i : w->indices[i];
        const float *const src = w->src + i * floats;
        float *const dst = w->dst + i * floats;
        wsr__canvas canvas = {c->image, x, x + floats,
                              wsr__rng_at((uint64_t)c->params.seed,
                                          WSR__RNG_CORRUPTION, index,
                                          c->name ^ (uint32_t)w->severity)};
        for (int64_t k = 0; k < floats; k++) {
            x[k] = to_byte(src[k]);
        }
        cls->apply(&canvas, cls->levels + row * cls->width);
        for (int64_t k = 0; k < floats; k++) {
            dst[k] = from_double(x[k]);
        }
    }
}

void wsr__corruption_apply_at(float *dst, const wsr_corruption *corruption,
                              const float *src, const size_t *indices, size_t n,
                              size_t severity)
{
    work w = {corruption, dst, src, indices, severity};
    wsr__parallel_among((int64_t)n, (int64_t)corruption->threads, apply_some,
                        &w);
}

void wsr_corruption_apply(float *dst, wsr_corruption *corruption,
                          const float *src, const size_t *indices, size_t n)
{
    wsr__corruption_apply_at(dst, corruption, src, indices, n,
                             (size_t)corruption->params.severity);
}
