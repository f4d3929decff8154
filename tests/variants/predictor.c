// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: an LSTM of one number.

#include "predictor/predictor.h"

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {0},
};

static wsr_value build(wsr__predictor_graph *g)
{
    return wsr__predictor_linear(g, "v", wsr__predictor_lstm_state(g, 1),
                                 (int64_t)g->heads, 1);
}

const wsr__predictor_class wsr__predictor_dummy = {
    .super = {"dummy", "an LSTM of one number", "", schema,
              sizeof(wsr__predictor_options)},
    .build = build,
};
