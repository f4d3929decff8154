// SPDX-License-Identifier: Apache-2.0
//
// What tests of plans share: a graph, its parameters and its plan in one.

#ifndef WSR_TESTS_GRAPH_PLAN_SUPPORT_H
#define WSR_TESTS_GRAPH_PLAN_SUPPORT_H

#include "graph/graph.h"
#include "support/support.h"

/// A graph with its parameters, and a plan of it; all owned.
typedef struct rig {
    wsr_params *params;
    wsr_graph *graph;
    wsr_plan *plan;
} rig;

static inline rig rig_open(void)
{
    rig r = {0};
    ck_assert_ok(wsr_params_new(&r.params, 1));
    ck_assert_ok(wsr_graph_new(&r.graph, r.params));
    return r;
}

static inline void rig_plan(rig *r, size_t batch, unsigned purpose)
{
    ck_assert_ok(wsr__graph_status(r->graph));
    ck_assert_ok(wsr_plan_new(&r->plan, r->graph, batch, purpose));
}

static inline void rig_close(rig *r)
{
    wsr_plan_free(r->plan);
    wsr_graph_free(r->graph);
    wsr_params_free(r->params);
}

/// Values that differ, of both signs.
static inline void fill(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = (float)((i * 37 + 11) % 101) / 50 - 1;
    }
}

/// Give an output the same gradient everywhere.
static inline void set_diff(wsr_plan *plan, const char *output, float value)
{
    float *const diff = wsr_plan_diff_dst(plan, output);
    ck_assert_ptr_nonnull(diff);
    const size_t n = (size_t)wsr_shape_count(wsr_plan_shape(plan, output));
    for (size_t i = 0; i < n; i++) {
        diff[i] = value;
    }
}

static inline const float *grad_of(const rig *r, const char *name)
{
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, r->params, name));
    return wsr_params_grad(r->params, at);
}

#endif
