// SPDX-License-Identifier: Apache-2.0
//
// Reference kernels: plain (n, c, h, w) tensors, nested loops straight from the
// definition, sums in double. Speed is no aim here; being obviously right is.
// Every other kernel is tested against these.

#include "kernel/ref.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------- convolution

// Source position of tap k for result position o, or -1 outside of the image.
static int64_t source(int64_t o, int64_t k, const int64_t axis[4])
{
    const int64_t stride = axis[0];
    const int64_t pad = axis[1];
    const int64_t dilation = axis[2];
    const int64_t size = axis[3];
    const int64_t at = o * stride - pad + k * dilation;
    return at < 0 || at >= size ? -1 : at;
}

// Offset of a pixel in channel c of image n, of `cs` channels of h by w.
static int64_t offset(int64_t n, int64_t c, int64_t cs, const int64_t size[2])
{
    return (n * cs + c) * size[0] * size[1];
}

// One channel of src against one (kh, kw) kernel, at result (oy, ox).
static double correlate(const float *src, const float *weights, int64_t oy,
                        int64_t ox, const wsr__conv *p)
{
    const int64_t rows[4] = {p->sh, p->ph, p->dh, p->h};
    const int64_t columns[4] = {p->sw, p->pw, p->dw, p->w};
    double sum = 0.0;
    for (int64_t ky = 0; ky < p->kh; ky++) {
        const int64_t y = source(oy, ky, rows);
        for (int64_t kx = 0; y >= 0 && kx < p->kw; kx++) {
            const int64_t x = source(ox, kx, columns);
            if (x >= 0) {
                sum += (double)src[y * p->w + x] *
                       (double)weights[ky * p->kw + kx];
            }
        }
    }
    return sum;
}

// Flat index i of dst is (n, co, oy, ox); a group reads ci of the p->ci
// channels.
void wsr__ref_conv_forward(float *dst, const float *src, const float *weights,
                           const float *bias, const wsr__conv *p)
{
    const int64_t in[2] = {p->h, p->w};
    const int64_t ci = p->ci / p->groups;
    const int64_t co = p->co / p->groups;
    const int64_t pixels = p->oh * p->ow;
    for (int64_t i = 0; i < p->n * p->co * pixels; i++) {
        const int64_t n = i / pixels / p->co;
        const int64_t o = i / pixels % p->co;
        double sum = bias != NULL ? (double)bias[o] : 0.0;
        for (int64_t c = 0; c < ci; c++) {
            sum += correlate(src + offset(n, o / co * ci + c, p->ci, in),
                             weights + (o * ci + c) * p->kh * p->kw,
                             i % pixels / p->ow, i % p->ow, p);
        }
        dst[i] = (float)sum;
    }
}

// Result position that reads source position `at` through tap k, or -1.
static int64_t reader(int64_t at, int64_t k, const int64_t axis[4])
{
    const int64_t stride = axis[0];
    const int64_t pad = axis[1];
    const int64_t dilation = axis[2];
    const int64_t size = axis[3]; // of the result
    const int64_t o = at + pad - k * dilation;
    return o < 0 || o % stride != 0 || o / stride >= size ? -1 : o / stride;
}

// One channel of diff_dst against one (kh, kw) kernel, at source (y, x).
static double transpose(const float *diff_dst, const float *weights, int64_t y,
                        int64_t x, const wsr__conv *p)
{
    const int64_t rows[4] = {p->sh, p->ph, p->dh, p->oh};
    const int64_t columns[4] = {p->sw, p->pw, p->dw, p->ow};
    double sum = 0.0;
    for (int64_t ky = 0; ky < p->kh; ky++) {
        const int64_t oy = reader(y, ky, rows);
        for (int64_t kx = 0; oy >= 0 && kx < p->kw; kx++) {
            const int64_t ox = reader(x, kx, columns);
            if (ox >= 0) {
                sum += (double)diff_dst[oy * p->ow + ox] *
                       (double)weights[ky * p->kw + kx];
            }
        }
    }
    return sum;
}

