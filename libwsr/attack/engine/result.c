// SPDX-License-Identifier: Apache-2.0
//
// The result of an attack: for each strength a record with one row per image.
// A record holds outcomes, norms of the change, numbers of passes and, with
// the option images=true, the adversarial images (n, pixels).
//
// A result owns all its arrays and refers to neither attack nor model, so that
// it may outlive both. The accessors return borrowed arrays; wsr/attack.h
// documents them.

#include "attack/engine/result.h"
#include "attack/engine/model.h"

// Also frees a result that was made in part: arrays that were not allocated
// are NULL.
void wsr_attack_result_free(wsr_attack_result *result)
{
    if (result == NULL) {
        return;
    }
    for (size_t e = 0; result->records != NULL && e < result->n_eps; e++) {
        wsr__attack_record *const r = &result->records[e];
        wsr__free(r->robust);
        wsr__free(r->success);
        wsr__free(r->images);
        for (size_t k = 0; k < 3; k++) {
            wsr__free(r->norms[k]);
        }
        wsr__free(r->ends[0]);
        wsr__free(r->ends[1]);
        wsr__free(r->queries);
        wsr__free(r->gradients);
        wsr__free(r->flat);
        wsr__free(r->outside);
        wsr__free(r->member);
        wsr__free(r->step);
    }
    wsr__free(result->records);
    wsr__free(result->clean);
    wsr__free(result->predicted);
    wsr__free(result->margin);
    wsr__free(result->smallest);
    wsr__free(result);
}

// `image` is the number of floats of an adversarial image, 0 to keep none. All
// arrays start at zero: no success, no pass spent.
static wsr_status make_record(wsr__attack_record *r, size_t n, size_t image)
{
    r->robust = wsr__alloc(n, sizeof(*r->robust));
    r->success = wsr__alloc(n, sizeof(*r->success));
    r->queries = wsr__alloc(n, sizeof(*r->queries));
    r->gradients = wsr__alloc(n, sizeof(*r->gradients));
    r->flat = wsr__alloc(n, sizeof(*r->flat));
    r->outside = wsr__alloc(n, sizeof(*r->outside));
    r->member = wsr__alloc(n, sizeof(*r->member));
    r->step = wsr__alloc(n, sizeof(*r->step));
    bool made = r->robust != NULL && r->success != NULL && r->queries != NULL &&
                r->gradients != NULL && r->flat != NULL && r->outside != NULL &&
                r->member != NULL && r->step != NULL;
    for (size_t k = 0; k < 3; k++) {
        r->norms[k] = wsr__alloc(n, sizeof(float));
        made = made && r->norms[k] != NULL;
    }
    for (size_t k = 0; k < 2; k++) {
        r->ends[k] = wsr__alloc(n, sizeof(float));
        made = made && r->ends[k] != NULL;
    }
    if (image > 0) {
        r->images = wsr__alloc(n, image * sizeof(float));
        made = made && r->images != NULL;
    }
    return made ? WSR_OK : WSR_NOMEM;
}

static bool make_clean(wsr_attack_result *result, size_t n)
{
    result->clean = wsr__alloc(n, sizeof(*result->clean));
    result->predicted = wsr__alloc(n, sizeof(*result->predicted));
    result->margin = wsr__alloc(n, sizeof(*result->margin));
    result->smallest = wsr__alloc(n, sizeof(*result->smallest));
    return result->clean != NULL && result->predicted != NULL &&
           result->margin != NULL && result->smallest != NULL;
}

// The strengths are copied, in the order of the attack.
wsr_status wsr__attack_result_new(wsr_attack_result **out,
                                  const wsr_attack *attack,
                                  const wsr_model *model, size_t n)
{
    wsr_status status = WSR_NOMEM;
    const bool keep = attack->settings.images;
    wsr_attack_result *result = wsr__alloc(1, sizeof(*result));
    *out = NULL;
    if (result == NULL) {
        goto out;
    }
    result->n = n;
    result->n_eps = attack->n_eps;
    result->records = wsr__alloc(attack->n_eps, sizeof(*result->records));
    if (!make_clean(result, n) || result->records == NULL) {
        goto out;
    }
    for (size_t e = 0; e < attack->n_eps; e++) {
        result->records[e].eps = attack->eps[e];
        WSR_TRY(make_record(&result->records[e], n,
                            keep ? (size_t)model->pixels : 0));
    }
    *out = result;
    result = NULL;
    status = WSR_OK;
out:
    wsr_attack_result_free(result);
    return status;
}

size_t wsr_attack_result_count(const wsr_attack_result *result)
{
    return result->n;
}

size_t wsr_attack_result_strengths(const wsr_attack_result *result)
{
    return result->n_eps;
}

float wsr_attack_result_eps(const wsr_attack_result *result, size_t e)
{
    return result->records[e].eps;
}

const uint8_t *wsr_attack_result_clean(const wsr_attack_result *result)
{
    return result->clean;
}

const uint8_t *wsr_attack_result_robust(const wsr_attack_result *result,
                                        size_t e)
{
    return result->records[e].robust;
}

const uint8_t *wsr_attack_result_success(const wsr_attack_result *result,
                                         size_t e)
{
    return result->records[e].success;
}

const float *wsr_attack_result_images(const wsr_attack_result *result, size_t e)
{
    return result->records[e].images;
}

const float *wsr_attack_result_linf(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__LINF];
}

const float *wsr_attack_result_l2(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__L2];
}

const float *wsr_attack_result_l1(const wsr_attack_result *result, size_t e)
{
    return result->records[e].norms[WSR__L1];
}

const uint32_t *wsr_attack_result_queries(const wsr_attack_result *result,
                                          size_t e)
{
    return result->records[e].queries;
}

const uint32_t *wsr_attack_result_gradients(const wsr_attack_result *result,
                                            size_t e)
{
    return result->records[e].gradients;
}

const uint32_t *wsr_attack_result_flat(const wsr_attack_result *result,
                                       size_t e)
{
    return result->records[e].flat;
}

const float *wsr__attack_result_end(const wsr_attack_result *result, size_t e,
                                    bool high)
{
    return result->records[e].ends[high];
}

// Images outside the ball or the pixel range. This is always 0 unless an
// attack is wrong; evaluations warn of it, so it is not public.
const uint8_t *wsr__attack_result_outside(const wsr_attack_result *result,
                                          size_t e)
{
    return result->records[e].outside;
}

double wsr_attack_result_seconds(const wsr_attack_result *result, size_t e)
{
    return result->records[e].seconds;
}

// For the ledger of an evaluation, as the function above.
wsr__attack_breaks wsr__attack_result_breaks(const wsr_attack_result *result,
                                             size_t e)
{
    const wsr__attack_record *const r = &result->records[e];
    return (wsr__attack_breaks){r->member, r->step, r->member_seconds};
}

wsr__attack_clean wsr__attack_result_logits(const wsr_attack_result *result)
{
    return (wsr__attack_clean){result->predicted, result->margin,
                               result->smallest};
}
