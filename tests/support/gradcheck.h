// SPDX-License-Identifier: Apache-2.0
//
// What every op is tested with: gradients against finite differences, all
// ways to ask for them, and the reference kernel against the best one.

#ifndef WSR_TESTS_GRADCHECK_H
#define WSR_TESTS_GRADCHECK_H

#include "graph/graph.h"
#include "support/support.h"

enum { GRAD_SOURCES = 8 };

/// How the values of a source are drawn.
typedef enum grad_draw {
    DRAW_UNIFORM, // in [low, high]; [-1, 1] when both are 0
    DRAW_SPACED,  // distinct odd multiples of 1/16 in random order: no two
                  // are near each other and none is near 0
    DRAW_INDEX    // whole numbers in [low, high]
} grad_draw;

/// One source of the op. Its first axis is the batch, unless it is weights.
typedef struct grad_source {
    wsr_shape shape;
    bool weights; // a parameter
    bool fixed;   // no gradient is ever computed: labels, statistics
    grad_draw draw;
    double low;
    double high;
} grad_source;

/// An op, its options and its sources.
typedef struct grad_case {
    const char *op;
    const char *options; // NULL: defaults
    size_t n;
    grad_source src[GRAD_SOURCES];
    unsigned purpose; // WSR_TRAIN
    bool same;        // every source is source 0, one and the same value
    bool blocked;     // images reach the op in the blocked layout
    bool mixes;       // samples depend on each other: no check by samples
    bool no_grad;     // no gradient passes this op
    double kinks[2];  // of the op's function: sources stay away from these
    size_t kink_count;
    double step;    // of finite differences; 0: 1/32
    double tol;     // against finite differences, relative to the largest
                    // gradient; 0: 1e-3
    double ref_tol; // between kernels, relative to the largest value;
                    // 0: 1e-5
} grad_case;

/// Check one case in every way:
///   - gradients of all sources against central finite differences;
///   - gradients of inputs only, parameters only, each source alone, all
///     sources as parameters: the same numbers, and nothing else touched;
///   - two backward passes double the parameters' gradients, not the inputs';
///   - values that two ops use get the sum of both gradients;
///   - each sample alone, and all samples through a plan's batch: the same;
///   - the reference kernel: the same.
void gradcheck(const grad_case *c);

/// A source with its values, for op_forward.
typedef struct op_value {
    wsr_shape shape;
    const float *data;
} op_value;

/// The result of an op on given values, computed by the best kernel and by
/// the reference; both must be bit-identical or at most `tol` apart. A NaN
/// is the same as a NaN.
void op_forward(float *dst, const char *op, const char *options,
                const op_value *srcs, size_t n);

/// An op on sources of these shapes must fail with `code` and a detail that
/// names the op and contains `words`.
void op_refuses(wsr_status code, const char *words, const char *op,
                const char *options, const wsr_shape *shapes, size_t n);

#endif
