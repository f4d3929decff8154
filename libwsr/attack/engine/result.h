// SPDX-License-Identifier: Apache-2.0
//
// What an attack did to every image at every strength.

#ifndef WSR_ATTACK_ENGINE_RESULT_H
#define WSR_ATTACK_ENGINE_RESULT_H

#include "attack/attack.h"

/// What happened at one strength; arrays have a row per image.
typedef struct wsr__attack_record {
    float eps;
    uint8_t *robust;
    uint8_t *success;
    float *images; // NULL: not kept
    float *norms[3];
    float *ends[2]; // smallest and largest pixel: of a success, else clean
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;
    uint8_t *outside;
    uint32_t *member; // see wsr__attack_breaks
    uint32_t *step;
    double member_seconds[WSR__MEMBERS];
    double seconds;
} wsr__attack_record;

struct wsr_attack_result {
    size_t n;
    size_t n_eps;
    uint8_t *clean;
    uint32_t *predicted; // see wsr__attack_clean
    float *margin;
    double *smallest;
    wsr__attack_record *records; // in the order of the strengths given
};

/// [out, owned] NULL on failure. All is zero.
wsr_status wsr__attack_result_new(wsr_attack_result **out,
                                  const wsr_attack *attack,
                                  const wsr_model *model, size_t n);

#endif
