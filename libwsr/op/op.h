// SPDX-License-Identifier: Apache-2.0
//
// The op contract. An op is one file: its options, the shape rule and one or
// more implementations, best first, the plain-C reference last. Forward and
// backward stand side by side; nothing outside the file knows the op by name.
//
//   infer     shapes only, pure; at graph building and again for each batch
//   plan      primitives, workspace, scratch; may fail and allocate
//   forward   neither fails for want of memory nor allocates
//   backward  fills or adds to the diffs that are wanted

#ifndef WSR_OP_OP_H
#define WSR_OP_OP_H

#include "base/registry.h"
#include "kernel/kernel.h"
#include "tensor/tensor.h"

/// One tensor of a node inside a plan.
///
/// A plan may defer the batch norm or relu that makes a blocked image: nothing
/// stores its result. Each op that reads the result gets as `data` the input of
/// the norm or relu, and its kernel applies `pre` as it reads. Likewise the op
/// before a deferred norm gets as `diff` the gradient of the norm's result, and
/// its kernel reads it through `affine`. Only implementations that say so (see
/// wsr__impl) get such tensors.
typedef struct wsr__arg {
    wsr__desc desc;
    float *data;
    float *diff;          // gradient of data; valid when want_diff
    bool want_diff;       // known at plan time
    bool accumulate;      // backward adds to diff instead of overwriting it
    wsr__param *param;    // the parameter behind it, NULL for activations
    int64_t batch_stride; // floats from image to image of data, 0: dense
    int64_t diff_batch_stride; // the same of diff
    // Of a source: what is still to be applied to data, and the mask of its
    // relu for diff; or NULL.
    const wsr__pre *pre;
    const wsr__relu_mask *relu_mask;
    // Of dst: how its diff is to be read, what forward fills; or NULL.
    const wsr__affine *affine;
    double *moments;
} wsr__arg;

/// What a deferred norm gives to the ops that read its result (pre, relu_mask)
/// and to the op that makes its source (affine, moments). Pointers lead into
/// its workspace.
typedef struct wsr__deferred {
    wsr__pre pre[2];             // without, and with a relu behind the norm
    wsr__relu_mask relu_mask[2]; // likewise
    wsr__affine affine; // the gradient of its source, from that of its result
    double *moments;    // of its source
    double *sums;       // of its backward pass
    bool given_moments; // the op that makes its source fills moments
    bool given_sums;    // an op that reads its result fills sums
    bool through;       // the op that makes its source reads diff by affine
    bool folded;        // the op that makes its source has pre in its weights
} wsr__deferred;

typedef struct wsr__op_class wsr__op_class;
typedef struct wsr__impl wsr__impl;

/// How an op whose statistics are those of a batch sees more images than its
/// plan has: the other parts of the batch have plans of their own, like this
/// one, and reach the same op.
typedef struct wsr__norm_sync wsr__norm_sync;
struct wsr__norm_sync {
    double *room; // 1 + 2 numbers per channel of any op
    /// Replace the first n numbers of room by their sums over all parts. Fails
    /// when another part has failed.
    wsr_status (*sum)(const wsr__norm_sync *sync, size_t n);
    void *ctx;  // of sum
    bool moves; // running statistics move in this plan; others share them
};

/// One op of a plan: what an implementation sees.
typedef struct wsr__node {
    const wsr__op_class *cls;
    const wsr__impl *impl;
    const void *params; // options, of cls->super.params_size bytes
    wsr__arg *src;
    size_t n; // sources
    wsr__arg dst;
    bool train;                 // batch statistics instead of running ones
    bool move_stats;            // running statistics follow the batch
    bool take_stats;            // they become those of the batch
    const wsr__norm_sync *sync; // NULL: the batch is what the plan has
    bool backward;              // some diff is wanted
    void *state;                // the implementation's own
    float *workspace;           // lives from forward to backward
    size_t workspace_floats;
    float *scratch; // lives during one call
    size_t scratch_floats;
    // Lives during one call as well; the same memory for all nodes.
    wsr__thread_scratch thread_scratch;
    size_t thread_scratch_floats; // of one thread
    wsr__deferred *deferred;      // of a deferred norm, owned by the plan
    struct wsr__node *fold; // a norm that belongs into the weights, or NULL
} wsr__node;

