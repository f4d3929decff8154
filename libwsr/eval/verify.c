// SPDX-License-Identifier: Apache-2.0
//
// An independent check of saved adversarial images. Norms and predictions are
// computed here once more, in the plainest way, so that a fault of the attacks
// cannot hide itself: nothing but the model is shared with them.

#include "eval/verify.h"

#include "eval/target.h"

#include <math.h>
#include <string.h>

struct wsr_verification {
    wsr_verify_row *rows;
    char **names; // of the rows
    size_t n;
};

#define AT(field) offsetof(wsr__verify_params, field)

static const wsr__option schema[] = {
    {"file", WSR__TEXT, AT(file), "", 0, 0, "", "images to check", NULL},
    {"norm", WSR__TEXT, AT(norm), "", 0, 0, "",
     "linf, l2 or l1, where the file does not say", NULL},
    {"tol", WSR__FLOAT, AT(tol), "1e-6", 0, 1, "",
     "what a change may exceed its strength by", NULL},
    {0},
};

typedef struct work {
    wsr__run_common common;
    wsr__eval_run_params p;
    wsr__verify_params own;
    bool has_eps; // the caller gave attack.eps
    wsr__eval_target target;
    wsr_dataset *dataset; // NULL: the file has the clean images
    wsr__st *st;
    wsr__verify_clean clean;
} work;

// ------------------------------------------------------------------- checks

static double norm_of(wsr__lp norm, const float *x, const float *x0, size_t d)
{
    double most = 0;
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < d; i++) {
        const double change = fabs((double)x[i] - (double)x0[i]);
        most = change > most ? change : most;
        sum += change;
        squares += change * change;
    }
    return norm == WSR__LINF ? most : norm == WSR__L2 ? sqrt(squares) : sum;
}

// What the pixel range is exceeded by.
static double excess(const float *x, size_t d)
{
    double most = 0;
    for (size_t i = 0; i < d; i++) {
        most = fmax(most, fmax((double)x[i] - 1, -(double)x[i]));
    }
    return most;
}

static bool is_finite(const float *x, size_t d)
{
    bool finite = true;
    for (size_t i = 0; i < d; i++) {
        finite = finite && isfinite(x[i]);
    }
    return finite;
}

// Kinds of violations, the worst last.
static const char *const kinds[] = {"recognised", "ball", "range",
                                    "not_finite"};

static size_t rank_of(const char *kind)
{
    size_t i = 0;
    while (kind != NULL && !wsr__streq(kinds[i], kind)) {
        i++;
    }
    return kind == NULL ? 0 : i + 1;
}

// The worst one is kept: of the worst kind, the largest.
static void violate(wsr_verify_row *row, size_t kind, double by, size_t image)
{
    const size_t rank = rank_of(row->worst);
    if (kind + 1 > rank || (kind + 1 == rank && by > row->worst_by)) {
        row->worst = kinds[kind];
        row->worst_by = by;
        row->worst_image = image;
    }
}

// Ball and range of image i.
static void check_place(wsr_verify_row *row, const work *w, wsr__lp norm,
                        const float *x, size_t i)
{
    const size_t d = w->clean.d;
    const double change = norm_of(norm, x, w->clean.images + i * d, d);
    const double beyond = excess(x, d);
    row->largest = fmax(row->largest, change);
    if (change > row->eps + w->own.tol) {
        row->outside_ball++;
        violate(row, 1, change - row->eps, i);
    }
    if (beyond > 0) {
        row->outside_range++;
        violate(row, 2, beyond, i);
    }
}

// The first of the largest logits, as argmax() everywhere.
static int32_t top_of(const float *logits, size_t classes)
{
    int32_t top = 0;
    for (size_t c = 1; c < classes; c++) {
        top = logits[c] > logits[top] ? (int32_t)c : top;
    }
    return top;
}

// By how much the label's logit is above all others. Another size of batch
// changes the last bits of logits, so that a difference as small as these is
// none: 0 then.
static double lead_of(const float *logits, size_t classes, int32_t label)
{
    double other = -(double)INFINITY;
    double size = 1;
    for (size_t c = 0; c < classes; c++) {
        other = (int32_t)c != label ? fmax(other, (double)logits[c]) : other;
        size = fmax(size, fabs((double)logits[c]));
    }
    const double lead = (double)logits[label] - other;
    return lead > 1e-5 * size ? lead : 0;
}

