// SPDX-License-Identifier: Apache-2.0
//
// Warnings about evaluations that may overestimate robustness: signs of masked
// gradients and of attacks that were too weak. Carlini et al., "On evaluating
// adversarial robustness", arXiv:1902.06705, sections 3 and 5; Athalye,
// Carlini and Wagner, "Obfuscated gradients give a false sense of security",
// arXiv:1802.00420, section 3.1; Croce and Hein, arXiv:2003.01690.
//
// Checks know attacks by their capabilities (gradients, single step), not by
// name. A difference counts from two images and from half a per cent on.

#include "data/data.h"
#include "eval/eval.h"
#include "io/io.h"

#include <ctype.h>
#include <math.h>

enum { PROBES = 8 };

// A model that is deterministic gives the same images the same logits, bitwise.
wsr_status wsr__eval_ask_twice(wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr_model *const model = eval->model;
    const size_t most = model->batch < PROBES ? model->batch : PROBES;
    const size_t n = eval->n < most ? eval->n : most;
    const size_t scores = n * model->classes;
    float *const x = wsr__alloc(n, (size_t)model->pixels * sizeof(*x));
    float *const z = wsr__alloc(2 * scores, sizeof(*z));
    if (x == NULL || z == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__eval_probe_images(x, eval, n));
    WSR_TRY(wsr_model_logits(z, model, x, n));
    WSR_TRY(wsr_model_logits(z + scores, model, x, n));
    eval->random = false;
    eval->outputs = wsr__outputs_of(z, n, model->classes);
    for (size_t i = 0; i < scores; i++) {
        eval->random |= z[i] < z[scores + i] || z[i] > z[scores + i];
    }
out:
    wsr__free(x);
    wsr__free(z);
    return status;
}

// A warning under construction.
typedef struct warning {
    const char *name;
    const char *remedy;
    const wsr_attack *attack; // NULL: none in particular
    const char *norm;         // NULL: none in particular
    float eps;                // negative: none in particular
} warning;

// Where warnings go.
typedef struct sink {
    wsr__str text;
    bool plain; // sentences, not JSON
} sink;

// JSON has no infinity, and wsr__json_float() writes null for it, which stands
// for "none in particular".
static wsr_status add_json(sink *out, const warning *w, const char *spec,
                           const char *detail)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    WSR_TRY(wsr__json_event(&json, "warning"));
    wsr__json_text(json, "warning", w->name);
    wsr__json_text(json, "attack", spec);
    wsr__json_text(json, "norm", w->norm);
    wsr__json_float(json, "eps", w->eps < 0 ? INFINITY : w->eps);
    wsr__json_text(json, "detail", detail);
    wsr__json_text(json, "remedy", w->remedy);
    WSR_TRY(wsr__json_add_line(&out->text, json));
out:
    wsr__json_free(json);
    return status;
}

// "rising: pgd:steps=2, linf, 0.06: accuracy is ...: remedy"
static void add_plain(sink *out, const warning *w, const char *spec,
                      const char *detail)
{
    wsr__str *const text = &out->text;
    wsr__str_addf(text, "%s: ", w->name);
    if (spec != NULL) {
        wsr__str_addf(text, "%s, ", spec);
    }
    if (w->norm != NULL) {
        wsr__str_addf(text, "%s", w->norm);
    }
    if (w->eps >= 0) {
        char eps[32];
        wsr__format_float(eps, w->eps);
        wsr__str_addf(text, ", %s", isinf(w->eps) ? "inf" : eps);
    }
    wsr__str_addf(text, "%s%s. %c%s.\n", w->norm != NULL ? ": " : "", detail,
                  toupper((unsigned char)w->remedy[0]), w->remedy + 1);
}

// Appends a warning in the form that the sink takes.
static wsr_status add(sink *out, const warning *w, const char *detail)
{
    wsr_status status = WSR_OK;
    wsr__str spec = {0};
    if (w->attack != NULL) {
        wsr__attack_print(&spec, w->attack);
    }
    WSR_TRY(wsr__str_status(&spec));
    if (out->plain) {
        add_plain(out, w, spec.s, detail);
    } else {
        WSR_TRY(add_json(out, w, spec.s, detail));
    }
out:
    wsr__str_free(&spec);
    return status;
}

// Whether accuracy `more` over n images exceeds `less` by enough to count.
static bool differs(double more, double less, size_t n)
{
    const double images = (more - less) * (double)n;
    return images > 1.5 && more - less > 0.005;
}

static double robust(const wsr_eval *s, size_t a, size_t e)
{
    return wsr_eval_get(s, a, e, WSR_EVAL_ROBUST);
}

// ------------------------------------------------------------------ groups

