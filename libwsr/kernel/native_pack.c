// SPDX-License-Identifier: Apache-2.0
//
// Sizes, packed weights and per-channel vectors of the native kernels: what
// does not depend on the instruction set. The packed formats put the channels
// that one vector holds side by side and fill up the last vector with zeros, so
// that padding channels of dst become zeros without a test in any kernel.

#include "kernel/native_layout.h"

#include <math.h>
#include <string.h>

int64_t wsr__out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                      int64_t dilation)
{
    const int64_t room = size + 2 * pad - (dilation * (kernel - 1) + 1);
    return room < 0 ? 0 : room / stride + 1;
}

// --------------------------------------------------- depthwise convolutions

wsr__dw wsr__dw_of(const wsr__conv *c)
{
    return (wsr__dw){.n = c->n,
                     .c = c->ci,
                     .h = c->h,
                     .w = c->w,
                     .oh = c->oh,
                     .ow = c->ow,
                     .kernel = c->kh,
                     .stride = c->sh,
                     .pad = c->ph,
                     .dilation = c->dh};
}

size_t wsr__dw_weights_size(const wsr__dw *p)
{
    return (size_t)(wsr__blocks(p->c) * p->kernel * p->kernel * WSR__BLOCK);
}

void wsr__dw_pack(float *packed, const wsr__dw *p, const float *plain,
                  const float *factor)
{
    const int64_t taps = p->kernel * p->kernel;
    memset(packed, 0, wsr__dw_weights_size(p) * sizeof(*packed));
    for (int64_t c = 0; c < p->c; c++) {
        float *const to = packed + c / WSR__BLOCK * taps * WSR__BLOCK +
                          c % WSR__BLOCK;
        for (int64_t k = 0; k < taps; k++) {
            const float w = plain[c * taps + k];
            to[k * WSR__BLOCK] = factor != NULL ? w * factor[c] : w;
        }
    }
}

void wsr__dw_unpack_add(float *plain, const wsr__dw *p, const float *packed)
{
    const int64_t taps = p->kernel * p->kernel;
    for (int64_t c = 0; c < p->c; c++) {
        const float *const from = packed + c / WSR__BLOCK * taps * WSR__BLOCK +
                                  c % WSR__BLOCK;
        for (int64_t k = 0; k < taps; k++) {
            plain[c * taps + k] += from[k * WSR__BLOCK];
        }
    }
}

size_t wsr__dw_backward_weights_scratch(const wsr__dw *p)
{
    return (size_t)p->n * wsr__dw_weights_size(p);
}

// ------------------------------------------------------------ few channels

size_t wsr__few_channels_weights_size(const wsr__few_channels *p)
{
    return (size_t)((wsr__blocks(p->many) + 1) / 2 * 2 * WSR__BLOCK * p->few *
                    p->kernel * p->kernel);
}

size_t wsr__few_channels_scratch(const wsr__few_channels *p)
{
    return (size_t)wsr__image_groups(p->n) * wsr__few_channels_weights_size(p);
}

// Where weight i of [many][few][ky][kx] lies: at[0] packed, at[1] plain.
static void few_channels_at(int64_t at[2], const wsr__few_channels *p,
                            int64_t i)
{
    const int64_t width = 2 * WSR__BLOCK;
    const int64_t taps = p->kernel * p->kernel;
    const int64_t c = i / taps / p->few;
    const int64_t t = i / taps % p->few;
    const int64_t k = i % taps;
    at[0] = ((c / width * p->few + t) * taps + k) * width + c % width;
    at[1] = p->few_dst ? (t * p->many + c) * taps + taps - 1 - k
                       : (c * p->few + t) * taps + k;
}

void wsr__few_channels_pack(float *packed, const wsr__few_channels *p,
                            const float *plain)
{
    const int64_t count = p->many * p->few * p->kernel * p->kernel;
    memset(packed, 0, wsr__few_channels_weights_size(p) * sizeof(*packed));
    for (int64_t i = 0; i < count; i++) {
        int64_t at[2];
        few_channels_at(at, p, i);
        packed[at[0]] = plain[at[1]];
    }
}

void wsr__few_channels_unpack_add(float *plain, const wsr__few_channels *p,
                                  const float *packed)
{
    const int64_t count = p->many * p->few * p->kernel * p->kernel;
    for (int64_t i = 0; i < count; i++) {
        int64_t at[2];
        few_channels_at(at, p, i);
        plain[at[1]] += packed[at[0]];
    }
}

// -------------------------------------------------- depthwise and pointwise

