// SPDX-License-Identifier: Apache-2.0
//
// oneDNN's convolutions beside native ones, on the blocked tensors that plans
// hold: forward, gradient of the source, gradient of the weights. Prints one
// JSON object; of each pair the first is oneDNN's, in milliseconds, null where
// it has nothing but its reference.
//
// bench_conv [batch=64] [threads=2] [repeat=20]

#include "base/base.h"
#include "bench/bench.h"
#include "kernel/kernel.h"
#include "waiting.h"

#include <stdio.h>
#include <stdlib.h>

// A depthwise (co is ci, groups) or a pointwise (kernel 1) convolution.
typedef struct shape {
    int64_t ci;
    int64_t co;
    int64_t size; // of the image's side
    int64_t kernel;
    int64_t stride;
    int64_t dilation;
} shape;

static const shape shapes[] = {
    {16, 16, 32, 3, 1, 1},   {16, 16, 32, 5, 1, 1}, {16, 16, 32, 7, 1, 1},
    {16, 16, 32, 3, 1, 2},   {16, 16, 32, 5, 1, 2}, {32, 32, 32, 3, 2, 1},
    {32, 32, 32, 5, 2, 1},   {64, 64, 8, 3, 1, 1},  {64, 64, 8, 5, 1, 1},
    {16, 16, 32, 1, 1, 1},   {64, 16, 32, 1, 1, 1}, {32, 32, 16, 1, 1, 1},
    {128, 32, 16, 1, 1, 1},  {64, 64, 8, 1, 1, 1},  {256, 64, 8, 1, 1, 1},
    {180, 180, 16, 1, 1, 1},
};

enum { PASSES = 3 };

typedef struct scene {
    wsr__conv conv;
    wsr__dw dw;
    wsr__pw pw;
    bool depthwise;
    float *src, *dst, *weights, *plain, *transposed, *scratch;
    wsr__dnnl_conv *theirs;
    wsr__dnnl_args args;
    int pass;
} scene;

static float *floats(int64_t n)
{
    float *const p = wsr__alloc((size_t)n, sizeof(*p));
    if (p == NULL) {
        fprintf(stderr, "bench_conv: no memory\n");
        exit(1);
    }
    for (int64_t i = 0; i < n; i++) {
        p[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    return p;
}

static scene scene_new(const shape *z, int64_t n)
{
    const int64_t pad = z->kernel / 2 * z->dilation;
    const int64_t out =
        wsr__out_size(z->size, z->kernel, z->stride, pad, z->dilation);
    scene s = {.depthwise = z->kernel > 1};
    s.conv = (wsr__conv){.n = n,
                         .ci = z->ci,
                         .h = z->size,
                         .w = z->size,
                         .co = z->co,
                         .oh = out,
                         .ow = out,
                         .kh = z->kernel,
                         .kw = z->kernel,
                         .sh = z->stride,
                         .sw = z->stride,
                         .ph = pad,
                         .pw = pad,
                         .dh = z->dilation,
                         .dw = z->dilation,
                         .groups = s.depthwise ? z->ci : 1};
    s.dw = wsr__dw_of(&s.conv);
    s.pw = wsr__pw_of(&s.conv);
    s.src = floats(n * wsr__blocks(z->ci) * WSR__BLOCK * z->size * z->size);
    s.dst = floats(n * wsr__blocks(z->co) * WSR__BLOCK * out * out);
    s.plain = floats(z->co * (s.depthwise ? 1 : z->ci) * z->kernel * z->kernel);
    s.weights = floats((int64_t)(s.depthwise ? wsr__dw_weights_size(&s.dw)
                                             : wsr__pw_weights_size(&s.pw)));
    s.transposed = floats((int64_t)wsr__pw_transposed_size(&s.pw));
    s.scratch =
        floats((int64_t)(s.depthwise ? wsr__dw_backward_weights_scratch(&s.dw)
                                     : wsr__pw_weights_scratch(&s.pw)));
    return s;
}

static void scene_free(scene *s)
{
    float *const arrays[] = {s->src,   s->dst,        s->weights,
                             s->plain, s->transposed, s->scratch};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        wsr__free(arrays[i]);
    }
}

static void native_depthwise(scene *s)
{
    const wsr__wgrad grad = {.scratch = s->scratch};
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__dw_forward(s->dst, &s->dw, s->src, s->weights, NULL);
    } else if (s->pass == WSR__CONV_BACKWARD_DATA) {
        wsr__dw_backward_data(s->src, &s->dw, s->dst, s->weights, NULL);
    } else {
        wsr__dw_backward_weights(s->weights, &s->dw, s->src, s->dst, &grad);
    }
}

