// SPDX-License-Identifier: Apache-2.0
//
// Native CPU kernels on blocked tensors. Each has one source file, which is
// compiled once per instruction set; the library chooses one of these at run
// time.
//
// Layout: float32 nChw8c, i.e. [n][ceil(c/8)][h][w][8] on every processor.
// The lanes of the last block beyond c ("padding channels") hold zeros, and
// every kernel here keeps them so. Per-channel vectors (scale, shift, mean,
// bias, ...) are padded to a multiple of 8 floats with zeros in the same way.
//
// Views: a tensor may be a run of channel blocks inside a wider one (a part of
// a concatenation). Its pointer then points at its first block, and
// *_batch_stride is the number of floats from one image to the next; 0 means
// densely packed. diff_src lies like src, diff_dst like dst.
//
// All tensors start at 32-byte boundaries. Sizes may be anything from 1.
// dst must not overlap a source unless a function says so.
//
// Results do not depend on the number of threads: kernels reduce per image or
// group of images and combine the parts in that order. Nothing here allocates:
// callers pass scratch memory, and *_scratch functions say how many floats it
// must hold.
//
// This header has the types, the functions that pack weights, and those that
// say how large buffers must be. The kernels themselves are declared and
// described in kernels.def, which the end of this header includes.
//
// Kernels read packed weights, made by the *_pack functions. The packed formats
// are the same for all instruction sets. Gradients of weights have the packed
// format too; *_unpack_add adds them to the plain gradient of the parameter.

#ifndef WSR_KERNEL_NATIVE_H
#define WSR_KERNEL_NATIVE_H

#include "kernel/ref.h"
#include "tensor/tensor.h"

// ---------------------------------------------------------------- dispatch

/// Name of the instruction set in use: "base", "avx2" or "avx512".
const char *wsr__native_name(void);

/// Use one instruction set from now on, for tests and measurements; NULL goes
/// back to the best one. UNSUPPORTED when the processor lacks it.
wsr_status wsr__native_force(const char *name);

// ------------------------------------------- fused prologues and epilogues

/// A prologue, applied to src as it is read: y = scale[c] * x + shift[c], and
/// max(0, y) with relu. scale NULL means y = x (shift is then ignored). Zero
/// padding of images applies after it.
typedef struct wsr__pre {
    const float *scale; // padded to whole blocks
    const float *shift; // padded to whole blocks
    bool relu;
} wsr__pre;

/// The mask of a prologue's relu, which a backward kernel applies to a gradient
/// before it stores it: diff_src = grad where pre(src) > 0, and grad everywhere
/// if pre has no relu. The kernel does not multiply by pre's scale: that is the
/// backward pass of the batch norm that the prologue comes from. The reductions
/// that this pass needs go to `sums`.
typedef struct wsr__relu_mask {
    const float *src; // lies like diff_src
    wsr__pre pre;
    const float *mean; // of src per channel, for sums; padded
    double *sums;      // NULL, or as wsr__bn_reduce(src, diff_src) fills it;
                       // not together with accumulate
} wsr__relu_mask;

/// The backward pass of a batch norm behind a convolution or pool, applied to
/// diff_dst as it is read: alpha[c] * diff_dst + beta[c] * dst + gamma[c]. Here
/// diff_dst is the gradient of the norm's result, and dst the norm's src, which
/// the forward kernel stored. wsr__bn_backward_fold makes the vectors.
typedef struct wsr__affine {
    const float *alpha; // padded, like beta and gamma
    const float *beta;
    const float *gamma;
    const float *dst;
    int64_t batch_stride; // of dst
} wsr__affine;

/// Options of a forward kernel; NULL or {0} for none.
typedef struct wsr__fwd {
    const wsr__pre *pre; // NULL: src as it is
    const float *bias;   // NULL, or added per channel of dst; padded
    double *moments;     // NULL, or the moments of dst, see wsr__bn_moments;
                         // not together with accumulate
    bool accumulate;     // add to dst
} wsr__fwd;

/// Options of a backward-data kernel; NULL or {0} for none.
typedef struct wsr__bwd {
    const wsr__affine *affine;       // NULL: diff_dst as it is
    const wsr__relu_mask *relu_mask; // NULL: the gradient as it is
    bool accumulate;                 // add to diff_src
} wsr__bwd;

