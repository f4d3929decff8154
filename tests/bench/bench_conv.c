// SPDX-License-Identifier: Apache-2.0
//
// oneDNN's convolutions beside native ones, on the blocked tensors that plans
// hold: forward, gradient of the source, gradient of the weights. Prints one
// JSON object; of each pair the first is oneDNN's, in milliseconds, null where
// it has nothing but its reference.
//
// bench_conv [batch=64] [threads=2] [repeat=20] [only=KIND] [isa=avx2]
//
// KIND is depthwise, pointwise, dense, winograd, few, whose native kernels have
// a plain tensor of few channels on one side, or plain, with two such tensors.

#include "base/base.h"
#include "bench/bench.h"
#include "kernel/kernel.h"
#include "waiting.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum kind { DEPTHWISE, POINTWISE, DENSE, WINOGRAD, FEW, PLAIN } kind;

static const char *const kinds[] = {
    "depthwise", "pointwise", "dense", "winograd", "few", "plain", NULL};

// Of a depthwise convolution co is ci, of a pointwise one kernel is 1.
typedef struct shape {
    kind kind;
    int64_t ci;
    int64_t co;
    int64_t size; // of the image's side
    int64_t kernel;
    int64_t stride;
    int64_t dilation;
} shape;

static const shape shapes[] = {
    {DEPTHWISE, 16, 16, 32, 3, 1, 1},  {DEPTHWISE, 16, 16, 32, 5, 1, 1},
    {DEPTHWISE, 16, 16, 32, 7, 1, 1},  {DEPTHWISE, 16, 16, 32, 3, 1, 2},
    {DEPTHWISE, 16, 16, 32, 5, 1, 2},  {DEPTHWISE, 32, 32, 32, 3, 2, 1},
    {DEPTHWISE, 32, 32, 32, 5, 2, 1},  {DEPTHWISE, 64, 64, 8, 3, 1, 1},
    {DEPTHWISE, 64, 64, 8, 5, 1, 1},   {POINTWISE, 16, 16, 32, 1, 1, 1},
    {POINTWISE, 64, 16, 32, 1, 1, 1},  {POINTWISE, 32, 32, 16, 1, 1, 1},
    {POINTWISE, 128, 32, 16, 1, 1, 1}, {POINTWISE, 64, 64, 8, 1, 1, 1},
    {POINTWISE, 256, 64, 8, 1, 1, 1},  {POINTWISE, 180, 180, 16, 1, 1, 1},
    {DENSE, 3, 64, 32, 3, 1, 1},       {DENSE, 64, 64, 32, 3, 1, 1},
    {DENSE, 64, 128, 32, 3, 2, 1},     {DENSE, 128, 128, 16, 3, 1, 1},
    {DENSE, 256, 256, 8, 3, 1, 1},     {DENSE, 512, 512, 4, 3, 1, 1},
    {DENSE, 160, 160, 32, 3, 1, 1},    {DENSE, 640, 640, 8, 3, 1, 1},
    {DENSE, 3, 3, 32, 3, 1, 1},        {DENSE, 3, 10, 32, 5, 4, 1},
    {DENSE, 3, 100, 32, 3, 1, 1},      {DENSE, 100, 3, 32, 3, 1, 1},
    {DENSE, 7, 100, 32, 3, 1, 1},      {DENSE, 16, 16, 32, 3, 1, 1},
    {DENSE, 24, 24, 32, 3, 1, 1},      {DENSE, 32, 32, 16, 3, 1, 1},
    {WINOGRAD, 24, 24, 32, 3, 1, 1},   {WINOGRAD, 32, 32, 16, 3, 1, 1},
    {DENSE, 100, 50, 28, 5, 1, 1},     {WINOGRAD, 64, 64, 32, 3, 1, 1},
    {WINOGRAD, 128, 128, 16, 3, 1, 1}, {WINOGRAD, 256, 256, 8, 3, 1, 1},
    {WINOGRAD, 512, 512, 4, 3, 1, 1},  {WINOGRAD, 160, 160, 32, 3, 1, 1},
    {WINOGRAD, 320, 320, 16, 3, 1, 1}, {WINOGRAD, 640, 640, 8, 3, 1, 1},
    {WINOGRAD, 512, 512, 7, 3, 1, 1},  {WINOGRAD, 16, 16, 32, 3, 1, 1},
    {WINOGRAD, 7, 100, 32, 3, 1, 1},   {WINOGRAD, 3, 64, 32, 3, 1, 1},
    {WINOGRAD, 100, 50, 28, 5, 1, 1},  {FEW, 3, 64, 32, 3, 1, 1},
    {FEW, 3, 100, 32, 3, 1, 1},        {FEW, 7, 100, 32, 3, 1, 1},
    {FEW, 100, 3, 32, 3, 1, 1},        {PLAIN, 3, 3, 32, 3, 1, 1},
    {PLAIN, 3, 10, 32, 5, 4, 1},       {PLAIN, 3, 100, 32, 3, 1, 1},
    {PLAIN, 100, 3, 32, 3, 1, 1},      {PLAIN, 7, 100, 32, 3, 1, 1},
};