/// Forward tensors that backward reads: bit i is src i, WSR__NEED_DST is dst.
#define WSR__NEED_DST (UINT32_C(1) << 31)

/// What an implementation can do so that a plan leaves out passes over memory;
/// {0}: nothing. Tensors are blocked images. graph/fuse.c decides which of it
/// is used, graph/plan.h explains the terms.
typedef struct wsr__fusion {
    uint32_t reads_pre;   // bit i: applies pre of src i, which may be deferred
    bool skips_relu_mask; // reads_pre, but not where pre has a relu and
                          // the diff is wanted
    bool reads_affine;    // reads diff through a norm behind dst
    bool writes_moments;  // fills dst.moments when asked to
    bool writes_sums;     // honours relu_mask.sums
    bool src_views;       // src 0 and its diff may be views
    bool dst_views;       // dst and its diff may be views
    bool parts;           // src 0 may be a concatenation of padded parts
    bool shares_diff;     // the diff of each source is that of dst; honours
                          // relu_mask.sums of the sources
    bool is_relu;         // does what pre.relu does
    bool is_concat;       // dst is its sources' blocks side by side
    bool folds;           // takes node.fold into its weights
    const wsr__impl *deferred; // of a norm: the implementation to defer it
    const wsr__impl *folded;   // of a norm: the one in the weights before it
    /// Of a folded norm: bring deferred.pre up to date.
    void (*refold)(wsr__node *node);
    /// The op that this step and a step of `fuses_after` before it make
    /// together: its sources are src and weights of that one, then weights.
    const wsr__op_class *fuses_to;
    const wsr__impl *fuses_after;
    bool (*can_fuse)(const wsr__node *node); // NULL: always
} wsr__fusion;

struct wsr__impl {
    const char *name; // "ref", "dnnl", "native", ...
    /// Whether it can serve this node (descs known, layouts as proposed).
    /// NULL: always.
    bool (*applicable)(const wsr__node *node);
    /// Choose layouts: on entry the sources have the layouts that their
    /// producers have. NULL: everything plain.
    void (*layout)(wsr__node *node);
    /// Tensors that backward reads. NULL: none.
    uint32_t (*needs)(const wsr__node *node);
    wsr_status (*plan)(wsr__node *node); // NULL: nothing to prepare
    wsr_status (*forward)(wsr__node *node);
    wsr_status (*backward)(wsr__node *node); // NULL: no gradient flows
    void (*unplan)(wsr__node *node);         // NULL: nothing to release
    /// Pointers have been set; NULL: nothing follows from them.
    void (*bind)(wsr__node *node);
    bool syncs;       // honours node.sync
    bool accumulates; // backward honours src[i].accumulate by itself
    bool alias;       // dst is src 0 under another shape: no work, no memory
    bool in_place;    // dst may lie in src 0's memory
    wsr__fusion fusion;
};

/// Bit mask "all sources".
#define WSR__ALL_SRCS UINT32_MAX

