// SPDX-License-Identifier: Apache-2.0
//
// The numbers of an evaluation as an entry of RobustBench's `model_info`: a
// JSON object with accuracies in per cent, as texts with two decimals. What an
// evaluation does not know (authors, venue, ...) is there, empty, for whoever
// submits the entry.

#include "eval/eval.h"
#include "io/io.h"

#include <math.h>
#include <string.h>

// The strengths of the leaderboards; other strengths are entries of none.
static bool is_usual(wsr__lp norm, float eps)
{
    const double usual = norm == WSR__LINF ? 8.0 / 255 : 0.5;
    return fabs((double)eps - usual) < 1e-6;
}

// With the published budgets: no option but the norm differs from its default.
static bool has_defaults(const wsr_attack *attack)
{
    wsr__str options = {0};
    wsr__params_summary(&options, attack->params, attack->cls->super.schema);
    const bool same = !options.failed &&
                      (options.len == 0 || wsr__streq(options.s, "norm=l2"));
    wsr__str_free(&options);
    return same;
}

// AutoAttack's standard version in a norm that has leaderboards, complete.
static bool is_standard(const wsr_eval *s, size_t a)
{
    const wsr_attack *const attack = s->attacks[a];
    return attack->cls == &wsr__attack_autoattack && s->source == NULL &&
           wsr_eval_count(s, a) == s->n && has_defaults(attack);
}

// The leaderboard's strength if there is one, else the first above 0.
static bool choose(size_t *k, const wsr_eval *s)
{
    bool any = false;
    for (size_t i = s->n_attacks * s->n_eps; i > 0; i--) {
        const size_t a = (i - 1) / s->n_eps;
        const float eps = s->eps[(i - 1) % s->n_eps];
        const bool usual = any && is_usual(s->attacks[*k / s->n_eps]->norm,
                                           s->eps[*k % s->n_eps]);
        if (is_standard(s, a) && eps > 0 &&
            (!usual || is_usual(s->attacks[a]->norm, eps))) {
            *k = i - 1;
            any = true;
        }
    }
    return any;
}

// "8/255" for multiples of 1/255 in L-inf, else a decimal.
static void put_eps(wsr__json *json, wsr__lp norm, float eps)
{
    char text[40];
    const double steps = (double)eps * 255;
    wsr__format_float(text, eps);
    if (norm == WSR__LINF && fabs(steps - round(steps)) < 1e-4) {
        (void)snprintf(text, sizeof(text), "%.0f/255", steps);
    }
    wsr__json_text(json, "eps", text);
}

static void put_percent(wsr__json *json, const char *key, double share)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.2f", 100 * share);
    wsr__json_text(json, key, text);
}

// Fields in the order of RobustBench's own files.
static void put_entry(wsr__json *json, const wsr_eval *s, size_t k,
                      const wsr__robustbench_of *of)
{
    const size_t a = k / s->n_eps;
    const size_t e = k % s->n_eps;
    const wsr__lp norm = s->attacks[a]->norm;
    wsr__json_text(json, "link", "");
    wsr__json_text(json, "name", "");
    wsr__json_text(json, "authors", "");
    wsr__json_bool(json, "additional_data", false);
    wsr__json_integer(json, "number_forward_passes", 1);
    wsr__json_text(json, "dataset", of->dataset);
    wsr__json_text(json, "venue", "");
    wsr__json_text(json, "architecture", of->architecture);
    wsr__json_text(json, "norm", norm == WSR__LINF ? "Linf" : "L2");
    put_eps(json, norm, s->eps[e]);
    put_percent(json, "clean_acc", wsr_eval_get(s, a, e, WSR_EVAL_CLEAN));
    wsr__json_text(json, "reported", "");
    put_percent(json, "autoattack_acc", wsr_eval_get(s, a, e, WSR_EVAL_ROBUST));
    wsr__json_bool(json, "unreliable", false);
    wsr__json_integer(json, "n_examples", (int64_t)s->n);
}

wsr_status wsr__eval_robustbench(char **out, const wsr_eval *eval,
                                 const wsr__robustbench_of *of)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    size_t k = 0;
    *out = NULL;
    if (eval->model == NULL || !choose(&k, eval)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__json_new(&json));
    put_entry(json, eval, k, of);
    WSR_TRY(wsr__json_line(out, json));
out:
    wsr__json_free(json);
    return status;
}