enum { PASSES = 3 };

typedef struct scene {
    wsr__conv conv;
    wsr__dw dw;
    wsr__pw pw;
    wsr__dense dense;
    wsr__few_channels few;
    kind kind;
    float *src, *dst, *weights, *plain, *transposed, *scratch, *memory;
    wsr__thread_scratch threads;
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

// Packed weights, which may also be their gradient, and scratch.
static void scene_memory(scene *s)
{
    size_t weights = wsr__dw_weights_size(&s->dw);
    size_t transposed = 0;
    size_t scratch = wsr__dw_backward_weights_scratch(&s->dw);
    size_t memory = 0;
    if (s->kind == POINTWISE) {
        weights = wsr__pw_weights_size(&s->pw);
        transposed = wsr__pw_transposed_size(&s->pw);
        scratch = wsr__pw_weights_scratch(&s->pw);
    } else if (s->kind == WINOGRAD) {
        weights = wsr__winograd_weights_size(&s->dense);
        transposed = wsr__winograd_transposed_size(&s->dense);
        scratch = wsr__winograd_weights_scratch(&s->dense);
        memory = wsr__winograd_thread_scratch(&s->dense);
    } else if (s->kind == FEW) {
        weights = wsr__few_channels_weights_size(&s->few);
        scratch = wsr__few_channels_scratch(&s->few);
    } else if (s->kind == PLAIN) {
        weights = wsr__plain_gradients(&s->conv);
        scratch = wsr__plain_weights_scratch(&s->conv);
        memory = wsr__plain_thread_scratch(&s->conv);
    } else if (s->kind == DENSE) {
        weights = wsr__dense_weights_size(&s->dense);
        transposed = wsr__dense_transposed_size(&s->dense);
        scratch = wsr__dense_weights_scratch(&s->dense);
        memory = wsr__dense_thread_scratch(&s->dense);
    }
    s->weights = floats((int64_t)weights);
    s->transposed = floats((int64_t)transposed + 1);
    s->scratch = floats((int64_t)scratch + 1);
    s->threads = (wsr__thread_scratch){.stride = (int64_t)memory,
                                       .count = (int64_t)wsr_threads()};
    s->memory = floats(s->threads.stride * s->threads.count + 1);
    s->threads.data = s->memory;
}

static scene scene_new(const shape *z, int64_t n)
{
    const int64_t pad = z->kernel / 2 * z->dilation;
    const int64_t out =
        wsr__out_size(z->size, z->kernel, z->stride, pad, z->dilation);
    scene s = {.kind = z->kind};
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
                         .groups = z->kind == DEPTHWISE ? z->ci : 1};
    s.dw = wsr__dw_of(&s.conv);
    s.pw = wsr__pw_of(&s.conv);
    s.src = floats(n * wsr__blocks(z->ci) * WSR__BLOCK * z->size * z->size);
    s.dst = floats(n * wsr__blocks(z->co) * WSR__BLOCK * out * out);
    s.dense.conv = s.conv;
    s.few = (wsr__few_channels){.n = n,
                                .few = z->ci < z->co ? z->ci : z->co,
                                .many = z->ci < z->co ? z->co : z->ci,
                                .h = z->size,
                                .w = z->size,
                                .oh = out,
                                .ow = out,
                                .kernel = z->kernel,
                                .pad = pad,
                                .few_dst = z->co < z->ci};
    s.plain = floats(z->co * (z->kind == DEPTHWISE ? 1 : z->ci) * z->kernel *
                     z->kernel);
    scene_memory(&s);
    return s;
}

