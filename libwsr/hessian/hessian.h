// SPDX-License-Identifier: Apache-2.0
//
// The Hessian of a network's loss. hessian.c makes it and takes it through its
// steps, product.c multiplies by the parameters, freeze.c makes the graph for
// that without the kinks of relu, input.c computes by the input,
// results.c says and saves what came out.

#ifndef WSR_HESSIAN_HESSIAN_H
#define WSR_HESSIAN_HESSIAN_H

#include "data/data.h"
#include "graph/graph.h"
#include "io/io.h"
#include "net/net.h"
#include "wsr/hessian.h"

typedef struct wsr__hessian_params {
    wsr__text of; // "none", "params", "input" or "both"
    int64_t count;
    int64_t batch;
    int64_t iterations;
    double tol;
    int64_t probes;
    double step;
    int64_t seed; // outside of the configuration's section
} wsr__hessian_params;

/// Section "hessian" of an evaluation run, where `of` is none by default.
extern const wsr__option wsr__hessian_schema[];

/// A tensor of parameters that the logits depend on.
typedef struct wsr__hessian_tensor {
    size_t at;    // in the set
    size_t count; // numbers
} wsr__hessian_tensor;

struct wsr_hessian {
    wsr__hessian_params params;
    wsr_params *set;
    size_t classes;
    const wsr_dataset *dataset;
    size_t count; // images
    size_t batch;
    size_t *index;     // (batch)
    size_t iterations; // of power iteration, at most
    size_t probes;
    size_t position;
    wsr_status (*watch)(void *ctx); // asked before each pass; NULL: nobody
    void *watched;                  // for watch

    // By the parameters.
    wsr_plan *plan;  // NULL: not asked for
    wsr_plan *signs; // computes the sources of the relus, NULL without any
    size_t kinks;    // number of relus
    wsr__hessian_tensor *tensors;
    size_t n_tensors;
    size_t size;
    float *origin;       // (size) the parameters
    double *vector;      // (size) of power iteration
    double *product;     // (size)
    double *gradient[2]; // (size)
    double top;
    size_t done; // products of power iteration
    double trace_sum;
    double trace_squares;
    size_t traced; // probes
    double error_sum;

    // By the input.
    wsr_plan *input;   // NULL: not asked for
    size_t pictures;   // images of its batch
    float *jacobian;   // (classes, pictures, d)
    double *gram;      // (classes, classes)
    double *chance;    // (classes) softmax of the logits
    double *direction; // (2, classes)
    double *tops;      // (count), of images that are done
    double *traces;    // (count)
    size_t seen;       // images that are done
};

/// wsr_hessian_from_graph() and wsr_hessian_new() with decoded options.
wsr_status wsr__hessian_make(wsr_hessian **out, const wsr_graph *graph,
                             const wsr_dataset *dataset,
                             const wsr__hessian_params *params);
wsr_status wsr__hessian_of_net(wsr_hessian **out, const wsr_net *net,
                               const wsr_dataset *dataset,
                               const wsr__hessian_params *params);

/// Make what products by the parameters need. The gradients of the parameters
/// are lost.
wsr_status wsr__hessian_open_params(wsr_hessian *hessian,
                                    const wsr_graph *graph);

/// The network with every relu replaced by a product with an input "kink.K" (K
/// from 0) that says where its source is positive. `signs` has the outputs of
/// that name, the sources. [out, owned]
wsr_status wsr__hessian_freeze(wsr_graph **frozen, wsr_graph **signs,
                               size_t *kinks, const wsr_graph *graph);

enum { WSR__KINK_NAME = 32 };
void wsr__hessian_kink(char out[WSR__KINK_NAME], size_t kink);

/// Make what the input needs. UNSUPPORTED when an op on the way from the input
/// to the logits is not piecewise linear.
wsr_status wsr__hessian_open_input(wsr_hessian *hessian,
                                   const wsr_graph *graph);

/// Largest eigenvalues and traces of the next batch of images.
wsr_status wsr__hessian_input_step(wsr_hessian *hessian);

/// Have `watch` asked before each pass through the network; a step ends with
/// what it returns unless that is OK. NULL: nobody is asked.
void wsr__hessian_set_watch(wsr_hessian *hessian,
                            wsr_status (*watch)(void *ctx), void *ctx);

/// Ask who watches.
wsr_status wsr__hessian_ask(const wsr_hessian *hessian);

/// Put images `first`, ... into a plan for `batch` of them; returns how many
/// are images, the others being zeros.
wsr_status wsr__hessian_load(size_t *n, wsr_hessian *hessian, wsr_plan *plan,
                             size_t first);

/// Bytes of memory beside the plans.
double wsr__hessian_bytes(const wsr_hessian *hessian);

/// Passes of images through the network and back that all steps take.
double wsr__hessian_passes(const wsr_hessian *hessian);

/// What the next step does, for people: "power iteration 3".
void wsr__hessian_note(char out[64], const wsr_hessian *hessian);

/// Add the state to a checkpoint, and read it back. CONFIG for a checkpoint of
/// another analysis.
wsr_status wsr__hessian_save(wsr__st_builder *builder,
                             const wsr_hessian *hessian);
wsr_status wsr__hessian_restore(wsr_hessian *hessian,
                                const wsr__st *checkpoint);

#endif
