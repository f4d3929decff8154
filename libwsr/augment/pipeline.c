// SPDX-License-Identifier: Apache-2.0
//
// A list of augmentations applied in order. Steps alternate between the two
// halves of a scratch buffer and the last one writes the result, so that a
// pipeline of n steps makes n passes and allocates nothing.

#include "augment/augment.h"

#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "augment/augments.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__augments = {"augment", classes};

enum { MAX_STEPS = 16 };

typedef struct step {
    const wsr__augment_class *cls;
    void *params;
    wsr__image in;
} step;

struct wsr__pipeline {
    step steps[MAX_STEPS];
    size_t n;
    wsr__image out;
    size_t half; // floats of the largest image before the last step
};

void wsr__image_centre(float *restrict dst, wsr__image out,
                       const float *restrict src, wsr__image in, float value)
{
    const int64_t top = (out.h - in.h) / 2;
    const int64_t left = (out.w - in.w) / 2;
    const int64_t floats = wsr__image_floats(out);

    for (int64_t i = 0; i < floats; ++i) {
        dst[i] = value;
    }
    for (int64_t c = 0; c < in.c; ++c) {
        for (int64_t y = 0; y < in.h; ++y) {
            memcpy(dst + (c * out.h + top + y) * out.w + left,
                   src + (c * in.h + y) * in.w, sizeof(float) * (size_t)in.w);
        }
    }
}

// Copy a spec without the blanks around it.
static wsr_status cut_spec(wsr__str *spec, const char *text, size_t n)
{
    for (; n && *text == ' '; --n) {
        text++;
    }
    while (n && text[n - 1] == ' ') {
        n--;
    }
    spec->len = 0;
    wsr__str_addn(spec, text, n);
    return wsr__str_status(spec);
}

// Augmentation changes training images alone; what a network does to every
// image is the network's.
static wsr_status check_kept(const char *spec)
{
    static const char moved[] = "normalize";
    const size_t n = sizeof(moved) - 1;
    if (strncmp(spec, moved, n) != 0 || (spec[n] != '\0' && spec[n] != ':')) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG, "augment: normalize: is no augmentation, give "
                                "the network its mean and std (net.mean, "
                                "net.std)");
}

static wsr_status add(wsr__pipeline *pipeline, const char *spec)
{
    wsr_status status;
    const wsr__class *cls;
    step *const s = &pipeline->steps[pipeline->n];
    const wsr__image in = pipeline->out;

    if (pipeline->n == MAX_STEPS) {
        return WSR_FAIL(WSR_CONFIG, "augment: more than %d augmentations",
                        MAX_STEPS);
    }
    WSR_TRY(check_kept(spec));
    WSR_TRY(wsr__class_spec(&cls, &s->params, &wsr__augments, spec));
    // The family's classes start with their super.
    s->cls = (const wsr__augment_class *)(const void *)cls;
    s->in = in;
    pipeline->n++;
    WSR_TRY(s->cls->infer(&pipeline->out, s->params, in));
    if (wsr__image_floats(pipeline->out) > WSR__IMAGE_FLOATS) {
        status = WSR_FAIL(WSR_CONFIG,
                          "augment.%s: an image of %lldx%lldx%lld is too "
                          "large",
                          cls->name, (long long)pipeline->out.c,
                          (long long)pipeline->out.h,
                          (long long)pipeline->out.w);
        goto out;
    }
    if (pipeline->half < (size_t)wsr__image_floats(in)) {
        pipeline->half = (size_t)wsr__image_floats(in);
    }
out:
    return status;
}

wsr_status wsr__pipeline_new(wsr__pipeline **out, const char *specs,
                             wsr__image in)
{
    wsr_status status = WSR_OK;
    wsr__str spec = {0};
    wsr__pipeline *pipeline = NULL;

    *out = NULL;
    pipeline = wsr__alloc(1, sizeof *pipeline);
    if (!pipeline) {
        status = WSR_NOMEM;
        goto out;
    }
    pipeline->out = in;
    while (*specs) {
        const size_t n = wsr__spec_length(specs);

        WSR_TRY(cut_spec(&spec, specs, n));
        WSR_TRY(add(pipeline, spec.s ? spec.s : ""));
        specs += n;
        if (*specs == ',' && !*++specs) {
            status = WSR_FAIL(WSR_CONFIG, "augment: the list ends in a comma");
            goto out;
        }
    }
    *out = pipeline;
    pipeline = NULL;
out:
    wsr__str_free(&spec);
    wsr__pipeline_free(pipeline);
    return status;
}

void wsr__pipeline_free(wsr__pipeline *pipeline)
{
    if (!pipeline) {
        return;
    }
    for (size_t i = 0; i < pipeline->n; ++i) {
        wsr__free(pipeline->steps[i].params);
    }
    wsr__free(pipeline);
}

wsr__image wsr__pipeline_image(const wsr__pipeline *pipeline)
{
    return pipeline->out;
}

size_t wsr__pipeline_scratch(const wsr__pipeline *pipeline)
{
    return 2 * pipeline->half;
}

float *wsr__pipeline_input(const wsr__pipeline *pipeline, float *dst,
                           float *scratch)
{
    return pipeline->n ? scratch : dst;
}

void wsr__pipeline_apply(float *dst, const wsr__pipeline *pipeline,
                         float *scratch, wsr__rng *rng)
{
    float *src = scratch;
    float *other = pipeline->n ? scratch + pipeline->half : NULL;

    for (size_t i = 0; i < pipeline->n; ++i) {
        const step *const s = &pipeline->steps[i];
        float *const to = i + 1 == pipeline->n ? dst : other;

        s->cls->apply(to, src, s->in, s->params, rng);
        other = src;
        src = to;
    }
}