/// Scratch memory of the threads: thread i has `stride` floats from
/// data + i * stride on, which start at a multiple of 64 bytes. Calls one after
/// the other use the same memory, which is then still in the caches of their
/// threads.
typedef struct wsr__thread_scratch {
    float *data;
    int64_t stride;
    int64_t count; // the most threads, at least 1
} wsr__thread_scratch;

/// Options of a backward-weights kernel.
typedef struct wsr__wgrad {
    const wsr__pre *pre;       // as the forward kernel read src
    const wsr__affine *affine; // NULL: diff_dst as it is
    float *scratch;
} wsr__wgrad;

// --------------------------------------------------- depthwise convolutions

/// dst[y][x] = sum over ky, kx of weights[ky][kx] *
/// src[y * stride + ky * dilation - pad][x * stride + kx * dilation - pad].
typedef struct wsr__dw {
    int64_t n;
    int64_t c;
    int64_t h;
    int64_t w;
    int64_t oh;
    int64_t ow;
    int64_t kernel;
    int64_t stride;
    int64_t pad;
    int64_t dilation;
    int64_t src_batch_stride;
    int64_t dst_batch_stride;
} wsr__dw;

/// A convolution whose groups are its channels, as one of these; dense.
wsr__dw wsr__dw_of(const wsr__conv *c);

/// Size of a convolution's or pool's output along one side.
int64_t wsr__out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                      int64_t dilation);

/// Packed: [block][ky * kernel + kx][8].
size_t wsr__dw_weights_size(const wsr__dw *p);
/// plain is (c, 1, kernel, kernel); factor, NULL or one number per channel,
/// multiplies it (a norm folded into the weights).
void wsr__dw_pack(float *packed, const wsr__dw *p, const float *plain,
                  const float *factor);
void wsr__dw_unpack_add(float *plain, const wsr__dw *p, const float *packed);

size_t wsr__dw_backward_weights_scratch(const wsr__dw *p);

// --------------------------------------------------- pointwise convolutions

enum { WSR__PW_CHANNELS = 1 << 14 }; // at most, padding counted

/// 1x1 convolution, see wsr__pw_supported: dst[i][j] = W src[stride * i +
/// oy][stride * j + ox], zero where that lies outside of src (oy = ox = 1 with
/// stride 2 is the second half of a factorised reduction).
typedef struct wsr__pw {
    int64_t n;
    int64_t ci;
    int64_t co;
    int64_t h;
    int64_t w;
    int64_t oh;
    int64_t ow;
    int64_t stride; // 1 or more
    int64_t oy;
    int64_t ox;
    int64_t ci_part; // src is a concatenation of parts of this many channels,
                     // each padded to whole blocks; 0: ci, one part
    int64_t src_batch_stride;
    int64_t dst_batch_stride;
} wsr__pw;

/// A convolution of one tap as one of these; negative padding leaves out rows
/// and columns. Dense, src in one part.
wsr__pw wsr__pw_of(const wsr__conv *c);

/// Whether src and dst have few enough channels for the kernels' buffers.
bool wsr__pw_supported(const wsr__pw *p);

/// Channel blocks that src has, the padding of its parts counted.
int64_t wsr__pw_src_blocks(const wsr__pw *p);

/// Floats of packed weights: [pair of co blocks][src channel][16], outputs
/// padded to whole pairs.
size_t wsr__pw_weights_size(const wsr__pw *p);
/// The same for the transposed weights that backward data reads.
size_t wsr__pw_transposed_size(const wsr__pw *p);
/// plain is (co, ci); factor as above, per channel of co.
void wsr__pw_pack(float *packed, const wsr__pw *p, const float *plain,
                  const float *factor);
void wsr__pw_pack_transposed(float *packed, const wsr__pw *p,
                             const float *plain, const float *factor);
void wsr__pw_unpack_add(float *plain, const wsr__pw *p, const float *packed);

/// Groups of images that gradients of weights are summed in, whatever the
/// number of threads.
static inline int64_t wsr__image_groups(int64_t n)
{
    return n < 16 ? n : 16;
}

/// What is wanted of a backward pass; NULL for what is not.
typedef struct wsr__pw_grads {
    float *src;          // pixels that no dst reads get 0, or stay with
                         // accumulate
    float *weights;      // packed as wsr__pw_pack does, overwritten
    const wsr__pre *pre; // for weights: as the forward kernel read src
    float *scratch;      // for weights
} wsr__pw_grads;

size_t wsr__pw_weights_scratch(const wsr__pw *p);

// ------------------------------------------------------------ few channels

enum { WSR__FEW_CHANNELS = 9 };