// Members of a group of attacks.
typedef bool (*group)(const wsr_attack *attack);

static bool white(const wsr_attack *attack)
{
    return wsr_attack_needs_gradients(attack);
}

static bool black(const wsr_attack *attack)
{
    return !wsr_attack_needs_gradients(attack);
}

static bool single(const wsr_attack *attack)
{
    return white(attack) && wsr__attack_is_single_step(attack);
}

static bool many(const wsr_attack *attack)
{
    return white(attack) && !wsr__attack_is_single_step(attack);
}

// The member under which the fewest images are robust, s->n_attacks when there
// is none.
static size_t strongest(const wsr_eval *s, group in, wsr__lp norm, size_t e)
{
    size_t best = s->n_attacks;
    for (size_t a = 0; a < s->n_attacks; a++) {
        if (s->attacks[a]->norm == norm && in(s->attacks[a]) &&
            wsr_eval_count(s, a) > 0 &&
            (best == s->n_attacks || robust(s, a, e) < robust(s, best, e))) {
            best = a;
        }
    }
    return best;
}

// -------------------------------------------------------- single attacks

// Compares all pairs of strengths, since they may be in any order.
static wsr_status check_rising(sink *out, const wsr_eval *s, size_t a)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr_eval_count(s, a);
    const warning w = {
        "rising",
        "the larger ball holds the smaller one: the attack is too weak at the "
        "larger strength, give it more steps and restarts",
        s->attacks[a], wsr_attack_norm(s->attacks[a]), -1};
    for (size_t k = 0; k < s->n_eps * s->n_eps; k++) {
        const size_t low = k / s->n_eps;
        const size_t high = k % s->n_eps;
        char detail[160];
        if (s->eps[low] < s->eps[high] &&
            differs(robust(s, a, high), robust(s, a, low), n)) {
            warning here = w;
            here.eps = s->eps[high];
            (void)snprintf(detail, sizeof(detail),
                           "accuracy is %.4g at %.4g and %.4g at %.4g",
                           robust(s, a, low), (double)s->eps[low],
                           robust(s, a, high), (double)s->eps[high]);
            WSR_TRY(add(out, &here, detail));
        }
    }
out:
    return status;
}

// The radius of a ball around any image that holds all images.
static double whole_range(wsr__lp norm, wsr__box box, int64_t pixels)
{
    const double side = (double)box.hi - (double)box.lo;
    const double d = (double)pixels;
    return norm == WSR__LINF ? side
           : norm == WSR__L2 ? side * sqrt(d)
                             : side * d;
}

static bool beyond_range(const wsr__range *range, float eps)
{
    return isfinite(eps) &&
           (double)eps > whole_range(range->norm, range->box, range->pixels);
}

// "in l2 no change of pixels from 0 to 1 is larger than 27.7"
static void describe_range(char out[160], const wsr__range *range)
{
    (void)snprintf(out, 160,
                   "in %s no change of pixels from %.6g to %.6g is larger than "
                   "%.6g",
                   wsr__lp_names[range->norm], (double)range->box.lo,
                   (double)range->box.hi,
                   whole_range(range->norm, range->box, range->pixels));
}

// Before the evaluation: a strength of 8 instead of 8/255 would cost hours.
void wsr__strength_check(const wsr__range *range, float eps)
{
    char text[160];
    if (beyond_range(range, eps)) {
        describe_range(text, range);
        wsr__log(WSR_LOG_WARNING, "strength %.6g: %s; was %.6g/255 meant?",
                 (double)eps, text, (double)eps);
    }
}

// The first attack of a norm, s->n_attacks when there is none.
static size_t first_of_norm(const wsr_eval *s, wsr__lp norm)
{
    size_t a = 0;
    while (a < s->n_attacks && s->attacks[a]->norm != norm) {
        a++;
    }
    return a;
}

void wsr__eval_check_strengths(const wsr_eval *eval)
{
    for (size_t k = 0; k < WSR__LP_NORMS * eval->n_eps; k++) {
        const wsr__range range = {(wsr__lp)(k / eval->n_eps), eval->model->box,
                                  eval->model->pixels};
        if (first_of_norm(eval, range.norm) < eval->n_attacks) {
            wsr__strength_check(&range, eval->eps[k % eval->n_eps]);
        }
    }
}