// `claims` NULL: the file says nothing.
static void check_outcome(wsr_verify_row *row, const work *w,
                          const float *logits, const uint8_t *claims, size_t i)
{
    const int32_t label = w->clean.labels[i];
    const size_t classes = w->target.model->classes;
    const bool wrong = top_of(logits, classes) != label;
    const double lead = lead_of(logits, classes, label);
    row->misclassified += wrong;
    row->claimed += claims != NULL ? claims[i] != 0 : wrong;
    if (claims != NULL && claims[i] && !wrong && lead > 0) {
        row->recognised++;
        violate(row, 0, lead, i);
    }
}

// Images that are not finite give way to the clean ones, so that the model
// takes the others; they are no successes.
static wsr_status check_images(wsr_verify_row *row, work *w, wsr__lp norm,
                               float *images, const uint8_t *claims)
{
    wsr_status status = WSR_OK;
    const size_t n = w->clean.n;
    const size_t d = w->clean.d;
    const size_t classes = w->target.model->classes;
    float *const logits = wsr__alloc(n * classes, sizeof(*logits));
    uint8_t *const bad = wsr__alloc(n, sizeof(*bad));
    if (logits == NULL || bad == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        float *const x = images + i * d;
        bad[i] = !is_finite(x, d);
        if (bad[i]) {
            row->not_finite++;
            violate(row, 3, (double)NAN, i);
            memcpy(x, w->clean.images + i * d, d * sizeof(*x));
        } else {
            check_place(row, w, norm, x, i);
        }
    }
    WSR_TRY(wsr_model_logits(logits, w->target.model, images, n));
    for (size_t i = 0; i < n; i++) {
        if (!bad[i]) {
            check_outcome(row, w, logits + i * classes, claims, i);
        }
    }
out:
    wsr__free(logits);
    wsr__free(bad);
    return status;
}

// ---------------------------------------------------------------- arrays

// Norm and strength of an array: what the file says, else the options.
static wsr_status find_ball(wsr_verify_row *row, wsr__lp *norm, const work *w)
{
    const char *const said = wsr__verify_said(w->st, row->name, "norm");
    const char *const word = said != NULL ? said : w->own.norm.s;
    const char *const text = wsr__verify_said(w->st, row->name, "eps");
    size_t at = 0;
    while (at < WSR__LP_NORMS && !wsr__streq(wsr__lp_names[at], word)) {
        at++;
    }
    if (at == WSR__LP_NORMS) {
        return WSR_FAIL(WSR_CONFIG,
                        "verify.norm: '%.40s' is not linf, l2 or l1, and %s "
                        "does not say it of %.80s",
                        word, wsr__st_path(w->st), row->name);
    }
    *norm = (wsr__lp)at;
    row->norm = wsr__lp_names[*norm];
    if (text != NULL && wsr__streq(text, "inf")) {
        row->eps = (double)INFINITY;
    } else if (text != NULL && !wsr__parse_double(&row->eps, text)) {
        return WSR_FAIL(WSR_FORMAT, "%s: strength '%.40s' of %.80s",
                        wsr__st_path(w->st), text, row->name);
    } else if (text == NULL && !w->has_eps) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.eps: is missing, and %s does not say it of "
                        "%.80s",
                        wsr__st_path(w->st), row->name);
    } else if (text == NULL) {
        row->eps = (double)w->p.eps[0];
    } else {
        // In single precision, as the attack had it.
        row->eps = (double)(float)row->eps;
    }
    return WSR_OK;
}

static wsr_status check_array(wsr_verify_row *row, work *w,
                              const wsr__st_tensor *t)
{
    wsr_status status = WSR_OK;
    float *images = NULL;
    uint8_t *claims = NULL;
    wsr__lp norm = WSR__LINF;
    WSR_TRY(find_ball(row, &norm, w));
    WSR_TRY(wsr__verify_images(&images, w->st, t,
                               wsr_model_shape(w->target.model), w->clean.n));
    WSR_TRY(wsr__verify_claims(&claims, w->st, row->name, w->clean.n));
    row->images = w->clean.n;
    WSR_TRY(check_images(row, w, norm, images, claims));
out:
    wsr__free(images);
    wsr__free(claims);
    return status;
}

static wsr_status check_arrays(wsr_verification *v, work *w)
{
    wsr_status status = WSR_OK;
    const size_t most = wsr__st_count(w->st);
    v->rows = wsr__alloc(most, sizeof(*v->rows));
    v->names = wsr__alloc(most, sizeof(*v->names));
    if (v->rows == NULL || v->names == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < most; i++) {
        const wsr__st_tensor *const t = wsr__st_at(w->st, i);
        if (!wsr__verify_is_adversarial(t)) {
            continue;
        }
        v->names[v->n] = wsr__strdup(t->name);
        if (v->names[v->n] == NULL) {
            return WSR_NOMEM;
        }
        v->rows[v->n] =
            (wsr_verify_row){.name = v->names[v->n], .worst_by = (double)NAN};
        WSR_TRY(check_array(&v->rows[v->n++], w, t));
    }
out:
    return status;
}

