// SPDX-License-Identifier: Apache-2.0
//
// The bench's part of a checkpoint: the position, sums over the images seen,
// and the estimators with their optimisers. Networks that are trained lie in
// files of their own. Times are not part of it, so that equal runs have equal
// checkpoints; the log has them.

#include "estimate/estimate.h"

#include <string.h>

enum { POSITION = 5, NET_STATES = 14, VARIANT_STATES = 2, PREFIX = 160 };

// Names are part of the checkpoint format.
static void list_net(wsr__state out[NET_STATES], wsr__estimate *b, size_t i)
{
    enum {
        V = WSR__ESTIMATE_VARIANTS,
        K = WSR__ESTIMATE_NOISES,
        J = WSR__LIST_SIZE
    };
    wsr__estimate_validation *const a = &b->validation[i];
    wsr__estimate_test *const t = &b->test_of[i];
    const wsr__state all[NET_STATES] = {
        {"validation.seen", WSR__STATE_I64, &a->seen, 1},
        {"validation.clean", WSR__STATE_I64, &a->clean, 1},
        {"validation.real", WSR__STATE_I64, a->real, K},
        {"validation.estimated", WSR__STATE_I64, a->estimated[0], V * K},
        {"validation.undefined", WSR__STATE_I64, a->undefined, V},
        {"validation.mse", WSR__STATE_F64, a->mse[0], V * K},
        {"test.seen", WSR__STATE_I64, &t->seen, 1},
        {"test.clean", WSR__STATE_I64, &t->clean, 1},
        {"test.real", WSR__STATE_I64, t->real, J},
        {"test.norm", WSR__STATE_F64, t->norm, J},
        {"test.estimated", WSR__STATE_I64, t->estimated[0], V * J},
        {"test.undefined", WSR__STATE_I64, t->undefined, V},
        {"test.cosine", WSR__STATE_F64, t->cosine[0], V * J},
        {"test.mse", WSR__STATE_F64, t->mse[0], V * J}};
    memcpy(out, all, sizeof(all));
}

static void list_variant(wsr__state out[VARIANT_STATES],
                         wsr__estimate_variant *v)
{
    out[0] = (wsr__state){"steps", WSR__STATE_I64, &v->estimator->steps, 1};
    out[1] = (wsr__state){"loss", WSR__STATE_F64, &v->loss, 1};
}

static const char *prefix_of(char out[PREFIX], const char *what,
                             const char *label)
{
    (void)snprintf(out, PREFIX, "%s.%s.", what, label);
    return out;
}

static wsr_status save_variant(wsr__st_builder *builder,
                               wsr__estimate_variant *v)
{
    wsr_status status = WSR_OK;
    char prefix[PREFIX];
    wsr__state states[VARIANT_STATES];
    list_variant(states, v);
    WSR_TRY(wsr__st_add_params(builder, v->estimator->params,
                               prefix_of(prefix, "estimator", v->label)));
    WSR_TRY(wsr__st_add_optim(builder, v->estimator->optim,
                              prefix_of(prefix, "optim", v->label)));
    for (size_t i = 0; i < VARIANT_STATES; i++) {
        WSR_TRY(wsr__st_add_state(builder, prefix_of(prefix, "fit", v->label),
                                  &states[i]));
    }
out:
    return status;
}

wsr_status wsr__estimate_save(wsr__estimate *b, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    char prefix[PREFIX];
    const uint64_t position[POSITION] = {b->trained, (uint64_t)b->part,
                                         b->epoch, b->net, b->at};
    WSR_TRY(wsr__st_add_u64(builder, "bench.position", position, POSITION));
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(save_variant(builder, &b->variants[v]));
    }
    for (size_t n = 0; n < b->n_nets; n++) {
        wsr__state states[NET_STATES];
        list_net(states, b, n);
        for (size_t i = 0; i < NET_STATES; i++) {
            WSR_TRY(wsr__st_add_state(
                builder, prefix_of(prefix, "net", b->nets[n].label),
                &states[i]));
        }
    }
out:
    return status;
}

// A file may hold any position; each number is an index or a bound.
static wsr_status load_position(wsr__estimate *b, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    uint64_t p[POSITION];
    WSR_TRY(wsr__st_read_u64(p, st, "bench.position", POSITION));
    const bool fit = p[1] == WSR__ESTIMATE_FIT;
    if (p[0] > b->n_nets || p[1] > WSR__ESTIMATE_END ||
        p[2] > (uint64_t)b->config->estimator.epochs || p[3] > b->n_nets ||
        p[4] > (fit ? b->train_batches : b->val_batches)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: stands at network %llu, part %llu, epoch %llu, "
                        "batch %llu, which are not there",
                        wsr__st_path(st), (unsigned long long)p[3],
                        (unsigned long long)p[1], (unsigned long long)p[2],
                        (unsigned long long)p[4]);
    }
    b->trained = (size_t)p[0];
    b->part = (wsr__estimate_part)p[1];
    b->epoch = (size_t)p[2];
    b->net = (size_t)p[3];
    b->at = (size_t)p[4];
out:
    return status;
}

static wsr_status load_variant(wsr__estimate_variant *v, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    char prefix[PREFIX];
    wsr__state states[VARIANT_STATES];
    unsigned char *staged = NULL;
    list_variant(states, v);
    WSR_TRY(wsr__st_read_params(v->estimator->params, st,
                                prefix_of(prefix, "estimator", v->label)));
    WSR_TRY(wsr__st_stage_optim(&staged, v->estimator->optim, st,
                                prefix_of(prefix, "optim", v->label)));
    wsr__optim_take(v->estimator->optim, staged);
    for (size_t i = 0; i < VARIANT_STATES; i++) {
        WSR_TRY(wsr__st_read_state(&states[i], st,
                                   prefix_of(prefix, "fit", v->label)));
    }
out:
    wsr__free(staged);
    return status;
}

// On failure the bench is undefined, and its run frees it.
wsr_status wsr__estimate_load(wsr__estimate *b, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    char prefix[PREFIX];
    WSR_TRY(load_position(b, st));
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(load_variant(&b->variants[v], st));
    }
    for (size_t n = 0; n < b->n_nets; n++) {
        wsr__state states[NET_STATES];
        list_net(states, b, n);
        for (size_t i = 0; i < NET_STATES; i++) {
            WSR_TRY(wsr__st_read_state(
                &states[i], st, prefix_of(prefix, "net", b->nets[n].label)));
        }
    }
out:
    return status;
}