// Each source pixel gathers from the results that read it.
void wsr__ref_conv_backward_data(float *diff_src, const float *diff_dst,
                                 const float *weights, const wsr__conv *p)
{
    const int64_t out[2] = {p->oh, p->ow};
    const int64_t ci = p->ci / p->groups;
    const int64_t co = p->co / p->groups;
    const int64_t pixels = p->h * p->w;
    for (int64_t i = 0; i < p->n * p->ci * pixels; i++) {
        const int64_t n = i / pixels / p->ci;
        const int64_t c = i / pixels % p->ci;
        double sum = 0.0;
        for (int64_t o = c / ci * co; o < (c / ci + 1) * co; o++) {
            sum += transpose(diff_dst + offset(n, o, p->co, out),
                             weights + (o * ci + c % ci) * p->kh * p->kw,
                             i % pixels / p->w, i % p->w, p);
        }
        diff_src[i] = (float)sum;
    }
}

// One channel of src against one channel of diff_dst, for tap (ky, kx).
static double tap_gradient(const float *src, const float *diff_dst, int64_t ky,
                           int64_t kx, const wsr__conv *p)
{
    const int64_t rows[4] = {p->sh, p->ph, p->dh, p->h};
    const int64_t columns[4] = {p->sw, p->pw, p->dw, p->w};
    double sum = 0.0;
    for (int64_t oy = 0; oy < p->oh; oy++) {
        const int64_t y = source(oy, ky, rows);
        for (int64_t ox = 0; y >= 0 && ox < p->ow; ox++) {
            const int64_t x = source(ox, kx, columns);
            if (x >= 0) {
                sum += (double)diff_dst[oy * p->ow + ox] *
                       (double)src[y * p->w + x];
            }
        }
    }
    return sum;
}

// diff_weights is (co, ci / groups, kh, kw); diff_bias, where wanted, sums
// diff_dst over images and pixels.
void wsr__ref_conv_backward_weights(float *diff_weights, float *diff_bias,
                                    const float *src, const float *diff_dst,
                                    const wsr__conv *p)
{
    const int64_t in[2] = {p->h, p->w};
    const int64_t out[2] = {p->oh, p->ow};
    const int64_t ci = p->ci / p->groups;
    const int64_t co = p->co / p->groups;
    const int64_t taps = p->kh * p->kw;
    for (int64_t i = 0; i < p->co * ci * taps; i++) {
        const int64_t o = i / taps / ci;
        const int64_t c = o / co * ci + i / taps % ci;
        double sum = 0.0;
        for (int64_t n = 0; n < p->n; n++) {
            sum += tap_gradient(src + offset(n, c, p->ci, in),
                                diff_dst + offset(n, o, p->co, out),
                                i % taps / p->kw, i % p->kw, p);
        }
        diff_weights[i] = (float)sum;
    }
    for (int64_t o = 0; diff_bias != NULL && o < p->co; o++) {
        double sum = 0.0;
        for (int64_t i = 0; i < p->n * p->oh * p->ow; i++) {
            const int64_t n = i / (p->oh * p->ow);
            sum += (double)
                diff_dst[offset(n, o, p->co, out) + i % (p->oh * p->ow)];
        }
        diff_bias[o] = (float)sum;
    }
}

// ------------------------------------------------------------------- pools

// The part of a window that lies inside the image: rows [0], columns [1].
typedef struct inside {
    int64_t begin[2];
    int64_t end[2];
} inside;

// Padding takes no part in a maximum, and none in an average unless count_pad
// says so.
static inside window(int64_t oy, int64_t ox, const wsr__ref_pool *p)
{
    const int64_t o[2] = {oy, ox};
    const int64_t size[2] = {p->h, p->w};
    inside w;
    for (int i = 0; i < 2; i++) {
        const int64_t first = o[i] * p->stride - p->pad;
        w.begin[i] = first < 0 ? 0 : first;
        w.end[i] = first + p->kernel > size[i] ? size[i] : first + p->kernel;
    }
    return w;
}

// Offset of the first maximum in row-major order; the first NaN if there is
// one.
static int64_t argmax(const float *src, const inside *in, int64_t width)
{
    int64_t best = in->begin[0] * width + in->begin[1];
    for (int64_t y = in->begin[0]; y < in->end[0]; y++) {
        for (int64_t x = in->begin[1]; x < in->end[1]; x++) {
            const float v = src[y * width + x];
            if (!isnan(src[best]) && (v > src[best] || isnan(v))) {
                best = y * width + x;
            }
        }
    }
    return best;
}

