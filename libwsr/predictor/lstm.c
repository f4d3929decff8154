// SPDX-License-Identifier: Apache-2.0
//
// The predictor of Wsr-NAS (EWSS): an LSTM reads the table's rows as a
// sequence; from its last state each head is a linear map to one number. The
// authors published two forms of it, with these parameter names.

#include "predictor/predictor.h"

#include <stddef.h>

typedef struct options {
    wsr__predictor_options common;
    int64_t hidden;
    wsr__text form;
} options;

static const char *const forms[] = {"predictor2", "predictor3", NULL};

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {"hidden", WSR__INT, offsetof(options, hidden), "16", 1, 4096, "",
     "size of the LSTM's state", NULL},
    {"form", WSR__WORD, offsetof(options, form), "predictor2", 0, 0, "",
     "predictor2: a linear map per head; predictor3: one for all heads", forms},
    {0},
};

// Head 0 is the loss on clean images, head i the loss at strength i - 1.
static wsr_value head(const wsr__predictor_graph *g, size_t i, wsr_value h,
                      double bound)
{
    char name[48] = "logits_cell";
    if (i > 0) {
        (void)snprintf(name, sizeof(name), "logits_epsilon%zu", i - 1);
    }
    return wsr__predictor_linear(g, name, h, 1, bound);
}

// x is (1, rows, cols): a row for each edge of both cells.
static wsr_value build(wsr__predictor_graph *g)
{
    const options *const o = g->options;
    const double bound = wsr__predictor_bound(o->hidden);
    const wsr_value h = wsr__predictor_lstm_state(g, o->hidden);
    wsr_value out[WSR__HEADS];
    if (wsr__streq(o->form.s, "predictor3")) {
        return wsr__predictor_linear(g, "logits_cell", h, (int64_t)g->heads,
                                     bound);
    }
    for (size_t i = 0; i < g->heads; i++) {
        out[i] = head(g, i, h, bound);
    }
    return wsr__predictor_join(g, out, g->heads);
}

const wsr__predictor_class wsr__predictor_lstm = {
    .super = {"lstm", "LSTM over the rows of the table, a head per strength",
              "doi:10.1609/aaai.v37i1.25118", schema, sizeof(options)},
    .build = build,
};
