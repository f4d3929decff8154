// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

typedef struct shape {
    int64_t n;
    int64_t t;
    int64_t c;
    int64_t h; // of thin
    int64_t w;
    int64_t kernel;
    int64_t pad; // of the convolution
    bool thin_dst;
    bool view;
} shape;

/// One such convolution with everything that a call can take.
typedef struct scene {
    wsr__thin p;
    wsr__conv conv; // the same for the reference
    pair wide;      // src or diff_dst
    pair gated;     // what a gate looks at
    pair saved;     // the norm's src behind it
    pair out;       // dst or diff_src
    float *thin;    // (n, t, h, w)
    float *weights; // plain
    float *packed;
    float *vectors[5]; // scale, shift, alpha, beta, gamma
    wsr__pre pre;
    wsr__affine affine;
    wsr__gate gate;
} scene;

static wsr__conv conv_of(const shape *z, const wsr__thin *p)
{
    wsr__conv conv = {.n = z->n,
                      .ci = z->t,
                      .h = z->h,
                      .w = z->w,
                      .co = z->c,
                      .oh = p->oh,
                      .ow = p->ow,
                      .kh = z->kernel,
                      .kw = z->kernel,
                      .sh = 1,
                      .sw = 1,
                      .ph = z->pad,
                      .pw = z->pad,
                      .dh = 1,
                      .dw = 1,
                      .groups = 1};
    if (z->thin_dst) {
        conv.ci = z->c;
        conv.co = z->t;
        conv.h = p->oh;
        conv.w = p->ow;
        conv.oh = z->h;
        conv.ow = z->w;
    }
    return conv;
}

static scene scene_new(const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    const int64_t grow = 2 * z->pad - z->kernel + 1;
    s.p = (wsr__thin){.n = z->n,
                      .t = z->t,
                      .c = z->c,
                      .h = z->h,
                      .w = z->w,
                      .oh = z->h + (z->thin_dst ? -grow : grow),
                      .ow = z->w + (z->thin_dst ? -grow : grow),
                      .kernel = z->kernel,
                      .pad = z->thin_dst ? z->kernel - 1 - z->pad : z->pad,
                      .thin_dst = z->thin_dst};
    s.conv = conv_of(z, &s.p);
    const int64_t pixels = s.p.oh * s.p.ow;
    s.wide = pair_new(z->n, z->c, pixels, z->view, 1);
    s.gated = pair_new(z->n, z->c, pixels, z->view, 2);
    s.saved = pair_new(z->n, z->c, pixels, !z->view, 3);
    s.out = pair_new(z->n, z->c, pixels, z->view, 3);
    s.p.step = z->view ? s.wide.step : 0;
    s.thin = random_floats(z->n * z->t * z->h * z->w, 4);
    s.weights = random_floats(z->c * z->t * z->kernel * z->kernel, 5);
    s.packed = floats((int64_t)wsr__thin_weights_size(&s.p));
    wsr__thin_pack(s.packed, &s.p, s.weights);
    for (uint32_t i = 0; i < 5; i++) {
        s.vectors[i] = random_channels(z->c, i % 2 == 0 ? 1.0f : 0.0f, 6 + i);
    }
    s.pre = (wsr__pre){s.vectors[0], s.vectors[1], true};
    s.affine = (wsr__affine){s.vectors[2], s.vectors[3], s.vectors[4],
                             s.saved.blocked, s.saved.step};
    s.gate = (wsr__gate){.src = s.gated.blocked, .pre = s.pre};
    return s;
}

static void scene_free(scene *s)
{
    pair_free(&s->wide);
    pair_free(&s->gated);
    pair_free(&s->saved);
    pair_free(&s->out);
    wsr__free(s->thin);
    wsr__free(s->weights);
    wsr__free(s->packed);
    for (size_t i = 0; i < 5; i++) {
        wsr__free(s->vectors[i]);
    }
}

static int64_t wide_size(const scene *s)
{
    return s->wide.n * s->wide.c * s->wide.pixels;
}

static int64_t thin_size(const scene *s)
{
    return s->p.n * s->p.t * s->p.h * s->p.w;
}

/// The wide side as it is read.
static float *read_wide(const scene *s, const wsr__thin_how *how)
{
    const wsr__pre none = {0};
    float *const read = floats(wide_size(s));
    plain_pre(read, &s->wide, how->pre != NULL ? how->pre : &none);
    if (how->affine != NULL) {
        plain_affine(read, &s->wide, &s->saved, how->affine);
    }
    return read;
}

static void check_expand(scene *s, const wsr__thin_how *how, const char *what)
{
    float *const want = floats(wide_size(s));
    if (s->p.thin_dst) {
        wsr__ref_conv_backward_data(want, s->thin, s->weights, &s->conv);
    } else {
        wsr__ref_conv_forward(want, s->thin, s->weights, how->bias, &s->conv);
    }
    if (how->gate != NULL) {
        plain_gate(want, &s->gated, &how->gate->pre);
    }
    for (int64_t i = 0; how->accumulate && i < wide_size(s); i++) {
        want[i] += s->out.plain[i];
    }
    pair_block(&s->out);
    wsr__thin_expand(s->out.blocked, &s->p, s->thin, s->packed, how);
    check_blocked(&s->out, want, what);
    wsr__free(want);
}