void wsr__ref_max_pool_forward(float *dst, const float *src,
                               const wsr__ref_pool *p)
{
    const int64_t pixels = p->oh * p->ow;
    for (int64_t i = 0; i < p->n * p->c * pixels; i++) {
        const float *const plane = src + i / pixels * p->h * p->w;
        const inside in = window(i % pixels / p->ow, i % p->ow, p);
        dst[i] = plane[argmax(plane, &in, p->w)];
    }
}

// Finds the maximum again rather than keep an index.
void wsr__ref_max_pool_backward(float *diff_src, const float *src,
                                const float *diff_dst, const wsr__ref_pool *p)
{
    const int64_t pixels = p->oh * p->ow;
    memset(diff_src, 0,
           (size_t)(p->n * p->c * p->h * p->w) * sizeof(*diff_src));
    for (int64_t i = 0; i < p->n * p->c * pixels; i++) {
        const int64_t plane = i / pixels * p->h * p->w;
        const inside in = window(i % pixels / p->ow, i % p->ow, p);
        diff_src[plane + argmax(src + plane, &in, p->w)] += diff_dst[i];
    }
}

// What the sum over a window is divided by.
static double divisor(const inside *in, const wsr__ref_pool *p)
{
    return p->count_pad ? (double)(p->kernel * p->kernel)
                        : (double)((in->end[0] - in->begin[0]) *
                                   (in->end[1] - in->begin[1]));
}

void wsr__ref_avg_pool_forward(float *dst, const float *src,
                               const wsr__ref_pool *p)
{
    const int64_t pixels = p->oh * p->ow;
    for (int64_t i = 0; i < p->n * p->c * pixels; i++) {
        const float *const plane = src + i / pixels * p->h * p->w;
        const inside in = window(i % pixels / p->ow, i % p->ow, p);
        double sum = 0.0;
        for (int64_t y = in.begin[0]; y < in.end[0]; y++) {
            for (int64_t x = in.begin[1]; x < in.end[1]; x++) {
                sum += (double)plane[y * p->w + x];
            }
        }
        dst[i] = (float)(sum / divisor(&in, p));
    }
}

// Every pixel inside the window gets the same share.
void wsr__ref_avg_pool_backward(float *diff_src, const float *diff_dst,
                                const wsr__ref_pool *p)
{
    const int64_t pixels = p->oh * p->ow;
    memset(diff_src, 0,
           (size_t)(p->n * p->c * p->h * p->w) * sizeof(*diff_src));
    for (int64_t i = 0; i < p->n * p->c * pixels; i++) {
        float *const plane = diff_src + i / pixels * p->h * p->w;
        const inside in = window(i % pixels / p->ow, i % p->ow, p);
        const float share = (float)((double)diff_dst[i] / divisor(&in, p));
        for (int64_t y = in.begin[0]; y < in.end[0]; y++) {
            for (int64_t x = in.begin[1]; x < in.end[1]; x++) {
                plane[y * p->w + x] += share;
            }
        }
    }
}

// dims are (n, c, h, w) of src; dst is (n, c).
void wsr__ref_global_avg_forward(float *dst, const float *src,
                                 const int64_t dims[4])
{
    const int64_t pixels = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1]; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < pixels; k++) {
            sum += (double)src[i * pixels + k];
        }
        dst[i] = (float)(sum / (double)pixels);
    }
}

void wsr__ref_global_avg_backward(float *diff_src, const float *diff_dst,
                                  const int64_t dims[4])
{
    const int64_t pixels = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1] * pixels; i++) {
        diff_src[i] = (float)((double)diff_dst[i / pixels] / (double)pixels);
    }
}

// ------------------------------------------------------ batch normalisation

// A norm without weight or bias.
static double or_else(const float *values, int64_t i, double fallback)
{
    return values != NULL ? (double)values[i] : fallback;
}

// Offset of the i-th value of channel c.
static int64_t value(int64_t i, int64_t c, const int64_t dims[4])
{
    const int64_t pixels = dims[2] * dims[3];
    return (i / pixels * dims[1] + c) * pixels + i % pixels;
}