// The same finding as a warning, once per norm.
static wsr_status check_scale(sink *out, const wsr_eval *s, size_t e)
{
    wsr_status status = WSR_OK;
    for (size_t k = 0; k < WSR__LP_NORMS; k++) {
        const wsr__range range = {(wsr__lp)k, s->model->box, s->model->pixels};
        const size_t a = first_of_norm(s, range.norm);
        char text[160];
        char remedy[160];
        if (a == s->n_attacks || !beyond_range(&range, s->eps[e])) {
            continue;
        }
        describe_range(text, &range);
        (void)snprintf(remedy, sizeof(remedy),
                       "strengths are in the unit of the pixels: perhaps "
                       "%.6g/255 was meant",
                       (double)s->eps[e]);
        const warning w = {"strength", remedy, s->attacks[a], wsr__lp_names[k],
                           s->eps[e]};
        WSR_TRY(add(out, &w, text));
    }
out:
    return status;
}

// Only for the strongest attack with gradients: weaker ones may fail there.
static wsr_status check_unbounded(sink *out, const wsr_eval *s, size_t a,
                                  size_t e)
{
    const wsr_attack *const attack = s->attacks[a];
    const warning w = {
        "unbounded",
        "with enough change every image can be made to look like one of "
        "another class: the attack does not work on this model",
        attack, wsr_attack_norm(attack), s->eps[e]};
    char detail[96];
    if ((double)s->eps[e] <
            whole_range(attack->norm, s->model->box, s->model->pixels) ||
        a != strongest(s, white, attack->norm, e) ||
        !differs(robust(s, a, e), 0, wsr_eval_count(s, a))) {
        return WSR_OK;
    }
    (void)snprintf(detail, sizeof(detail), "accuracy is %.4g, not 0",
                   robust(s, a, e));
    return add(out, &w, detail);
}

// Fraction of the backward passes whose gradient was zero in every pixel.
static wsr_status check_flat(sink *out, const wsr_eval *s, size_t a, size_t e)
{
    const wsr_attack *const attack = s->attacks[a];
    const warning w = {
        "zero_gradients",
        "the model hides its gradients: attack it by logits (square), by "
        "another loss (pgddlr, apgd_dlr), or through a smooth substitute",
        attack, wsr_attack_norm(attack), s->eps[e]};
    const wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
    double flat = 0;
    double all = 0;
    char detail[96];
    for (size_t i = 0; i < wsr_eval_count(s, a); i++) {
        flat += (double)cell->flat[i];
        all += (double)cell->gradients[i];
    }
    if (!(flat > 0.1 * all)) {
        return WSR_OK;
    }
    (void)snprintf(detail, sizeof(detail), "%.0f of %.0f gradients are zero",
                   flat, all);
    return add(out, &w, detail);
}

// This finds errors in an attack, also in one that a user added.
static wsr_status check_outside(sink *out, const wsr_eval *s, size_t a,
                                size_t e)
{
    const wsr_attack *const attack = s->attacks[a];
    const warning w = {"outside",
                       "the attack is at fault: its results do not count",
                       attack, wsr_attack_norm(attack), s->eps[e]};
    const uint8_t *const flags = wsr__eval_at(s, a, e)->outside;
    size_t outside = 0;
    char detail[96];
    for (size_t i = 0; i < wsr_eval_count(s, a); i++) {
        outside += flags[i];
    }
    if (outside == 0) {
        return WSR_OK;
    }
    (void)snprintf(detail, sizeof(detail),
                   "%zu images lie outside of the ball or the pixel range",
                   outside);
    return add(out, &w, detail);
}

// ---------------------------------------------------------- several attacks

// Warn when the strongest of `weak` breaks more images than the strongest of
// `strong`.
static wsr_status check_order(sink *out, const wsr_eval *s, const warning *kind,
                              const group groups[2], size_t e)
{
    wsr_status status = WSR_OK;
    for (int norm = 0; norm < 3; norm++) {
        const size_t a = strongest(s, groups[0], (wsr__lp)norm, e);
        const size_t b = strongest(s, groups[1], (wsr__lp)norm, e);
        char detail[160];
        warning w = *kind;
        if (a == s->n_attacks || b == s->n_attacks ||
            !differs(robust(s, b, e), robust(s, a, e), wsr_eval_count(s, a))) {
            continue;
        }
        w.attack = s->attacks[a];
        w.norm = wsr__lp_names[norm];
        w.eps = s->eps[e];
        (void)snprintf(detail, sizeof(detail), "%s leaves %.4g robust, %s %.4g",
                       wsr_attack_name(s->attacks[a]), robust(s, a, e),
                       wsr_attack_name(s->attacks[b]), robust(s, b, e));
        WSR_TRY(add(out, &w, detail));
    }
out:
    return status;
}