static void check_shrink(const scene *s, const wsr__thin_how *how,
                         const char *what)
{
    float *const read = read_wide(s, how);
    float *const want = floats(thin_size(s));
    float *const got = floats(thin_size(s));
    if (s->p.thin_dst) {
        wsr__ref_conv_forward(want, read, s->weights, how->bias, &s->conv);
    } else {
        wsr__ref_conv_backward_data(want, read, s->weights, &s->conv);
    }
    for (int64_t i = 0; i < thin_size(s); i++) {
        got[i] = 3.0f;
        want[i] += how->accumulate ? 3.0f : 0.0f;
    }
    wsr__thin_shrink(got, &s->p, s->wide.blocked, s->packed, how);
    check_close(got, want, thin_size(s), what);
    wsr__free(read);
    wsr__free(want);
    wsr__free(got);
}

static void check_correlate(const scene *s, const wsr__thin_how *how,
                            const char *what)
{
    const int64_t count = s->p.c * s->p.t * s->p.kernel * s->p.kernel;
    float *const read = read_wide(s, how);
    float *const want = floats(count);
    float *const got = floats(count);
    float *const packed = floats((int64_t)wsr__thin_weights_size(&s->p));
    float *const scratch = floats((int64_t)wsr__thin_scratch(&s->p));
    const float *const data[2] = {s->thin, s->wide.blocked};
    wsr__ref_conv_backward_weights(want, NULL, s->p.thin_dst ? read : s->thin,
                                   s->p.thin_dst ? s->thin : read, &s->conv);
    wsr__thin_correlate(packed, &s->p, data, how, scratch);
    for (int64_t i = 0; i < count; i++) {
        got[i] = 1.0f;
        want[i] += 1.0f;
    }
    wsr__thin_unpack_add(got, &s->p, packed);
    check_close(got, want, count, what);
    wsr__free(read);
    wsr__free(want);
    wsr__free(got);
    wsr__free(packed);
    wsr__free(scratch);
}

static void check_scene(const shape *z)
{
    scene s = scene_new(z);
    const wsr__thin_how none = {0};
    check_expand(&s, &none, "expand");
    check_expand(&s, &(wsr__thin_how){.accumulate = true}, "expand, add");
    check_shrink(&s, &none, "shrink");
    check_correlate(&s, &none, "correlate");
    if (z->thin_dst) {
        const float bias[WSR__THIN] = {1, -2, 3, -4};
        check_expand(&s, &(wsr__thin_how){.gate = &s.gate}, "expand, gate");
        check_shrink(&s, &(wsr__thin_how){.pre = &s.pre, .bias = bias},
                     "shrink, all");
        check_correlate(&s, &(wsr__thin_how){.pre = &s.pre}, "correlate, pre");
    } else {
        check_expand(&s, &(wsr__thin_how){.bias = s.vectors[1]},
                     "expand, bias");
        check_shrink(&s,
                     &(wsr__thin_how){.affine = &s.affine, .accumulate = true},
                     "shrink, all");
        check_correlate(&s, &(wsr__thin_how){.affine = &s.affine},
                        "correlate, affine");
    }
    scene_free(&s);
}

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 3, 1, false, false},
    {2, 3, 7, 5, 31, 3, 1, false, true},
    {17, 3, 48, 9, 8, 3, 1, false, false},
    {1, 4, 17, 31, 130, 3, 1, false, false}, // wider than a strip
    {3, 2, 24, 6, 13, 5, 2, false, true},
    {1, 1, 9, 9, 9, 7, 3, false, false},
    {2, 3, 16, 8, 8, 3, 0, false, false},
    {2, 3, 16, 8, 8, 5, 4, false, false},
    {1, 1, 1, 1, 1, 3, 1, true, false},
    {2, 1, 100, 28, 28, 3, 1, true, false},
    {2, 3, 17, 5, 70, 5, 2, true, true},
    {1, 2, 8, 7, 9, 7, 1, true, false},
};

static void check_all(void)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    each_variant(check_all);
}
END_TEST

static void fill(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__thin_how how = {0};
    const float *const data[2] = {s->thin, s->wide.blocked};
    float *const scratch = floats((int64_t)wsr__thin_scratch(&s->p));
    float *const packed = floats((int64_t)wsr__thin_weights_size(&s->p));
    wsr__thin_shrink(out, &s->p, s->wide.blocked, s->packed, &how);
    wsr__thin_correlate(packed, &s->p, data, &how, scratch);
    memcpy(out + thin_size(s), packed,
           wsr__thin_weights_size(&s->p) * sizeof(*packed));
    wsr__free(scratch);
    wsr__free(packed);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    scene s = scene_new(&shapes[2]);
    check_threads(fill, &s,
                  thin_size(&s) + (int64_t)wsr__thin_weights_size(&s.p),
                  "thin");
    scene_free(&s);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        the_number_of_threads_does_not_change_a_bit,
        NULL,
    };
    return suite_of("native_thin", tests);
}
