// SPDX-License-Identifier: Apache-2.0
//
// Importance weights of candidates ("OIW" of PVLL-NAS). A step of the alphas
// with gradient g gives
//
//   D = g^2 / (|g^2|_2 + 1e-6)   per edge
//
// and the Gumbel noise of the next epoch is multiplied by 1 - W, W being the
// mean of D over all steps, its sum, or the last one: candidates that the
// objective depends on are explored less.

#include "search/search.h"

#include <math.h>

wsr_status wsr__importance_new(wsr__importance **out, const wsr__text *mode,
                               size_t floats)
{
    wsr__importance *made = NULL;
    *out = NULL;
    if (wsr__streq(mode->s, "off")) {
        return WSR_OK;
    }
    made = wsr__alloc(1, sizeof(*made));
    if (made == NULL) {
        return WSR_NOMEM;
    }
    made->mode = *mode;
    made->sum = wsr__alloc(floats, sizeof(float));
    made->last = wsr__alloc(floats, sizeof(float));
    made->scale = wsr__alloc(floats, sizeof(float));
    if (made->sum == NULL || made->last == NULL || made->scale == NULL) {
        wsr__importance_free(made);
        return WSR_NOMEM;
    }
    wsr__importance_apply(made, floats);
    *out = made;
    return WSR_OK;
}

void wsr__importance_free(wsr__importance *im)
{
    if (im != NULL) {
        wsr__free(im->sum);
        wsr__free(im->last);
        wsr__free(im->scale);
        wsr__free(im);
    }
}

// Squares of gradients may be tiny, so the norm is summed in double.
void wsr__importance_add(wsr__importance *im, const float *diff,
                         const wsr__arch *arch)
{
    for (size_t row = 0; row < arch->rows; row++) {
        const size_t begin = row * arch->cols;
        const size_t end = begin + arch->cols;
        double norm = 0;
        for (size_t i = begin; i < end; i++) {
            norm += pow((double)diff[i], 4);
        }
        norm = sqrt(norm) + 1e-6;
        for (size_t i = begin; i < end; i++) {
            im->last[i] = (float)(pow((double)diff[i], 2) / norm);
            im->sum[i] += im->last[i];
        }
    }
    im->count++;
}

void wsr__importance_apply(wsr__importance *im, size_t floats)
{
    const bool last = wsr__streq(im->mode.s, "last");
    const bool mean = wsr__streq(im->mode.s, "mean") && im->count > 0;
    const float count = mean ? (float)im->count : 1;
    for (size_t i = 0; i < floats; i++) {
        im->scale[i] = 1 - (last ? im->last[i] : im->sum[i] / count);
    }
}

wsr__state wsr__importance_state(wsr__importance *im, size_t i, size_t floats)
{
    const wsr__state all[WSR__IMPORTANCE_STATES] = {
        {"importance.sum", WSR__STATE_F32, im->sum, floats},
        {"importance.last", WSR__STATE_F32, im->last, floats},
        {"importance.count", WSR__STATE_I64, &im->count, 1}};
    return all[i];
}
