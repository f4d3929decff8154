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
    wsr__members members;
} params;

static const wsr__option schema[] = {
    {"attacks", WSR__TEXT, offsetof(params, attacks), "[fgsm,pgd]", 0, 0, "",
     "the attacks in their order, in brackets", NULL},
    {0},
};

// The list may stand in brackets, which a list inside a list of attacks needs.
static wsr_status prepare(void *options)
{
    params *const p = options;
    wsr__text specs = p->attacks;
    const size_t length = strlen(specs.s);
    const bool brackets = length >= 2 && specs.s[0] == '[' &&
                          specs.s[length - 1] == ']';
    specs.s[length - brackets] = '\0';
    return wsr__members_parse(&p->members, specs.s + brackets);
}

static void release(void *options)
{
    wsr__members_free(&((params *)options)->members);
}

static const wsr__members *members_of(const void *options)
{
    return &((const params *)options)->members;
}

// A model must serve every member.
static wsr_status fits(const void *options, const wsr_model *model)
{
    wsr_status status = WSR_OK;
    const wsr__members *const members = members_of(options);
    for (size_t i = 0; i < members->n; i++) {
        WSR_TRY(wsr__attack_fits(members->list[i].cls, members->list[i].params,
                                 model));
    }
out:
    return status;
}

// All members have the norm of the first: wsr__members_parse() has checked it.
static wsr__lp norm(const void *options)
{
    const wsr__member *const first = &members_of(options)->list[0];
    return wsr__attack_norm_of(first->cls, first->params);
}

// The first begins with it; the others may find it done.
static wsr__loss clean_loss(const void *options)
{
    const wsr__member *const first = &members_of(options)->list[0];
    return first->cls->clean_loss != NULL
               ? first->cls->clean_loss(first->params)
               : NULL;
}

static bool gradients(const void *options)
{
    const wsr__members *const members = members_of(options);
    bool any = false;
    for (size_t i = 0; i < members->n; i++) {
        any |= wsr__attack_gradients_of(members->list[i].cls,
                                        members->list[i].params);
    }
    return any;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__members_run(s, members_of(options));
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    return wsr__members_passes(s, members_of(options));
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
    .release = release,
    .members = members_of,
    .fits = fits,
    .targets = true, // if its members know some
    .early_stop = true,
    .clean_loss = clean_loss,
    .run = run,
    .passes = passes,
};