// ----------------------------------------------------------- configuration

// Attacks do not run, so their options would be ignored.
static wsr_status check_given(work *w, const wsr_config *config)
{
    static const char *const none[] = {"attack.list",  "attack.save",
                                       "attack.count", "corruption.list",
                                       "hessian.of",   "source.file"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (wsr_config_text(config, none[i]) != NULL) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: has no meaning where saved images are checked",
                            none[i]);
        }
    }
    w->has_eps = wsr_config_text(config, "attack.eps") != NULL;
    return WSR_OK;
}

static wsr_status decode(work *w, const wsr_config *config)
{
    enum { OWN = WSR__EVAL_RUN_SECTIONS, COMMON };
    wsr_status status = WSR_OK;
    wsr__section sections[WSR__EVAL_RUN_SECTIONS + 2];
    memset(sections, 0, sizeof(sections));
    wsr__eval_run_sections(&w->p, sections);
    sections[OWN] =
        (wsr__section){.prefix = "verify", .schema = schema, .params = &w->own};
    sections[COMMON] = (wsr__section){
        .prefix = "", .schema = wsr__run_common_schema, .params = &w->common};
    WSR_TRY(wsr__config_decode(config, sections,
                               sizeof(sections) / sizeof(sections[0])));
    WSR_TRY(check_given(w, config));
    WSR_TRY(wsr__eval_run_strengths(&w->p));
    if (w->own.file.s[0] == '\0' || w->p.net.file.s[0] == '\0') {
        status = WSR_FAIL(WSR_CONFIG, "%s: is missing, %s",
                          w->own.file.s[0] == '\0' ? "verify.file" : "net.file",
                          w->own.file.s[0] == '\0' ? "the images to check"
                                                   : "the network");
    } else if (w->has_eps && w->p.n_eps != 1) {
        status = WSR_FAIL(WSR_CONFIG,
                          "attack.eps: %zu strengths, one is expected",
                          w->p.n_eps);
    }
out:
    return status;
}

static wsr_status open_all(work *w)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__eval_target_open(&w->target, &w->p.net,
                                  w->p.attack.settings.attack.batch));
    if (w->p.data.spec.s[0] != '\0') {
        WSR_TRY(wsr__eval_open_data(&w->dataset, &w->p, w->target.model));
    }
    WSR_TRY(wsr__st_open(&w->st, w->own.file.s));
    WSR_TRY(wsr__verify_clean_of(&w->clean, w->st,
                                 wsr_model_shape(w->target.model), w->dataset));
    for (size_t i = 0; i < w->clean.n; i++) {
        if ((size_t)w->clean.labels[i] >= w->target.model->classes) {
            status = WSR_FAIL(WSR_ARG,
                              "label of image %zu: %ld is outside "
                              "[0, %zu]",
                              i, (long)w->clean.labels[i],
                              w->target.model->classes - 1);
            goto out;
        }
    }
out:
    return status;
}

// ------------------------------------------------------------------ results

static void put_worst(wsr__json *json, const wsr_verify_row *row)
{
    wsr__json_text(json, "worst", row->worst);
    wsr__json_number(json, "worst_by", row->worst_by);
    wsr__json_integer(json, "worst_image",
                      row->worst == NULL ? -1 : (int64_t)row->worst_image);
}

static void put_row(wsr__json *json, const wsr_verify_row *row)
{
    const struct {
        const char *key;
        size_t value;
    } counts[] = {{"images", row->images},
                  {"claimed", row->claimed},
                  {"misclassified", row->misclassified},
                  {"recognised", row->recognised},
                  {"outside_ball", row->outside_ball},
                  {"outside_range", row->outside_range},
                  {"not_finite", row->not_finite}};
    wsr__json_text(json, "array", row->name);
    wsr__json_text(json, "norm", row->norm);
    wsr__json_number(json, "eps", row->eps);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        wsr__json_integer(json, counts[i].key, (int64_t)counts[i].value);
    }
    wsr__json_number(json, "largest", row->largest);
    put_worst(json, row);
}

static size_t violations_of(const wsr_verify_row *row)
{
    return row->recognised + row->outside_ball + row->outside_range +
           row->not_finite;
}

