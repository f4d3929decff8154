// SPDX-License-Identifier: Apache-2.0
//
// Logarithm of the softmax along an axis:
//
//   y_i = x_i - max x - ln sum_j exp(x_j - max x)
//   dx_i = dy_i - exp(y_i) * sum_j dy_j

#include "op/one_axis.h"

#include <math.h>

static void forward(float *y, const float *x, float most, int64_t end,
                    int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < end; i += stride) {
        sum += (double)expf(x[i] - most);
    }
    const double total = (double)most + log(sum);
    for (int64_t i = 0; i < end; i += stride) {
        y[i] = (float)((double)x[i] - total);
    }
}

// exp(y) is the softmax.
static void backward(float *dx, bool add, const float *y, const float *dy,
                     int64_t end, int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < end; i += stride) {
        sum += (double)dy[i];
    }
    for (int64_t i = 0; i < end; i += stride) {
        const float grad = dy[i] - expf(y[i]) * (float)sum;
        dx[i] = (add ? dx[i] : 0.0f) + grad;
    }
}

static const wsr__one_axis function = {forward, backward};

const wsr__op_class wsr__op_log_softmax = {
    .super = {"log_softmax", "logarithm of the softmax along an axis", "",
              wsr__one_axis_schema, sizeof(wsr__one_axis_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__one_axis_infer,
    .impls = wsr__one_axis_impls,
    .one_axis = &function,
};