struct wsr__op_class {
    wsr__class super;
    size_t min_srcs;
    size_t max_srcs;
    // For people, with shapes: "src (n, c, h, w), weights (co, c, 1, 1)", and
    // "(n, co, h, w)" or "as src".
    const char *sources;
    const char *result;
    /// Shape of dst. SHAPE with both shapes in the detail otherwise.
    wsr_status (*infer)(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n);
    const wsr__impl *const *impls;              // ended by NULL
    const struct wsr__elementwise *elementwise; // op/elementwise.h, or NULL
    const struct wsr__binary *binary;           // op/broadcast.h, or NULL
    const struct wsr__reduce *reduce;           // op/reduce.h, or NULL
    const struct wsr__per_sample *per_sample;   // op/per_sample.h, or NULL
    const struct wsr__one_axis *one_axis;       // op/one_axis.h, or NULL
    const struct wsr__norm_class *norm;         // op/norm_groups.h, or NULL
    bool batch_stats;   // in train mode an image's result depends on the others
    bool no_grad;       // a source's gradient never flows through it
    uint32_t fixed;     // the same of single sources: bit i is source i
    uint32_t weights;   // weight sources, for counting multiply-adds: each of
                        // their numbers is used once per pixel of dst
    bool positive_part; // dst is src where that is above 0, else 0
    uint32_t piecewise_linear; // sources in which, taken together and with the
                               // others fixed, dst is piecewise linear in eval
                               // mode
};

#define WSR_REG(family, name) extern const wsr__op_class wsr__op_##name;
#include "op/ops.def"
#undef WSR_REG

extern const wsr__family wsr__ops;

/// Find an op by name.
wsr_status wsr__op_find(const wsr__op_class **out, const char *name);

/// Options of native kernels that follow from the deferred norms around a node.
wsr__fwd wsr__node_fwd(const wsr__node *node);
wsr__bwd wsr__node_bwd(const wsr__node *node);
wsr__wgrad wsr__node_wgrad(const wsr__node *node, float *scratch);

/// Bring the norm that belongs into a node's weights up to date: forward does
/// so before it looks at them.
void wsr__node_refold(const wsr__node *node);
/// What multiplies the weights per channel of dst, NULL for nothing.
const float *wsr__node_factor(const wsr__node *node);

/// Zero a diff that the caller is about to add to, unless it accumulates.
void wsr__start_diff(const wsr__arg *arg);

// ------------------------------------------------- helpers for op files

/// SHAPE failure that says what is wrong with a shape; whoever called infer
/// puts the op's name in front.
wsr_status wsr__op_shape_fail(const char *what, const wsr_shape *shape);

/// Fail unless a shape has `ndims` dimensions.
wsr_status wsr__op_ndims(const wsr_shape *shape, int ndims);

/// Shape rule "same as source 0, all sources alike".
wsr_status wsr__infer_same(wsr_shape *dst, const void *params,
                           const wsr_shape *srcs, size_t n);

/// Shape rule "as source 0, and source 1 is one number per sample"; `what`
/// says what these are.
wsr_status wsr__infer_per_sample(wsr_shape *dst, const wsr_shape *srcs,
                                 const char *what);

/// Layout rule "everything as source 0 is".
void wsr__layout_same(wsr__node *node);

/// Layout rule "a blocked image in, source 0, and a blocked image out".
void wsr__layout_blocked(wsr__node *node);

/// Floats of a node's dst / source i in memory.
int64_t wsr__dst_floats(const wsr__node *node);
int64_t wsr__src_floats(const wsr__node *node, size_t i);

/// Floats of one element of axis 0 in memory.
int64_t wsr__row_floats(const wsr__desc *desc);

/// Loop over [0, n), an item touching `floats` floats: in parallel unless the
/// whole is too little to be worth waking threads.
void wsr__share(int64_t n, int64_t floats, wsr__body body, void *ctx);

/// The same over the elements of a node's dst, padding channels included; one
/// costs about as much as touching `cost` floats.
wsr_status wsr__share_elements(wsr__node *node, int64_t cost, wsr__body body);

/// The same over the samples of a node, whose cost is that of source 0.
wsr_status wsr__share_samples(wsr__node *node, wsr__body body);

/// y = a x, or y += a x with add; n floats each.
void wsr__scale_into(float *y, bool add, float a, const float *x, int64_t n);

/// Sum of the products of n floats, in double.
double wsr__dot(const float *a, const float *b, int64_t n);

#endif