static void scene_free(scene *s)
{
    float *const arrays[] = {s->src,        s->dst,     s->weights, s->plain,
                             s->transposed, s->scratch, s->memory};
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

static void native_dense(scene *s)
{
    const wsr__wgrad grad = {.scratch = s->scratch};
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__dense_forward(s->dst, &s->dense, s->src, s->weights, &s->threads,
                           NULL);
    } else if (s->pass == WSR__CONV_BACKWARD_DATA) {
        wsr__dense_backward_data(s->src, &s->dense, s->dst, s->transposed,
                                 &s->threads, NULL);
    } else {
        wsr__dense_backward_weights(s->weights, &s->dense, s->src, s->dst,
                                    &s->threads, &grad);
    }
}

static void native_few(scene *s)
{
    const wsr__wgrad grad = {.scratch = s->scratch};
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__few_channels_forward(s->dst, &s->few, s->src, s->weights, NULL);
    } else if (s->pass == WSR__CONV_BACKWARD_DATA) {
        wsr__few_channels_backward_data(s->src, &s->few, s->dst, s->weights,
                                        NULL);
    } else {
        wsr__few_channels_backward_weights(s->weights, &s->few, s->src, s->dst,
                                           &grad);
    }
}

static void native_plain(scene *s)
{
    const wsr__conv *const p = &s->conv;
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__plain_forward(s->dst, p, s->src, s->plain, NULL, &s->threads);
    } else if (s->pass == WSR__CONV_BACKWARD_DATA) {
        wsr__plain_backward_data(s->src, p, s->dst, s->plain, false,
                                 &s->threads);
    } else {
        wsr__plain_backward_weights(s->weights, p, s->src, s->dst, s->scratch,
                                    &s->threads);
    }
}

static void native_winograd(scene *s)
{
    const wsr__wgrad grad = {.scratch = s->scratch};
    if (s->pass == WSR__CONV_FORWARD) {
        wsr__winograd_forward(s->dst, &s->dense, s->src, s->weights,
                              &s->threads, NULL);
    } else if (s->pass == WSR__CONV_BACKWARD_DATA) {
        wsr__winograd_backward_data(s->src, &s->dense, s->dst, s->transposed,
                                    &s->threads, NULL);
    } else {
        wsr__winograd_backward_weights(s->weights, &s->dense, s->src, s->dst,
                                       &s->threads, &grad);
    }
}

static void native_pointwise(scene *s)
{
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

static void native(void *ctx)
{
    static void (*const of[])(scene *) = {native_depthwise, native_pointwise,
                                          native_dense,     native_winograd,
                                          native_few,       native_plain};
    scene *const s = ctx;
    of[s->kind](s);
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
    printf("{\"kind\": \"%s\", \"ci\": %d, \"co\": %d, \"size\": %d, "
           "\"kernel\": %d, \"stride\": %d, \"dilation\": %d",
           kinds[z->kind], (int)z->ci, (int)z->co, (int)z->size, (int)z->kernel,
           (int)z->stride, (int)z->dilation);
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
    static const char *const keys[] = {"batch", "threads", "repeat",
                                       "only",  "isa",     NULL};
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    const long batch = bench_number(argc, argv, "batch", 64);
    const long repeat = bench_number(argc, argv, "repeat", 20);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    (void)wsr__threads_enter();
    const char *const only = bench_text(argc, argv, "only", "");
    const char *const isa = bench_text(argc, argv, "isa", "");
    bench_must(wsr__native_force(isa[0] == '\0' ? NULL : isa));
    printf("{\"batch\": %ld, \"threads\": %zu, \"isa\": \"%s\", "
           "\"convolutions\": [\n",
           batch, wsr_threads(), wsr__native_name());
    const char *separator = "";
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (only[0] == '\0' || wsr__streq(only, kinds[shapes[i].kind])) {
            printf("%s", separator);
            separator = ",\n";
            print_shape(&shapes[i], batch, repeat);
        }
    }
    printf("]}\n");
    return 0;
}