// Whether two attacks are the same method with more work in the second.
static bool larger_budget(const wsr_eval *s, size_t a, size_t b, size_t e)
{
    const double work_a = wsr_eval_get(s, a, e, WSR_EVAL_GRADIENTS) +
                          wsr_eval_get(s, a, e, WSR_EVAL_QUERIES);
    const double work_b = wsr_eval_get(s, b, e, WSR_EVAL_GRADIENTS) +
                          wsr_eval_get(s, b, e, WSR_EVAL_QUERIES);
    return s->attacks[a]->cls == s->attacks[b]->cls &&
           s->attacks[a]->norm == s->attacks[b]->norm && work_a < work_b;
}

// All ordered pairs of attacks; those that are not of one method do not match.
static wsr_status check_budgets(sink *out, const wsr_eval *s, size_t e)
{
    wsr_status status = WSR_OK;
    const warning kind = {
        "budget", "raise steps and restarts until accuracy stops falling", NULL,
        NULL, s->eps[e]};
    for (size_t k = 0; k < s->n_attacks * s->n_attacks; k++) {
        const size_t a = k / s->n_attacks;
        const size_t b = k % s->n_attacks;
        const size_t n = wsr_eval_count(s, b);
        char detail[160];
        warning w = kind;
        if (n == 0 || !larger_budget(s, a, b, e) ||
            !differs(robust(s, a, e), robust(s, b, e), n)) {
            continue;
        }
        w.attack = s->attacks[b];
        w.norm = wsr_attack_norm(s->attacks[b]);
        (void)snprintf(detail, sizeof(detail),
                       "it leaves %.4g robust, with less work %.4g",
                       robust(s, b, e), robust(s, a, e));
        WSR_TRY(add(out, &w, detail));
    }
out:
    return status;
}

static wsr_status check_strength(sink *out, const wsr_eval *s, size_t e)
{
    wsr_status status = WSR_OK;
    const warning hidden = {
        "black_box",
        "gradients mislead on this model: look for what masks them, attack "
        "through a smooth substitute",
        NULL, NULL, 0};
    const warning short_sighted = {
        "single_step",
        "many steps must be at least as strong as one: shorten the steps, "
        "look for what masks the gradients",
        NULL, NULL, 0};
    const group boxes[2] = {black, white};
    const group lengths[2] = {single, many};
    WSR_TRY(check_scale(out, s, e));
    WSR_TRY(check_order(out, s, &hidden, boxes, e));
    WSR_TRY(check_order(out, s, &short_sighted, lengths, e));
    WSR_TRY(check_budgets(out, s, e));
    for (size_t a = 0; a < s->n_attacks; a++) {
        if (wsr_eval_count(s, a) > 0) {
            WSR_TRY(check_unbounded(out, s, a, e));
            WSR_TRY(check_flat(out, s, a, e));
            WSR_TRY(check_outside(out, s, a, e));
        }
    }
out:
    return status;
}

// Before those about attacks, whose results they may explain.
static wsr_status check_network(sink *out, const wsr_eval *s)
{
    static bool (*const doubts[])(wsr__doubt *, const wsr_eval *) = {
        wsr__doubt_chance, wsr__doubt_outputs};
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < sizeof(doubts) / sizeof(*doubts); i++) {
        wsr__doubt doubt;
        if (doubts[i](&doubt, s)) {
            const warning w = {doubt.name, doubt.remedy, NULL, NULL, -1};
            WSR_TRY(add(out, &w, doubt.detail));
        }
    }
out:
    return status;
}

static wsr_status check_all(char **out, const wsr_eval *s, bool plain)
{
    wsr_status status = WSR_OK;
    sink to = {.plain = plain};
    const warning random = {
        "random",
        "average gradients over the model's randomness: eotpgd, or autoattack "
        "with version=rand",
        NULL, NULL, -1};
    *out = NULL;
    wsr__str_add(&to.text, "");
    WSR_TRY(check_network(&to, s));
    if (s->random) {
        WSR_TRY(add(&to, &random, "the same images have other logits"));
    }
    for (size_t e = 0; s->model != NULL && e < s->n_eps; e++) {
        WSR_TRY(check_strength(&to, s, e));
    }
    for (size_t a = 0; s->model != NULL && a < s->n_attacks; a++) {
        if (wsr_eval_count(s, a) > 0) {
            WSR_TRY(check_rising(&to, s, a));
        }
    }
    WSR_TRY(wsr__str_status(&to.text));
    *out = to.text.s != NULL ? to.text.s : wsr__strdup("");
    return *out != NULL ? WSR_OK : WSR_NOMEM;
out:
    wsr__str_free(&to.text);
    return status;
}

wsr_status wsr_eval_warnings(char **out, const wsr_eval *eval)
{
    return check_all(out, eval, false);
}

wsr_status wsr_eval_warnings_text(char **out, const wsr_eval *eval)
{
    return check_all(out, eval, true);
}
