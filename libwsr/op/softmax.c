// SPDX-License-Identifier: Apache-2.0
//
// Softmax along an axis:
//
//   y_i = exp(x_i - max x) / sum_j exp(x_j - max x)
//   dx_i = y_i * (dy_i - sum_j dy_j y_j)

#include "op/one_axis.h"

#include <math.h>

static void forward(float *y, const float *x, float most, int64_t end,
                    int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < end; i += stride) {
        y[i] = expf(x[i] - most);
        sum += (double)y[i];
    }
    const float factor = (float)(1 / sum);
    for (int64_t i = 0; i < end; i += stride) {
        y[i] *= factor;
    }
}

// The sum is formed in double, since its terms nearly cancel.
static void backward(float *dx, bool add, const float *y, const float *dy,
                     int64_t end, int64_t stride)
{
    double dot = 0;
    for (int64_t i = 0; i < end; i += stride) {
        dot += (double)dy[i] * (double)y[i];
    }
    for (int64_t i = 0; i < end; i += stride) {
        dx[i] = (add ? dx[i] : 0.0f) + y[i] * (dy[i] - (float)dot);
    }
}

static const wsr__one_axis function = {forward, backward};

const wsr__op_class wsr__op_softmax = {
    .super = {"softmax", "softmax along an axis", "", wsr__one_axis_schema,
              sizeof(wsr__one_axis_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__one_axis_infer,
    .impls = wsr__one_axis_impls,
    .one_axis = &function,
};
