// SPDX-License-Identifier: Apache-2.0
//
// A list of augmentations, applied in order. Stages on floats alternate between
// the two buffers of a workspace and the last one writes the result, so that n
// stages make n passes; stages on bytes change the workspace's bitmap. Whether
// a stage gets bytes or floats is decided when the pipeline is made: what works
// on both takes what there is. Shapes are checked then too, except those that
// differ from image to image.

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
    const wsr__augment_class *cls; // NULL: the view
    void *params;
    wsr__image in; // h = w = 0: differs from image to image
    bool bytes;    // what it works on
} stage;

struct wsr__pipeline {
    stage stages[MAX_STAGES + 1]; // and one for the view
    size_t n;
    wsr__view view;
    wsr__image out;
    bool bytes;  // what comes out of the last stage
    size_t half; // floats of the largest image that is kept as floats
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

static bool differs(wsr__image image)
{
    return image.h == 0;
}

static wsr_status check_size(const char *name, wsr__image image)
{
    if (wsr__image_floats(image) > WSR__IMAGE_FLOATS) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.%s: an image of %lldx%lldx%lld is too "
                        "large",
                        name, (long long)image.c, (long long)image.h,
                        (long long)image.w);
    }
    return WSR_OK;
}

// Bytes to bytes is the only passage without an image of floats.
static void take_stage(wsr__pipeline *pipeline, stage *s, bool bytes)
{
    const size_t floats = (size_t)wsr__image_floats(s->in);
    s->bytes = bytes;
    if (!(pipeline->bytes && bytes) && pipeline->half < floats) {
        pipeline->half = floats;
    }
    pipeline->bytes = bytes;
    pipeline->n++;
}

// Show images of any size as the view says, unless something has given them
// one size already.
static void add_view(wsr__pipeline *pipeline)
{
    stage *const s = &pipeline->stages[pipeline->n];
    if (differs(pipeline->out)) {
        s->in = pipeline->out;
        take_stage(pipeline, s, true);
        pipeline->out = pipeline->view.image;
    }
}

// The stage counts as soon as its params exist, so that freeing the pipeline
// frees them whatever fails later.
static wsr_status add(wsr__pipeline *pipeline, const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *found;
    const wsr__augment_class *cls;
    void *params = NULL;
    stage *s;
    WSR_TRY(check_kept(spec));
    WSR_TRY(wsr__class_spec(&found, &params, &wsr__augments, spec));
    // The family's classes start with their super.
    cls = (const wsr__augment_class *)(const void *)found;
    if (cls->apply_bytes == NULL) {
        add_view(pipeline);
    }
    s = &pipeline->stages[pipeline->n];
    *s = (stage){.cls = cls, .params = params, .in = pipeline->out};
    params = NULL;
    take_stage(pipeline, s,
               cls->apply_bytes != NULL &&
                   (pipeline->bytes || cls->apply == NULL));
    if (cls->bind != NULL) {
        cls->bind(s->params, &pipeline->view);
    }
    WSR_TRY(cls->infer(&pipeline->out, s->params, s->in));
    WSR_TRY(check_size(cls->super.name, pipeline->out));
out:
    wsr__free(params);
    return status;
}

// In "a,b:k=v,k=v" a comma begins a new augmentation unless "key=" follows.
static wsr_status add_all(wsr__pipeline *pipeline, const char *specs)
{
    wsr_status status = WSR_OK;
    wsr__str spec = {0};
    for (size_t count = 0; *specs != '\0'; count++) {
        const size_t n = wsr__spec_length(specs);
        if (count == MAX_STAGES) {
            status = WSR_FAIL(WSR_CONFIG, "augment: more than %d augmentations",
                              MAX_STAGES);
            goto out;
        }
        WSR_TRY(cut_spec(&spec, specs, n));
        WSR_TRY(add(pipeline, spec.s != NULL ? spec.s : ""));
        specs += n;
        if (*specs == ',' && *++specs == '\0') {
            status = WSR_FAIL(WSR_CONFIG, "augment: the list ends in a comma");
            goto out;
        }
    }
    add_view(pipeline);
out:
    wsr__str_free(&spec);
    return status;
}

wsr_status wsr__pipeline_new_view(wsr__pipeline **out, const char *specs,
                                  const wsr__view *view)
{
    wsr_status status = WSR_OK;
    wsr__pipeline *pipeline = NULL;
    *out = NULL;
    pipeline = wsr__alloc(1, sizeof(*pipeline));
    if (pipeline == NULL) {
        return WSR_NOMEM;
    }
    pipeline->view = *view;
    pipeline->out = view->image;
    if (view->resize > 0) {
        pipeline->out = (wsr__image){view->image.c, 0, 0};
        pipeline->bytes = true;
    }
    WSR_TRY(add_all(pipeline, specs));
    *out = pipeline;
    pipeline = NULL;
out:
    wsr__pipeline_free(pipeline);
    return status;
}