/// A convolution of stride and dilation 1 with at most WSR__FEW_CHANNELS
/// channels on one side, like a network's first. That side is plain, (n, few,
/// h, w), dense; the other is blocked, (n, many, oh, ow). Either may be
/// src: with few_dst the side with few channels is dst. The weight [many]
/// [few][ky][kx] multiplies
///   many[m][y][x] and few[f][y + ky - pad][x + kx - pad].
/// With few_dst the taps are therefore those of the convolution flipped, and
/// pad is kernel - 1 minus the convolution's.
typedef struct wsr__few_channels {
    int64_t n;
    int64_t few;  // channels
    int64_t many; // channels
    int64_t h;    // of the side with few channels
    int64_t w;
    int64_t oh; // of the side with many channels
    int64_t ow;
    int64_t kernel;       // 3, 5 or 7
    int64_t pad;          // less than the kernel
    int64_t batch_stride; // of the side with many channels, 0: dense
    bool few_dst;
} wsr__few_channels;

/// The gradients that one backward pass writes, both of them.
typedef struct wsr__few_channels_grads {
    float *src;
    int64_t src_batch_stride; // 0: dense
    float *weights;           // packed, overwritten
    const wsr__pre *pre;      // for weights: as the forward kernel read src
    float *scratch;           // for weights
} wsr__few_channels_grads;

/// Packed: [pair of blocks][few][ky][kx][16].
size_t wsr__few_channels_weights_size(const wsr__few_channels *p);
/// plain is (co, ci, kernel, kernel).
void wsr__few_channels_pack(float *packed, const wsr__few_channels *p,
                            const float *plain);
void wsr__few_channels_unpack_add(float *plain, const wsr__few_channels *p,
                                  const float *packed);
/// Floats of scratch of backward weights.
size_t wsr__few_channels_scratch(const wsr__few_channels *p);

// ------------------------------------------------------ plain convolutions

/// Whether a convolution on plain tensors, (n, c, h, w), has this size: one
/// group, and as many taps and as long a stride as a dense one. Both tensors
/// are dense; padding may be negative. Weights lie as PyTorch has them, (co,
/// ci, kh, kw).
bool wsr__plain_supported(const wsr__conv *p);

/// Floats of one thread's scratch, for all passes.
size_t wsr__plain_thread_scratch(const wsr__conv *p);
/// Floats of the gradients of weights and bias: (co, ci, kh, kw), then (co),
/// padded to a multiple of 8.
size_t wsr__plain_gradients(const wsr__conv *p);
/// Floats of scratch for these gradients.
size_t wsr__plain_weights_scratch(const wsr__conv *p);

// ------------------------------------------------------ dense convolutions

enum {
    WSR__DENSE_TAPS = 256, // at most
    WSR__DENSE_STRIDE = 8  // the same
};

/// Any convolution of one group, src and dst blocked; padding may be negative,
/// which leaves out rows and columns.
typedef struct wsr__dense {
    wsr__conv conv;
    int64_t src_batch_stride;
    int64_t dst_batch_stride;
} wsr__dense;

/// Others have more taps or a longer stride.
bool wsr__dense_supported(const wsr__conv *p);

/// Packed: [pair of co blocks][ci block][ky][kx][8][16].
size_t wsr__dense_weights_size(const wsr__dense *p);
/// The weights that backward data reads: [pair of ci blocks][co block][ky][kx]
/// [8][16].
size_t wsr__dense_transposed_size(const wsr__dense *p);
/// plain is (co, ci, kh, kw); factor, NULL or one number per channel of co,
/// multiplies it.
void wsr__dense_pack(float *packed, const wsr__dense *p, const float *plain,
                     const float *factor);
void wsr__dense_pack_transposed(float *packed, const wsr__dense *p,
                                const float *plain, const float *factor);
void wsr__dense_unpack_add(float *plain, const wsr__dense *p,
                           const float *packed);

/// Floats of one thread's scratch, for all passes.
size_t wsr__dense_thread_scratch(const wsr__dense *p);
/// Floats of scratch for the gradient of weights.
size_t wsr__dense_weights_scratch(const wsr__dense *p);

// ------------------------------------------------- Winograd's convolutions

/// Whether a dense convolution is one of 3x3 or 5x5 without stride and dilation
/// and large enough for Winograd's way to be faster. Its rounding errors are
/// then a third above those of the sum over taps (docs/performance.md).
bool wsr__winograd_supported(const wsr__conv *p);
/// Whether it also has enough tiles and channels for the gradient of weights:
/// that passes over 36 numbers per pair of channels, however few tiles there
/// are.
bool wsr__winograd_supports_weights(const wsr__conv *p);