// Mean [0] and biased variance [1] of channel c. In two passes: the square of
// the mean taken from the mean of squares loses the digits that a large mean
// shares.
static void channel_stats(double stats[2], const float *src, int64_t c,
                          const int64_t dims[4])
{
    const int64_t m = dims[0] * dims[2] * dims[3];
    double sum = 0.0;
    for (int64_t i = 0; i < m; i++) {
        sum += (double)src[value(i, c, dims)];
    }
    stats[0] = sum / (double)m;
    double square = 0.0;
    for (int64_t i = 0; i < m; i++) {
        const double away = (double)src[value(i, c, dims)] - stats[0];
        square += away * away;
    }
    stats[1] = square / (double)m;
}

// mean and var are kept for backward and for the running statistics.
void wsr__ref_bn_train_forward(float *dst, float *mean, float *var,
                               const float *src, const wsr__ref_norm *norm,
                               const int64_t dims[4])
{
    for (int64_t c = 0; c < dims[1]; c++) {
        double stats[2];
        channel_stats(stats, src, c, dims);
        mean[c] = (float)stats[0];
        var[c] = (float)stats[1];
        for (int64_t i = 0; i < dims[0] * dims[2] * dims[3]; i++) {
            const int64_t k = value(i, c, dims);
            const double x_hat = ((double)src[k] - stats[0]) /
                                 sqrt(stats[1] + norm->tol);
            dst[k] = (float)(x_hat * or_else(norm->gamma, c, 1.0) +
                             or_else(norm->beta, c, 0.0));
        }
    }
}

// The gradient of batch statistics included: with x_hat the normalised source,
// dsrc = gamma / std * (dy - mean(dy) - x_hat * mean(dy * x_hat)).
void wsr__ref_bn_train_backward(float *diff_src, float *diff_gamma,
                                float *diff_beta, const float *const data[2],
                                const wsr__ref_norm *norm,
                                const int64_t dims[4])
{
    const float *const src = data[0];
    const float *const diff_dst = data[1];
    const int64_t m = dims[0] * dims[2] * dims[3];
    for (int64_t c = 0; c < dims[1]; c++) {
        double stats[2];
        channel_stats(stats, src, c, dims);
        const double inv = 1.0 / sqrt(stats[1] + norm->tol);
        double sum = 0.0;     // of dy
        double product = 0.0; // of dy * x_hat
        for (int64_t i = 0; i < m; i++) {
            const int64_t k = value(i, c, dims);
            sum += (double)diff_dst[k];
            product += (double)diff_dst[k] * ((double)src[k] - stats[0]) * inv;
        }
        for (int64_t i = 0; i < m; i++) {
            const int64_t k = value(i, c, dims);
            const double x_hat = ((double)src[k] - stats[0]) * inv;
            diff_src[k] = (float)(or_else(norm->gamma, c, 1.0) * inv *
                                  ((double)diff_dst[k] - sum / (double)m -
                                   x_hat * product / (double)m));
        }
        if (diff_gamma != NULL) {
            diff_gamma[c] = (float)product;
        }
        if (diff_beta != NULL) {
            diff_beta[c] = (float)sum;
        }
    }
}

// With running statistics the norm is an affine map per channel.
void wsr__ref_bn_eval_forward(float *dst, const float *src,
                              const float *const stats[2],
                              const wsr__ref_norm *norm, const int64_t dims[4])
{
    const int64_t pixels = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1] * pixels; i++) {
        const int64_t c = i / pixels % dims[1];
        const double x_hat = ((double)src[i] - (double)stats[0][c]) /
                             sqrt((double)stats[1][c] + norm->tol);
        dst[i] = (float)(x_hat * or_else(norm->gamma, c, 1.0) +
                         or_else(norm->beta, c, 0.0));
    }
}

// The statistics are constants, so no term of theirs appears.
void wsr__ref_bn_eval_backward(float *diff_src, const float *diff_dst,
                               const float *const stats[2],
                               const wsr__ref_norm *norm, const int64_t dims[4])
{
    const int64_t pixels = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1] * pixels; i++) {
        const int64_t c = i / pixels % dims[1];
        diff_src[i] = (float)((double)diff_dst[i] *
                              or_else(norm->gamma, c, 1.0) /
                              sqrt((double)stats[1][c] + norm->tol));
    }
}