wsr_status wsr__pipeline_new(wsr__pipeline **out, const char *specs,
                             wsr__image in)
{
    const wsr__view view = {.image = in};
    return wsr__pipeline_new_view(out, specs, &view);
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

// ----------------------------------------------------------------- workspace

wsr_status wsr__workspace_make(wsr__workspace *out,
                               const wsr__pipeline *pipeline)
{
    *out = (wsr__workspace){0};
    out->floats = wsr__alloc_raw(2 * pipeline->half, sizeof(*out->floats));
    return out->floats != NULL ? WSR_OK : WSR_NOMEM;
}

void wsr__workspace_free(wsr__workspace *workspace)
{
    wsr__free(workspace->floats);
    wsr__bitmap_free(&workspace->bitmap);
    *workspace = (wsr__workspace){0};
}

// The data set writes its floats straight to where the first stage reads them.
float *wsr__pipeline_input(const wsr__pipeline *pipeline, float *dst,
                           wsr__workspace *workspace)
{
    return pipeline->n > 0 ? workspace->floats : dst;
}

// ------------------------------------------------------------------ applying

// An image on its way: bytes in the workspace's bitmap, or floats at `src`.
// `other` is the buffer that src does not lie in.
typedef struct passage {
    wsr__bitmap *bitmap;
    float *src;
    float *other;
    bool bytes;
} passage;

static wsr_status show(wsr__bitmap *bitmap, const wsr__view *view)
{
    wsr_status status = WSR_OK;
    wsr__window window;
    WSR_TRY(wsr__bitmap_resize_short(bitmap, view->resize, WSR__BILINEAR));
    WSR_TRY(wsr__window_centre(&window, bitmap->shape, view->image.h,
                               view->image.w));
    WSR_TRY(wsr__bitmap_crop(bitmap, &window));
out:
    return status;
}

// Say in which augmentation a failure was, unless memory is short.
static wsr_status failed(wsr_status status, const stage *s)
{
    if (status == WSR_OK || status == WSR_NOMEM || s->cls == NULL) {
        return status;
    }
    return wsr__fail_at(status, "augment.%s", s->cls->super.name);
}

static wsr_status run_bytes(const stage *s, const wsr__view *view,
                            wsr__bitmap *bitmap, wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    wsr__window window;
    if (s->cls == NULL) {
        return show(bitmap, view);
    }
    if (s->cls->window != NULL) {
        WSR_TRY(s->cls->window(&window, s->params, bitmap->shape, rng));
        WSR_TRY(wsr__bitmap_crop(bitmap, &window));
    }
    WSR_TRY(s->cls->apply_bytes(bitmap, s->params, rng));
out:
    return failed(status, s);
}

static wsr_status to_bytes(passage *p, wsr__image shape)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__bitmap_reserve(p->bitmap, shape));
    wsr__floats_to_bytes(p->bitmap->spare, p->src, wsr__image_floats(shape));
    wsr__bitmap_swap(p->bitmap, shape);
    p->bytes = true;
out:
    return status;
}

static void to_floats(float *dst, passage *p)
{
    wsr__bytes_to_floats(dst, p->bitmap->bytes,
                         wsr__image_floats(p->bitmap->shape));
    p->bytes = false;
}

// What a stage on floats has written becomes src; the last one writes dst.
static wsr_status run(float *dst, const wsr__pipeline *pipeline, size_t first,
                      passage *p, wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    for (size_t i = first; i < pipeline->n; i++) {
        const stage *const s = &pipeline->stages[i];
        // The view has no class, and works on bytes.
        const bool on_bytes = s->bytes || s->cls == NULL;
        if (on_bytes && !p->bytes) {
            WSR_TRY(to_bytes(p, s->in));
        }
        if (on_bytes) {
            WSR_TRY(run_bytes(s, &pipeline->view, p->bitmap, rng));
            continue;
        }
        if (p->bytes) {
            to_floats(p->src, p);
        }
        float *const to = i + 1 == pipeline->n ? dst : p->other;
        s->cls->apply(to, p->src, s->in, s->params, rng);
        p->other = p->src;
        p->src = to;
    }
    if (p->bytes) {
        to_floats(dst, p);
    }
out:
    return status;
}

static passage begin(const wsr__pipeline *pipeline, wsr__workspace *workspace,
                     bool bytes)
{
    return (passage){.bitmap = &workspace->bitmap,
                     .src = workspace->floats,
                     .other = workspace->floats + pipeline->half,
                     .bytes = bytes};
}

wsr_status wsr__pipeline_apply(float *dst, const wsr__pipeline *pipeline,
                               wsr__workspace *workspace, wsr__rng *rng)
{
    passage p;
    if (pipeline->n == 0) {
        return WSR_OK;
    }
    p = begin(pipeline, workspace, false);
    return run(dst, pipeline, 0, &p, rng);
}

// A first stage that looks at a window has only that decoded.
wsr_status wsr__pipeline_decode(float *dst, const wsr__pipeline *pipeline,
                                wsr__workspace *workspace,
                                wsr__encoded *encoded, wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const stage *const s = &pipeline->stages[0];
    const bool part = s->cls != NULL && s->cls->window != NULL;
    wsr__window window = {0, 0, encoded->shape.h, encoded->shape.w};
    passage p = begin(pipeline, workspace, true);
    if (part) {
        WSR_TRY(
            failed(s->cls->window(&window, s->params, encoded->shape, rng), s));
    }
    WSR_TRY(encoded->decode(p.bitmap, encoded, &window));
    if (part) {
        WSR_TRY(failed(s->cls->apply_bytes(p.bitmap, s->params, rng), s));
    }
    WSR_TRY(run(dst, pipeline, part ? 1 : 0, &p, rng));
out:
    return status;
}