/// Packed, transformed: [pair of co blocks][36][ci][16], channels padded.
size_t wsr__winograd_weights_size(const wsr__dense *p);
size_t wsr__winograd_transposed_size(const wsr__dense *p);
/// As wsr__dense_pack and wsr__dense_pack_transposed.
void wsr__winograd_pack(float *packed, const wsr__dense *p, const float *plain,
                        const float *factor);
void wsr__winograd_pack_transposed(float *packed, const wsr__dense *p,
                                   const float *plain, const float *factor);
/// As wsr__dense_thread_scratch and wsr__dense_weights_scratch.
size_t wsr__winograd_thread_scratch(const wsr__dense *p);
size_t wsr__winograd_weights_scratch(const wsr__dense *p);

/// The kernels of one way to compute a dense convolution; the gradient of
/// weights is packed alike by all.
typedef struct wsr__dense_method {
    size_t (*weights_size)(const wsr__dense *p);
    size_t (*transposed_size)(const wsr__dense *p);
    size_t (*thread_scratch)(const wsr__dense *p);
    void (*pack)(float *packed, const wsr__dense *p, const float *plain,
                 const float *factor);
    void (*pack_transposed)(float *packed, const wsr__dense *p,
                            const float *plain, const float *factor);
    void (*forward)(float *dst, const wsr__dense *p, const float *src,
                    const float *weights, const wsr__thread_scratch *threads,
                    const wsr__fwd *fwd);
    void (*backward_data)(float *diff_src, const wsr__dense *p,
                          const float *diff_dst, const float *transposed,
                          const wsr__thread_scratch *threads,
                          const wsr__bwd *bwd);
    size_t (*weights_scratch)(const wsr__dense *p);
    void (*backward_weights)(float *diff_weights, const wsr__dense *p,
                             const float *src, const float *diff_dst,
                             const wsr__thread_scratch *threads,
                             const wsr__wgrad *opt);
} wsr__dense_method;

extern const wsr__dense_method wsr__sum_of_taps; // wsr__dense_*
extern const wsr__dense_method wsr__winograd;    // wsr__winograd_*

// -------------------------------------------------- depthwise and pointwise

/// dst = pointwise(depthwise(pre(src))) in one pass over the batch; what lies
/// between the two stays in the cache. Kernel 3, 5 or 7; stride and dilation 1
/// or 2, padded by less than what a filter spans (see wsr__sep_supported).
typedef struct wsr__sep {
    wsr__dw dw; // dst_batch_stride is ignored
    int64_t co; // channels of dst
    int64_t dst_batch_stride;
} wsr__sep;

/// Other sizes take wsr__dw and wsr__pw one after the other.
bool wsr__sep_supported(const wsr__sep *p);

/// The pointwise half, for packing its weights.
wsr__pw wsr__sep_pw(const wsr__sep *p);

/// Packed weights of both convolutions, and memory.
typedef struct wsr__sep_weights {
    const float *dw;         // wsr__dw_pack
    const float *pw;         // wsr__pw_pack; not for backward data
    const float *transposed; // wsr__pw_pack_transposed; not for forward
    wsr__thread_scratch threads;
    float *scratch; // for gradients of weights
} wsr__sep_weights;

/// Floats of one thread's scratch; with `weights` for their gradients as well.
size_t wsr__sep_thread_scratch(const wsr__sep *p, bool weights);

/// What is wanted of a backward pass; NULL for what is not.
typedef struct wsr__sep_grads {
    float *src;
    float *dw;           // packed, overwritten
    float *pw;           // the same
    const wsr__pre *pre; // for dw and pw: as the forward kernel read src
} wsr__sep_grads;

/// Floats of scratch for gradients of weights.
size_t wsr__sep_weights_scratch(const wsr__sep *p);

// ------------------------------------------------------ batch normalisation

/// The shape of blocked tensors; those read and those written may be views with
/// different batch strides.
typedef struct wsr__dims {
    int64_t n;
    int64_t c;
    int64_t h;
    int64_t w;
    int64_t src_batch_stride; // of everything read
    int64_t dst_batch_stride; // of what is written
} wsr__dims;

