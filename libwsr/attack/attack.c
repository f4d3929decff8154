// SPDX-License-Identifier: Apache-2.0
//
// The family of attacks, and wsr_attack: a class (the method), the values of
// its options, the settings that all attacks share, and the strengths.
//
// This file makes and describes attacks; attack/engine/loop.c runs them. A
// class is constant, and an attack does not change after it was made except
// for strengths and hook.

#include "attack/attack.h"
#include "config/config.h"
#include "data/data.h"

#include <math.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "attack/attacks.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__attacks = {"attack", classes};

// In the order of wsr__target_mode. The mode of `target_class` has no name,
// since that is an option of its own.
static const char *const target_names[] = {"none",   "given",  "least",
                                           "second", "random", NULL};

// Options of every attack. The largest seed is the largest whole number that a
// double, and thus JSON, holds exactly.
const wsr__option wsr__attack_schema[] = {
    {"stop", WSR__BOOL, offsetof(wsr__attack_settings, stop), "true", 0, 0, "",
     "leave images alone after a success", NULL},
    {"nested", WSR__BOOL, offsetof(wsr__attack_settings, nested), "true", 0, 0,
     "", "a success at a strength counts as one at larger ones", NULL},
    {"images", WSR__BOOL, offsetof(wsr__attack_settings, images), "true", 0, 0,
     "", "keep the images that were found", NULL},
    {"target", WSR__WORD, offsetof(wsr__attack_settings, target), "none", 0, 0,
     "", "class to reach: that of the labels, least likely, second likely",
     target_names},
    {"target_class", WSR__INT, offsetof(wsr__attack_settings, target_class),
     "-1", -1, INT32_MAX, "",
     "number of the class that every image is to reach, -1: see target", NULL},
    {"seed", WSR__INT, offsetof(wsr__attack_settings, seed), "0", 0,
     9007199254740991.0, "", "of all random numbers", NULL},
    {"first", WSR__INT, offsetof(wsr__attack_settings, first), "0", 0,
     9007199254740991.0, "", "number of the first image", NULL},
    {"batch", WSR__INT, offsetof(wsr__attack_settings, batch), "0", 0, 65536,
     "images", "at once at most, 0: as many as the model takes", NULL},
    {"queries", WSR__INT, offsetof(wsr__attack_settings, queries), "0", 0,
     UINT32_MAX, "queries", "of each image and strength at most, 0: no limit",
     NULL},
    {0},
};

// A class with several norms says which one its options choose. Any other
// class has a single norm, the lowest set bit of `norms`.
wsr__lp wsr__attack_norm_of(const wsr__attack_class *cls, const void *params)
{
    if (cls->norm != NULL) {
        return cls->norm(params);
    }
    wsr__lp norm = WSR__LINF;
    while ((cls->norms & (1u << norm)) == 0) {
        norm++;
    }
    return norm;
}

// A combination needs gradients if one of its members does, so its class
// computes the answer from its options.
bool wsr__attack_gradients_of(const wsr__attack_class *cls, const void *params)
{
    return cls->gradients != NULL ? cls->gradients(params)
                                  : cls->needs_gradient;
}

wsr__loss wsr__attack_clean_ce(const void *params)
{
    (void)params;
    return wsr__loss_ce;
}

bool wsr__attack_is_single_step(const wsr_attack *attack)
{
    const wsr__attack_class *const cls = attack->cls;
    return cls->single_step != NULL && cls->single_step(attack->params);
}

// Options of a class may own memory, such as the members of a chain.
void wsr__attack_params_free(const wsr__attack_class *cls, void *params)
{
    if (params != NULL && cls->release != NULL) {
        cls->release(params);
    }
    wsr__free(params);
}

// AutoAttack's spelling is apgd-ce. Only the name is changed: values after the
// colon may be paths.
static wsr_status with_underscores(wsr__str *out, const char *spec)
{
    wsr__str_add(out, spec);
    for (size_t i = 0; !out->failed && i < out->len && out->s[i] != ':'; i++) {
        out->s[i] = out->s[i] == '-' ? '_' : out->s[i];
    }
    return wsr__str_status(out);
}

// Text to class and options; `prepare` then checks options against each other
// and reads files. On failure nothing is left to free.
wsr_status wsr__attack_decode(const wsr__attack_class **cls, void **params,
                              const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *found = NULL;
    wsr__str text = {0};
    *cls = NULL;
    *params = NULL;
    if (*spec == '\0') {
        return WSR_FAIL(WSR_CONFIG, "attack: has no name");
    }
    WSR_TRY(with_underscores(&text, spec));
    WSR_TRY(wsr__class_spec(&found, params, &wsr__attacks, text.s));
    *cls = (const wsr__attack_class *)found;
    if ((*cls)->prepare != NULL) {
        WSR_TRY((*cls)->prepare(*params));
    }
out:
    if (status != WSR_OK) {
        wsr__attack_params_free(*cls, *params);
        *params = NULL;
    }
    wsr__str_free(&text);
    return status;
}

