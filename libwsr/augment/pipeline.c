// SPDX-License-Identifier: Apache-2.0
//
// A list of augmentations, applied in order. Stages alternate between the two
// halves of a scratch buffer and the last one writes the result, so that a
// pipeline of n stages makes n passes and allocates nothing. Shapes are checked
// once, when the pipeline is made; applying it cannot fail.

#include "augment/augment.h"

#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "augment/augments.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__augments = {"augment", classes};

enum { MAX_STAGES = 16 };

// An augmentation, its decoded params, and the shape (c, h, w) that it reads.
typedef struct stage {
    const wsr__augment_class *cls;
    void *params;
    wsr__image in;
} stage;

struct wsr__pipeline {
    stage stages[MAX_STAGES];
    size_t n;
    wsr__image out;
    size_t half; // floats of the largest image before the last stage
};

// Channels are (c, h, w) planes; the whole of dst is written first, since the
// frame has four sides and the image fills most of it anyway.
void wsr__image_centre(float *restrict dst, wsr__image out,
                       const float *restrict src, wsr__image in, float value)
{
    const int64_t top = (out.h - in.h) / 2;
    const int64_t left = (out.w - in.w) / 2;
    const int64_t floats = wsr__image_floats(out);
    for (int64_t i = 0; i < floats; i++) {
        dst[i] = value;
    }
    for (int64_t c = 0; c < in.c; c++) {
        for (int64_t y = 0; y < in.h; y++) {
            memcpy(dst + (c * out.h + top + y) * out.w + left,
                   src + (c * in.h + y) * in.w, sizeof(float) * (size_t)in.w);
        }
    }
}

// Copy a spec without the blanks around it.
static wsr_status cut_spec(wsr__str *spec, const char *text, size_t n)
{
    for (; n > 0 && *text == ' '; n--) {
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

// The stage counts as soon as its params exist, so that freeing the pipeline
// frees them whatever fails later.
static wsr_status add(wsr__pipeline *pipeline, const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls;
    stage *const s = &pipeline->stages[pipeline->n];
    const wsr__image in = pipeline->out;
    if (pipeline->n == MAX_STAGES) {
        return WSR_FAIL(WSR_CONFIG, "augment: more than %d augmentations",
                        MAX_STAGES);
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

// In "a,b:k=v,k=v" a comma begins a new augmentation unless "key=" follows.
wsr_status wsr__pipeline_new(wsr__pipeline **out, const char *specs,
                             wsr__image in)
{
    wsr_status status = WSR_OK;
    wsr__str spec = {0};
    wsr__pipeline *pipeline = NULL;
    *out = NULL;
    pipeline = wsr__alloc(1, sizeof(*pipeline));
    if (pipeline == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    pipeline->out = in;
    while (*specs != '\0') {
        const size_t n = wsr__spec_length(specs);
        WSR_TRY(cut_spec(&spec, specs, n));
        WSR_TRY(add(pipeline, spec.s != NULL ? spec.s : ""));
        specs += n;
        if (*specs == ',' && *++specs == '\0') {
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
    if (pipeline == NULL) {
        return;
    }
    for (size_t i = 0; i < pipeline->n; i++) {
        wsr__free(pipeline->stages[i].params);
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

// The data set writes its floats straight to where the first stage reads them.
float *wsr__pipeline_input(const wsr__pipeline *pipeline, float *dst,
                           float *scratch)
{
    return pipeline->n > 0 ? scratch : dst;
}

// The buffers swap roles after each stage: what was written becomes src.
void wsr__pipeline_apply(float *dst, const wsr__pipeline *pipeline,
                         float *scratch, wsr__rng *rng)
{
    float *src = scratch;
    float *other = pipeline->n > 0 ? scratch + pipeline->half : NULL;
    for (size_t i = 0; i < pipeline->n; i++) {
        const stage *const s = &pipeline->stages[i];
        float *const to = i + 1 == pipeline->n ? dst : other;
        s->cls->apply(to, src, s->in, s->params, rng);
        other = src;
        src = to;
    }
}