// The row with the worst violation of all.
static const wsr_verify_row *worst_row(const wsr_verification *v)
{
    const wsr_verify_row *worst = &v->rows[0];
    for (size_t i = 1; i < v->n; i++) {
        const wsr_verify_row *const row = &v->rows[i];
        const size_t a = rank_of(row->worst);
        const size_t b = rank_of(worst->worst);
        worst = a > b || (a == b && row->worst_by > worst->worst_by) ? row
                                                                     : worst;
    }
    return worst;
}

static wsr_status add_line(wsr__str *out, const wsr_verify_row *row)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    WSR_TRY(wsr__json_event(&json, "verify"));
    put_row(json, row);
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

static wsr_status write_total(const wsr_folder *folder,
                              const wsr_verification *v, const char *file)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    char *line = NULL;
    const wsr_verify_row *const worst = worst_row(v);
    WSR_TRY(wsr__json_new(&json));
    wsr__json_text(json, "file", file);
    wsr__json_integer(json, "arrays", (int64_t)v->n);
    wsr__json_integer(json, "images", (int64_t)worst->images);
    wsr__json_integer(json, "violations",
                      (int64_t)wsr_verification_violations(v));
    put_worst(json, worst);
    wsr__json_text(json, "worst_array",
                   worst->worst == NULL ? NULL : worst->name);
    WSR_TRY(wsr__json_line(&line, json));
    WSR_TRY(wsr_folder_write(folder, "results.json", line));
out:
    wsr_text_free(line);
    wsr__json_free(json);
    return status;
}

wsr_status wsr_verification_json(char **out,
                                 const wsr_verification *verification)
{
    wsr_status status = WSR_OK;
    wsr__str lines = {0};
    *out = NULL;
    for (size_t i = 0; i < verification->n; i++) {
        WSR_TRY(add_line(&lines, &verification->rows[i]));
    }
    WSR_TRY(wsr__str_give(out, &lines));
out:
    wsr__str_free(&lines);
    return status;
}

static wsr_status write_folder(wsr_folder *folder, const wsr_verification *v,
                               const char *file)
{
    wsr_status status = WSR_OK;
    char *lines = NULL;
    WSR_TRY(wsr_folder_make(folder));
    WSR_TRY(wsr_verification_json(&lines, v));
    WSR_TRY(wsr_folder_write(folder, "results.jsonl", lines));
    WSR_TRY(write_total(folder, v, file));
out:
    wsr_text_free(lines);
    return status;
}

static void release(work *w)
{
    wsr__verify_clean_free(&w->clean);
    wsr__st_free(w->st);
    wsr_dataset_free(w->dataset);
    wsr__eval_target_free(&w->target);
    wsr__free(w);
}

// The folder is looked at first: an hour of checking must not end with a place
// that cannot be written.
wsr_status wsr_verify_run(wsr_verification **out, const wsr_config *config,
                          const char *dir)
{
    wsr_status status = WSR_OK;
    wsr_verification *v = wsr__alloc(1, sizeof(*v));
    work *const w = wsr__alloc(1, sizeof(*w));
    wsr_folder *folder = NULL;
    *out = NULL;
    if (v == NULL || w == NULL) {
        wsr__free(v);
        wsr__free(w);
        return WSR_NOMEM;
    }
    WSR_TRY(decode(w, config));
    WSR_TRY(dir == NULL ? WSR_OK : wsr_folder_open(&folder, dir, false));
    WSR_TRY(open_all(w));
    WSR_TRY(check_arrays(v, w));
    if (folder != NULL) {
        WSR_TRY(write_folder(folder, v, w->own.file.s));
    }
    *out = v;
    v = NULL;
out:
    wsr_folder_close(folder);
    wsr_verification_free(v);
    release(w);
    return status;
}

void wsr_verification_free(wsr_verification *verification)
{
    if (verification == NULL) {
        return;
    }
    for (size_t i = 0; verification->names != NULL && i < verification->n;
         i++) {
        wsr__free(verification->names[i]);
    }
    wsr__free(verification->names);
    wsr__free(verification->rows);
    wsr__free(verification);
}

size_t wsr_verification_rows(const wsr_verify_row **rows,
                             const wsr_verification *verification)
{
    *rows = verification->rows;
    return verification->n;
}

size_t wsr_verification_violations(const wsr_verification *verification)
{
    size_t n = 0;
    for (size_t i = 0; i < verification->n; i++) {
        n += violations_of(&verification->rows[i]);
    }
    return n;
}