static void native(void *ctx)
{
    scene *const s = ctx;
    if (s->depthwise) {
        native_depthwise(s);
        return;
    }
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__pw_forward(s->dst, &s->pw, s->src, s->weights, NULL);
        return;
    }
    const float *const data[] = {s->src, s->dst};
    wsr__pw_grads grads = {.scratch = s->scratch};
    if (s->pass == WSR__CONV_BACKWARD_DATA) {
        grads.src = s->src;
    } else {
        grads.weights = s->weights;
    }
    wsr__pw_backward(&grads, &s->pw, data, s->transposed, NULL);
}

static void theirs(void *ctx)
{
    scene *const s = ctx;
    bench_must(wsr__dnnl_conv_run(s->theirs, &s->args));
}

// Milliseconds of a pass by oneDNN, -1 where it has only its reference.
static double time_theirs(scene *s, long repeat)
{
    const wsr__layout layouts[] = {WSR__BLOCKED, WSR__BLOCKED};
    bench_must(wsr__dnnl_conv_new(&s->theirs, (wsr__direction)s->pass, &s->conv,
                                  layouts, false));
    double ms = -1;
    if (!wsr__dnnl_conv_is_slow(s->theirs)) {
        float *const weights =
            floats((int64_t)wsr__dnnl_conv_weights_size(s->theirs));
        float *const scratch =
            floats((int64_t)wsr__dnnl_conv_scratch(s->theirs) + 1);
        wsr__dnnl_conv_pack(s->theirs, weights, s->plain);
        s->args = (wsr__dnnl_args){.src = s->src,
                                   .weights = weights,
                                   .dst = s->dst,
                                   .scratch = scratch};
        theirs(s);
        ms = 1e3 * bench_best(theirs, s, repeat);
        wsr__free(weights);
        wsr__free(scratch);
    }
    wsr__dnnl_conv_free(s->theirs);
    return ms;
}

static void print_shape(const shape *z, int64_t batch, long repeat)
{
    static const char *const names[PASSES] = {"forward", "data", "weights"};
    scene s = scene_new(z, batch);
    printf("{\"ci\": %d, \"co\": %d, \"size\": %d, \"kernel\": %d, "
           "\"stride\": %d, \"dilation\": %d",
           (int)z->ci, (int)z->co, (int)z->size, (int)z->kernel, (int)z->stride,
           (int)z->dilation);
    for (s.pass = 0; s.pass < PASSES; s.pass++) {
        const double other = time_theirs(&s, repeat);
        native(&s);
        const double own = 1e3 * bench_best(native, &s, repeat);
        if (other < 0) {
            printf(", \"%s\": [null, %.3f]", names[s.pass], own);
        } else {
            printf(", \"%s\": [%.3f, %.3f]", names[s.pass], other, own);
        }
    }
    printf("}");
    scene_free(&s);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"batch", "threads", "repeat", NULL};
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    const long batch = bench_number(argc, argv, "batch", 64);
    const long repeat = bench_number(argc, argv, "repeat", 20);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    (void)wsr__threads_enter();
    printf("{\"batch\": %ld, \"threads\": %zu, \"convolutions\": [\n", batch,
           wsr_threads());
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        printf("%s", i > 0 ? ",\n" : "");
        print_shape(&shapes[i], batch, repeat);
    }
    printf("]}\n");
    return 0;
}
