// SPDX-License-Identifier: Apache-2.0
//
// What the tests of kinds without cells share.

#ifndef WSR_TESTS_NET_KINDS_H
#define WSR_TESTS_NET_KINDS_H

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

static inline wsr_net *make_kind(const char *kind, const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new_kind(&net, kind, options, 1));
    return net;
}

/// Options, and the number of trained numbers of a network with these.
typedef struct kind_size {
    const char *options;
    int64_t scalars;
} kind_size;

static inline void check_sizes(const char *kind, const kind_size *rows,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wsr_net *const net = make_kind(kind, rows[i].options);
        ck_assert_int_eq(wsr_params_scalars(wsr_net_params(net)),
                         rows[i].scalars);
        wsr_net_free(net);
    }
}

/// Options that are refused, and words of the error.
typedef struct kind_refusal {
    const char *options;
    const char *words;
} kind_refusal;

static inline void check_refusals(const char *kind, const kind_refusal *rows,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wsr_net *net = NULL;
        ck_assert_fails(wsr_net_new_kind(&net, kind, rows[i].options, 1),
                        WSR_CONFIG, rows[i].words);
        ck_assert_ptr_null(net);
    }
}

/// Standard deviation of a parameter, whose mean is 0.
static inline double deviation_of(const wsr_net *net, const char *name)
{
    const wsr__param *const p = wsr__params_named(wsr_net_params(net), name);
    double squares = 0;
    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < p->count; i++) {
        squares += (double)p->data[i] * (double)p->data[i];
    }
    return sqrt(squares / (double)p->count);
}

#endif