bool wsr__sep_supported(const wsr__sep *p)
{
    const wsr__dw *const d = &p->dw;
    return (d->kernel == 3 || d->kernel == 5 || d->kernel == 7) &&
           (d->stride == 1 || d->stride == 2) &&
           (d->dilation == 1 || d->dilation == 2) &&
           d->pad <= (d->kernel - 1) * d->dilation;
}

wsr__pw wsr__sep_pw(const wsr__sep *p)
{
    return (wsr__pw){.n = p->dw.n,
                     .ci = p->dw.c,
                     .co = p->co,
                     .h = p->dw.oh,
                     .w = p->dw.ow,
                     .oh = p->dw.oh,
                     .ow = p->dw.ow,
                     .stride = 1,
                     .dst_batch_stride = p->dst_batch_stride};
}

// The scratch of a thread is described in native_sep.h and
// native_sep_backward.c; bundles are counted as those of the widest registers.
wsr__sep_layout wsr__sep_layout_of(const wsr__sep *p)
{
    const wsr__dw *const d = &p->dw;
    const int64_t ins = wsr__blocks(d->c);
    const int64_t outs = wsr__blocks(p->co);
    const int64_t span = (d->kernel - 1) * d->dilation + 1;
    // As many rows as keep the depthwise result within 24 KiB, half of a first
    // cache, but no more than 64 pixels: longer products gain nothing.
    wsr__sep_layout l = {.rows = 6144 / (max64(ins, outs) * WSR__BLOCK)};
    l.rows = max64(min64(l.rows, 64) / d->ow, 1);
    const int64_t run = l.rows * d->ow * WSR__BLOCK;
    const int64_t taps = d->kernel * d->kernel;
    const int64_t most = (ins + 1) / 2 * 2 * WSR__BLOCK; // floats of bundles
    l.forward_ring = span * ((d->ow - 1) * d->stride + span);
    // Backward, the ring holds rows of diff_dst with room for all phases.
    l.backward_ring = (span + l.rows + 1) * (d->w + 2 * span);
    l.forward = most * (l.forward_ring + taps) + ins * run;
    l.backward = most * (l.backward_ring + taps) + outs * run;
    // What follows, forward's part, begins at a cache line too.
    l.backward = (int64_t)wsr__lines((size_t)l.backward);
    return l;
}

size_t wsr__sep_thread_scratch(const wsr__sep *p, bool weights)
{
    const wsr__sep_layout l = wsr__sep_layout_of(p);
    const int64_t both = l.backward + l.forward;
    return wsr__lines((size_t)(weights ? both : max64(l.forward, l.backward)));
}

// Groups of images each sum the gradients of both weights on their own.
size_t wsr__sep_weights_scratch(const wsr__sep *p)
{
    const wsr__pw pw = wsr__sep_pw(p);
    const size_t sums = wsr__dw_weights_size(&p->dw) +
                        wsr__pw_weights_size(&pw);
    return (size_t)wsr__image_groups(p->dw.n) * sums;
}

// ------------------------------------------------------ batch normalisation

static int64_t padded(int64_t c)
{
    return wsr__blocks(c) * WSR__BLOCK;
}

// Doubles from one image to the next in moments and sums.
static int64_t moments_step(const wsr__dims *d)
{
    const int64_t plane = d->h * d->w * WSR__BLOCK;
    const int64_t blocks = d->src_batch_stride != 0
                               ? d->src_batch_stride / plane
                               : wsr__blocks(d->c);
    return blocks * 2 * WSR__BLOCK;
}

size_t wsr__moments_size(const wsr__dims *d)
{
    return (size_t)(d->n * moments_step(d));
}

// The first of the two numbers of an image and channel.
static const double *moment_at(const double *moments, const wsr__dims *d,
                               int64_t n, int64_t c)
{
    return moments + n * moments_step(d) + c / WSR__BLOCK * 2 * WSR__BLOCK +
           c % WSR__BLOCK;
}

// Chan et al.: the squared deviations of all images around the common mean are
// those around each image's mean, plus its distance from the common one.
void wsr__bn_stats(float *mean, float *var, const wsr__dims *d,
                   const double *moments)
{
    memset(mean, 0, (size_t)padded(d->c) * sizeof(*mean));
    memset(var, 0, (size_t)padded(d->c) * sizeof(*var));
    const double images = (double)d->n;
    const double pixels = (double)(d->h * d->w);
    for (int64_t c = 0; c < d->c; c++) {
        double centre = 0.0;
        for (int64_t n = 0; n < d->n; n++) {
            centre += moment_at(moments, d, n, c)[0];
        }
        centre /= images;
        double square = 0.0;
        for (int64_t n = 0; n < d->n; n++) {
            const double *const m = moment_at(moments, d, n, c);
            const double away = m[0] - centre;
            square += m[WSR__BLOCK] + pixels * away * away;
        }
        mean[c] = (float)centre;
        var[c] = (float)(square / (images * pixels));
    }
}

