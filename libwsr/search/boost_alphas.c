// SPDX-License-Identifier: Apache-2.0
//
// Alphas and betas of a boost network. Tables of a search have rows for two
// cells; here both are one, and the rows of the second repeat the first.
//
// With the option flops the loss L is multiplied by f(F) = 0.2 log(F)^0.6 of
// the expected multiply-adds,
//
//   F = rest + sum_e softmax(beta)_e sum_k softmax(alpha_e)_k madds_ek,
//
// so that alphas descend f dL + L f' dF. Li et al. 2021, arXiv:2108.06885.

#include "search/boost.h"

#include <math.h>
#include <string.h>

static const double FLOPS_FACTOR = 0.2;
static const double FLOPS_POWER = 0.6;
static const float OFF = -1e4F; // a logit whose softmax is 0

static size_t edges_of(const wsr_search *s)
{
    return wsr__space_edges(wsr__supernet_space(s->net));
}

// The samples of a batch have the same numbers.
static void repeat(float *out, const float *values, size_t n, size_t batch)
{
    for (size_t i = 0; out != NULL && i < batch; i++) {
        memcpy(out + i * n, values, n * sizeof(*values));
    }
}

void wsr__boost_enter(wsr_plan *plan, const wsr_search *s, const float *alphas,
                      const float *betas)
{
    const size_t edges = edges_of(s);
    const size_t batch = (size_t)s->params.batch;
    repeat(wsr_plan_src(plan, "alphas"), alphas, edges * s->arch.cols, batch);
    repeat(wsr_plan_src(plan, "betas"), betas, edges, batch);
}

static bool is_none(const wsr_search *s, size_t candidate)
{
    return wsr__streq(wsr_supernet_candidate(s->net, candidate), "none");
}

void wsr__boost_fix(float *alphas, float *betas, const wsr_search *s,
                    const unsigned char *choices)
{
    const size_t cols = s->arch.cols;
    for (size_t e = 0; e < edges_of(s); e++) {
        for (size_t k = 0; k < cols; k++) {
            alphas[e * cols + k] = k == choices[e] ? 0 : OFF;
        }
        betas[e] = is_none(s, choices[e]) ? OFF : 0;
    }
}

// Softmax over the edges of each node; `d` (NULL: no gradient wanted) becomes
// the gradient of <d, softmax>.
static void softmax_betas(float *out, float *d, const wsr_search *s,
                          const float *betas)
{
    size_t first = 0;
    for (size_t node = 0; node < wsr__supernet_space(s->net)->nodes; node++) {
        const wsr__arch row = {.rows = 1, .cols = node + 2, .tau = 1};
        float back[WSR__EDGES] = {0};
        wsr__arch_weights(out + first, &row, betas + first, NULL);
        if (d != NULL) {
            wsr__arch_backward(back, &row, out + first, d + first);
            memcpy(d + first, back, row.cols * sizeof(*back));
        }
        first += row.cols;
    }
}

// Sum over the samples.
static void add_samples(double *out, const float *diff, size_t n, size_t batch)
{
    for (size_t i = 0; diff != NULL && i < batch; i++) {
        for (size_t k = 0; k < n; k++) {
            out[k] += (double)diff[i * n + k];
        }
    }
}

// F, and its gradients by alphas and betas.
static double expected_madds(float *d_alphas, float *d_betas,
                             const wsr_search *s)
{
    const wsr__boost *const b = s->own;
    const size_t cols = s->arch.cols;
    const wsr__arch arch = {.rows = edges_of(s), .cols = cols, .tau = 1};
    float w[WSR__EDGES * WSR__CANDIDATES];
    float d_w[WSR__EDGES * WSR__CANDIDATES];
    float share[WSR__EDGES];
    double sum = b->other_madds;
    wsr__arch_weights(w, &arch, s->alphas, NULL);
    softmax_betas(share, NULL, s, b->betas);
    for (size_t e = 0; e < arch.rows; e++) {
        double of_edge = 0;
        for (size_t k = 0; k < cols; k++) {
            const double madds = b->madds[e * cols + k];
            of_edge += (double)w[e * cols + k] * madds;
            d_w[e * cols + k] = (float)((double)share[e] * madds);
        }
        sum += (double)share[e] * of_edge;
        d_betas[e] = (float)of_edge;
    }
    memset(d_alphas, 0, arch.rows * cols * sizeof(*d_alphas));
    wsr__arch_backward(d_alphas, &arch, w, d_w);
    softmax_betas(share, d_betas, s, b->betas);
    return sum;
}

// d (n) <- f d + L f' dF.
static void add_flops(double *d, const float *d_madds, size_t n, double loss,
                      double madds)
{
    const double ln = log(madds);
    const double f = FLOPS_FACTOR * pow(ln, FLOPS_POWER);
    const double slope = f * FLOPS_POWER / ln / madds;
    for (size_t i = 0; i < n; i++) {
        d[i] = f * d[i] + loss * slope * (double)d_madds[i];
    }
}

// `copies` rows of gradients that are the same.
static void put(wsr__param *param, const double *d, size_t n, size_t copies)
{
    for (size_t i = 0; i < copies * n; i++) {
        param->grad[i] = (float)d[i % n];
    }
    param->has_grad = true;
}

wsr_status wsr__boost_gradients(const wsr_search *s, wsr_plan *plan,
                                const double *loss)
{
    const wsr__boost *const b = s->own;
    const size_t edges = edges_of(s);
    const size_t n = edges * s->arch.cols;
    const size_t batch = (size_t)s->params.batch;
    double d_alphas[WSR__EDGES * WSR__CANDIDATES] = {0};
    double d_betas[WSR__EDGES] = {0};
    float madds_alphas[WSR__EDGES * WSR__CANDIDATES];
    float madds_betas[WSR__EDGES];
    add_samples(d_alphas, wsr_plan_diff_src(plan, "alphas"), n, batch);
    add_samples(d_betas, wsr_plan_diff_src(plan, "betas"), edges, batch);
    if (b->params.flops && loss != NULL) {
        const double madds = expected_madds(madds_alphas, madds_betas, s);
        add_flops(d_alphas, madds_alphas, n, *loss, madds);
        add_flops(d_betas, madds_betas, edges, *loss, madds);
    }
    put(wsr__params_at(s->arch_params, 0), d_alphas, n, 2);
    put(wsr__params_at(s->arch_params, 1), d_betas, edges, 1);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(d_alphas[i])) {
            return WSR_FAIL(WSR_NUMERIC,
                            "gradient of alphas: %g of edge %zu is not finite",
                            d_alphas[i], i / s->arch.cols);
        }
    }
    return WSR_OK;
}

const float *wsr__boost_table(const wsr_search *s)
{
    const wsr__boost *const b = s->own;
    const size_t cols = s->arch.cols;
    const wsr__arch arch = {.rows = edges_of(s), .cols = cols, .tau = 1};
    float share[WSR__EDGES] = {0};
    wsr__arch_weights(b->table, &arch, s->alphas, NULL);
    softmax_betas(share, NULL, s, b->betas);
    for (size_t i = 0; i < arch.rows * cols; i++) {
        b->table[i] *= share[i / cols];
    }
    memcpy(b->table + arch.rows * cols, b->table,
           arch.rows * cols * sizeof(*b->table));
    return b->table;
}
