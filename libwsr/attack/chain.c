// SPDX-License-Identifier: Apache-2.0
//
// Several attacks as one: each is applied to the images that those before it
// did not fool, so that the outcome is the worst case over all of them
// and the cheap ones spare the expensive ones work.
//
//   chain:attacks=[fgsm,pgd:steps=20,restarts=5,square]

#include "attack/attack.h"
#include "attack/engine/combine.h"

#include <string.h>

typedef struct params {
    wsr__text attacks;
    wsr__lp norm;   // of the members
    bool gradients; // some member needs them
} params;

static const wsr__option schema[] = {
    {"attacks", WSR__TEXT, offsetof(params, attacks), "[fgsm,pgd]", 0, 0, "",
     "the attacks in their order, in brackets", NULL},
    {0},
};

static wsr_status members_of(wsr__members *out, const params *p)
{
    wsr__text specs = p->attacks;
    const size_t length = strlen(specs.s);
    const bool brackets = length >= 2 && specs.s[0] == '[' &&
                          specs.s[length - 1] == ']';
    specs.s[length - brackets] = '\0';
    return wsr__members_new(out, specs.s + brackets);
}

static wsr_status prepare(void *options)
{
    wsr_status status = WSR_OK;
    params *const p = options;
    wsr__members members;
    WSR_TRY(members_of(&members, p));
    p->norm = wsr__attack_norm_of(members.list[0].cls, members.list[0].params);
    p->gradients = false;
    for (size_t i = 0; i < members.n; i++) {
        p->gradients |= wsr__attack_gradients_of(members.list[i].cls,
                                                 members.list[i].params);
    }
    wsr__members_free(&members);
out:
    return status;
}

static wsr_status fits(const void *options, const wsr_model *model)
{
    wsr_status status = WSR_OK;
    wsr__members members = {0};
    WSR_TRY(members_of(&members, options));
    for (size_t i = 0; i < members.n; i++) {
        WSR_TRY(wsr__attack_fits(members.list[i].cls, members.list[i].params,
                                 model));
    }
out:
    wsr__members_free(&members);
    return status;
}

static wsr__lp norm(const void *options)
{
    return ((const params *)options)->norm;
}

static bool gradients(const void *options)
{
    return ((const params *)options)->gradients;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    wsr__members members;
    WSR_TRY(members_of(&members, options));
    status = wsr__members_run(s, &members);
    wsr__members_free(&members);
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    wsr__members members;
    if (members_of(&members, options) != WSR_OK) {
        return 0;
    }
    const uint64_t sum = wsr__members_passes(s, &members);
    wsr__members_free(&members);
    return sum;
}

const wsr__attack_class wsr__attack_chain = {
    .super = {.name = "chain",
              .summary =
                  "attacks one after the other, each on what is still robust",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = norm,
    .gradients = gradients,
    .prepare = prepare,
    .fits = fits,
    .targets = true, // if its members know some
    .early_stop = true,
    .run = run,
    .passes = passes,
};