void wsr__bn_inv_std(float *inv_std, int64_t c, const float *var, float tol)
{
    memset(inv_std, 0, (size_t)padded(c) * sizeof(*inv_std));
    for (int64_t i = 0; i < c; i++) {
        inv_std[i] = (float)(1.0 / sqrt((double)var[i] + (double)tol));
    }
}

// The folded pair is computed in double: shift is a difference of two numbers
// that may nearly cancel.
void wsr__bn_fold(float *scale, float *shift, int64_t c, const wsr__norm *norm)
{
    memset(scale, 0, (size_t)padded(c) * sizeof(*scale));
    memset(shift, 0, (size_t)padded(c) * sizeof(*shift));
    for (int64_t i = 0; i < c; i++) {
        const double gamma = norm->gamma != NULL ? (double)norm->gamma[i] : 1.0;
        const double beta = norm->beta != NULL ? (double)norm->beta[i] : 0.0;
        const double a = gamma * (double)norm->inv_std[i];
        scale[i] = (float)a;
        shift[i] = (float)(beta - (double)norm->mean[i] * a);
    }
}

void wsr__bn_total(double out[2], const wsr__dims *d, const double *sums,
                   int64_t c)
{
    out[0] = 0.0;
    out[1] = 0.0;
    for (int64_t n = 0; n < d->n; n++) {
        const double *const s = moment_at(sums, d, n, c);
        out[0] += s[0];
        out[1] += s[WSR__BLOCK];
    }
}

// With x_hat = (x - mean) * inv_std and m values per channel:
//   diff_src = gamma * inv_std * (dy - sum(dy) / m - x_hat * sum(dy x_hat) / m)
// which is alpha * dy + beta * x + gamma for three numbers per channel. The
// second sum is that of dy * (x - mean) in place of dy * x_hat.
void wsr__bn_backward_map(const wsr__bn_grad *grad, int64_t c,
                          const double total[2], double m,
                          const wsr__norm *norm)
{
    const double inv = (double)norm->inv_std[c];
    const double gain = norm->gamma != NULL ? (double)norm->gamma[c] * inv
                                            : inv;
    const double factor = -gain * inv * inv * total[1] / m;
    grad->alpha[c] = (float)gain;
    grad->beta[c] = (float)factor;
    grad->gamma[c] =
        (float)(-gain * total[0] / m - factor * (double)norm->mean[c]);
}

void wsr__bn_backward_fold(const wsr__bn_grad *grad, const wsr__dims *d,
                           const double *sums, const wsr__norm *norm)
{
    const size_t bytes = (size_t)padded(d->c) * sizeof(float);
    memset(grad->alpha, 0, bytes);
    memset(grad->beta, 0, bytes);
    memset(grad->gamma, 0, bytes);
    for (int64_t c = 0; c < d->c; c++) {
        double total[2];
        wsr__bn_total(total, d, sums, c);
        wsr__bn_backward_map(grad, c, total, (double)(d->n * d->h * d->w),
                             norm);
        if (grad->diff_gamma != NULL) {
            grad->diff_gamma[c] += (float)(total[1] * (double)norm->inv_std[c]);
        }
        if (grad->diff_beta != NULL) {
            grad->diff_beta[c] += (float)total[0];
        }
    }
}

// --------------------------------------------------------------- recurrent

// Blocks of eight sequences, the last one filled up.
static size_t sequence_blocks(const wsr__lstm *p)
{
    return (size_t)((p->n + WSR__BLOCK - 1) / WSR__BLOCK);
}

// A record of one step of a block: x (i), four gates, c, tanh(c) and h (7 h).
size_t wsr__lstm_records(const wsr__lstm *p, bool keep)
{
    const int64_t record = (p->i + 7 * p->h) * WSR__BLOCK;
    return sequence_blocks(p) * (size_t)(keep ? p->l * record : record);
}

// Per block the gradients of h, c (2 h) and x (i), carried from step to step.
size_t wsr__lstm_scratch(const wsr__lstm *p)
{
    return sequence_blocks(p) * (size_t)((p->i + 2 * p->h) * WSR__BLOCK);
}