/// Doubles of a moments or sums array: [n][blocks][2][8], blocks being those
/// of the whole tensor that a view lies in.
size_t wsr__moments_size(const wsr__dims *d);

/// Mean and biased variance over n, h, w, combined in image order (Chan et
/// al. 1983). mean and var are padded. src_batch_stride is that of the moments'
/// tensor.
void wsr__bn_stats(float *mean, float *var, const wsr__dims *d,
                   const double *moments);

/// A norm: y = (x - mean) * inv_std * gamma + beta.
typedef struct wsr__norm {
    const float *mean;    // padded
    const float *inv_std; // padded
    const float *gamma;   // c numbers, or NULL for 1
    const float *beta;    // c numbers, or NULL for 0
} wsr__norm;

/// inv_std = 1 / sqrt(var + tol); padding channels get 0.
void wsr__bn_inv_std(float *inv_std, int64_t c, const float *var, float tol);
/// The norm as y = scale * x + shift, for wsr__pre or folding; padded.
void wsr__bn_fold(float *scale, float *shift, int64_t c, const wsr__norm *norm);

/// One term of a sum of tensors.
typedef struct wsr__summand {
    const float *src;
    int64_t batch_stride;
    const wsr__pre *pre; // NULL: src as it is
} wsr__summand;

/// The two sums that the backward pass of one norm needs, see bn_reduce.
typedef struct wsr__reduction {
    double *sums;      // of wsr__moments_size
    const float *src;  // of the norm
    const float *mean; // of src per channel; padded
} wsr__reduction;

/// Results of wsr__bn_backward_fold. The first three are padded.
typedef struct wsr__bn_grad {
    float *alpha; // diff_src = alpha * diff_dst + beta * src + gamma
    float *beta;
    float *gamma;
    float *diff_gamma; // c numbers, added to; or NULL
    float *diff_beta;  // c numbers, added to; or NULL
} wsr__bn_grad;

/// From the sums of all images, combined in their order, the gradients of gamma
/// and beta, and the gradient of src as a function of diff_dst and src.
void wsr__bn_backward_fold(const wsr__bn_grad *grad, const wsr__dims *d,
                           const double *sums, const wsr__norm *norm);
/// The two sums of a channel over all images.
void wsr__bn_total(double out[2], const wsr__dims *d, const double *sums,
                   int64_t c);
/// The gradient of src in a channel, from the channel's two sums over m values.
void wsr__bn_backward_map(const wsr__bn_grad *grad, int64_t c,
                          const double total[2], double m,
                          const wsr__norm *norm);

// ------------------------------------------------------------------- pools

/// A max or average pool of square windows.
typedef struct wsr__pool {
    int64_t n;
    int64_t c;
    int64_t h;
    int64_t w;
    int64_t oh;
    int64_t ow;
    int64_t kernel; // at most 15
    int64_t stride;
    int64_t pad;    // at most kernel / 2
    bool count_pad; // average: padding counts as zeros
    int64_t src_batch_stride;
    int64_t dst_batch_stride;
} wsr__pool;

// --------------------------------------------------------------- recurrent

/// One LSTM layer over sequences src (n, l, i) from a zero state, as in
/// PyTorch: gates in the order i, f, g, o; dst (n, h) is the last h.
typedef struct wsr__lstm {
    int64_t n; // sequences
    int64_t l; // length of a sequence
    int64_t i; // numbers per step
    int64_t h; // size of the hidden state
} wsr__lstm;

/// Weights as PyTorch has them.
typedef struct wsr__lstm_weights {
    const float *ih;      // (4 h, i)
    const float *hh;      // (4 h, h)
    const float *bias_ih; // (4 h)
    const float *bias_hh; // (4 h)
} wsr__lstm_weights;

/// Where gradients go; NULL where they are not wanted.
typedef struct wsr__lstm_grads {
    float *src;
    float *ih;    // added to
    float *hh;    // added to
    float *bias;  // (4 h), added to: that of either bias
    bool add_src; // add to src instead of overwriting it
} wsr__lstm_grads;

/// Floats of the records that forward leaves for backward; without `keep`,
/// of what forward alone works in.
size_t wsr__lstm_records(const wsr__lstm *p, bool keep);
/// Floats of scratch of backward.
size_t wsr__lstm_scratch(const wsr__lstm *p);

// ----------------------------------------------------------------- kernels

#define WSR_KERNEL(file, name, parameters, arguments) \
    void wsr__##name parameters;
#include "kernel/kernels.def"
#undef WSR_KERNEL

#endif
