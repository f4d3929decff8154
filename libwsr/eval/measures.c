// SPDX-License-Identifier: Apache-2.0
//
// The measures that an evaluation run was asked for, all at once.

#include "eval/measure.h"

static bool wants_corruptions(const wsr__measures_params *params)
{
    return params->corruption.list.s[0] != '\0';
}

static bool wants_hessian(const wsr__measures_params *params)
{
    return !wsr__streq(params->hessian.of.s, "none");
}

bool wsr__measures_any(const wsr__measures_params *params)
{
    return wants_corruptions(params) || wants_hessian(params);
}

// What the Hessian needs is known when the network is there.
wsr_status wsr__measures_make(wsr__measures *measures,
                              const wsr__measures_params *params)
{
    wsr_corruption_eval *eval = NULL;
    wsr_status status = WSR_OK;
    measures->list[WSR__CORRUPTION].cls = &wsr__measure_corruption;
    measures->list[WSR__HESSIAN].cls = &wsr__measure_hessian;
    if (wants_corruptions(params)) {
        status = wsr__corruption_eval_make(&eval, &params->corruption);
        measures->list[WSR__CORRUPTION].self = eval;
    }
    return status;
}

wsr_status wsr__measures_open(wsr__needs *needs, wsr__measures *measures,
                              const wsr__measures_params *params,
                              const wsr__measured *of)
{
    wsr_status status = WSR_OK;
    wsr_hessian *hessian = NULL;
    if (wants_corruptions(params)) {
        WSR_TRY(wsr_corruption_eval_open(measures->list[WSR__CORRUPTION].self,
                                         of->model, of->dataset));
    }
    if (wants_hessian(params)) {
        WSR_TRY(wsr__hessian_of_net(&hessian, of->net, of->dataset,
                                    &params->hessian));
        measures->list[WSR__HESSIAN].self = hessian;
    }
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        if (m->self != NULL) {
            wsr__needs_memory(needs, m->cls->phase, m->cls->bytes(m->self));
        }
    }
out:
    return status;
}

void wsr__measures_free(wsr__measures *measures)
{
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        if (measures->list[i].self != NULL) {
            measures->list[i].cls->free(measures->list[i].self);
        }
    }
    *measures = (wsr__measures){0};
}

wsr_status wsr__measures_save(wsr__st_builder *builder,
                              const wsr__measures *measures)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        WSR_TRY(m->self == NULL ? WSR_OK : m->cls->save(builder, m->self));
    }
out:
    return status;
}

wsr_status wsr__measures_load(wsr__measures *measures,
                              const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        WSR_TRY(m->self == NULL ? WSR_OK : m->cls->load(m->self, checkpoint));
    }
out:
    return status;
}

wsr_status wsr__measures_json(char **out, const wsr__measures *measures)
{
    wsr_status status = WSR_OK;
    wsr__str all = {0};
    *out = NULL;
    wsr__str_add(&all, ""); // also where there is nothing
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        char *text = NULL;
        if (m->self != NULL) {
            WSR_TRY(m->cls->json(&text, m->self));
            wsr__str_add(&all, text);
            wsr_text_free(text);
        }
    }
    WSR_TRY(wsr__str_give(out, &all));
out:
    wsr__str_free(&all);
    return status;
}

void wsr__measures_passes(double *out, const wsr__measures *measures)
{
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        out[i] = m->self == NULL ? 0 : m->cls->passes(m->self);
    }
}

bool wsr__measures_begun(const wsr__measures *measures)
{
    bool any = false;
    for (size_t i = 0; i < WSR__MEASURES; i++) {
        const wsr__measure *const m = &measures->list[i];
        any = any || (m->self != NULL && m->cls->position(m->self) > 0);
    }
    return any;
}