// `target` and `target_class` exclude each other; both end up in one mode.
static wsr_status take_settings(wsr_attack *attack,
                                const wsr__attack_settings *settings)
{
    attack->settings = *settings;
    while (!wsr__streq(target_names[attack->target], settings->target.s)) {
        attack->target++; // the schema permits no other names
    }
    if (settings->target_class >= 0 && attack->target != WSR__TARGET_NONE) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.target_class: %lld: excludes attack.target=%s",
                        (long long)settings->target_class, settings->target.s);
    }
    if (settings->target_class >= 0) {
        attack->target = WSR__TARGET_CLASS;
    }
    if (attack->target != WSR__TARGET_NONE && !attack->cls->targets) {
        return WSR_FAIL(WSR_CONFIG, "attack.target: %s knows no targets",
                        attack->cls->super.name);
    }
    // The last iterate, which is the result without stop, could not be asked
    // about any more.
    if (settings->queries > 0 && !settings->stop) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.queries: excludes attack.stop=false");
    }
    return WSR_OK;
}

// Makes an attack from settings that are already decoded; 8/255 is the usual
// strength of the literature for pixels in [0, 1].
wsr_status wsr__attack_make(wsr_attack **out, const char *spec,
                            const wsr__attack_settings *settings)
{
    wsr_status status = WSR_OK;
    const float strength = 8.0f / 255;
    wsr_attack *attack = wsr__alloc(1, sizeof(*attack));
    *out = NULL;
    if (attack == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__attack_decode(&attack->cls, &attack->params, spec));
    attack->norm = wsr__attack_norm_of(attack->cls, attack->params);
    WSR_TRY(take_settings(attack, settings));
    WSR_TRY(wsr_attack_set_strengths(attack, &strength, 1));
    *out = attack;
    attack = NULL;
out:
    wsr_attack_free(attack);
    return status;
}

wsr_status wsr_attack_new(wsr_attack **out, const char *spec,
                          const char *options)
{
    wsr_status status = WSR_OK;
    wsr__attack_settings settings;
    *out = NULL;
    wsr__params_default(&settings, wsr__attack_schema);
    WSR_TRY(wsr__params_parse(&settings, wsr__attack_schema, "attack.",
                              options == NULL ? "" : options));
    WSR_TRY(wsr__attack_make(out, spec, &settings));
out:
    return status;
}

void wsr__attack_print(wsr__str *out, const wsr_attack *attack)
{
    wsr__class_print(out, &attack->cls->super, attack->params);
}

wsr_status wsr_attack_spec(char **out, const wsr_attack *attack)
{
    wsr__str text = {0};
    wsr__attack_print(&text, attack);
    return wsr__str_give(out, &text);
}

wsr_status wsr_attack_help(char **out, const char *topic)
{
    static const wsr__family *const families[] = {&wsr__attacks,
                                                  &wsr__datasets};
    static const wsr__help help = {NULL, 0, families, 2, 79};
    return wsr__config_help_text(out, &help, topic);
}

void wsr_attack_free(wsr_attack *attack)
{
    if (attack != NULL) {
        wsr__attack_params_free(attack->cls, attack->params);
        wsr__free(attack->eps);
        wsr__free(attack);
    }
}

// The old strengths stay until nothing can fail. !(x >= 0) also refuses NaN.
// Only minimum-norm attacks know an infinite ball.
wsr_status wsr_attack_set_strengths(wsr_attack *attack, const float *eps,
                                    size_t n)
{
    if (n < 1) {
        return WSR_FAIL(WSR_ARG, "attack %s: there is no strength",
                        attack->cls->super.name);
    }
    for (size_t i = 0; i < n; i++) {
        const bool endless = isinf(eps[i]) && !attack->cls->unbounded;
        if (!(eps[i] >= 0) || endless) {
            return WSR_FAIL(WSR_ARG, "attack %s: strength %g is not %s",
                            attack->cls->super.name, (double)eps[i],
                            endless ? "finite" : "a number from 0 up");
        }
    }
    float *const copy = wsr__alloc(n, sizeof(*copy));
    if (copy == NULL) {
        return WSR_NOMEM;
    }
    memcpy(copy, eps, n * sizeof(*eps));
    wsr__free(attack->eps);
    attack->eps = copy;
    attack->n_eps = n;
    return WSR_OK;
}

void wsr_attack_set_hook(wsr_attack *attack, wsr_attack_hook hook, void *user)
{
    attack->hook = hook;
    attack->user = user;
}

const char *wsr_attack_name(const wsr_attack *attack)
{
    return attack->cls->super.name;
}

const char *wsr_attack_norm(const wsr_attack *attack)
{
    return wsr__lp_names[attack->norm];
}

bool wsr_attack_needs_gradients(const wsr_attack *attack)
{
    return wsr__attack_gradients_of(attack->cls, attack->params);
}

bool wsr_attack_is_min_norm(const wsr_attack *attack)
{
    return attack->cls->min_norm;
}
