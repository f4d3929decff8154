// SPDX-License-Identifier: Apache-2.0
//
// The part of wsr_attack_run() that is done when it is stopped, from which the
// same call goes on to the same result, in this process or another.
//
// It is taken where nothing is in hand: after a batch, after a strength, and
// after a member of a combination. A stopped attack goes on from the last of
// these points. Random numbers depend on image and step alone, so that what
// was left out does not change them.

#ifndef WSR_ATTACK_ENGINE_PART_H
#define WSR_ATTACK_ENGINE_PART_H

#include "attack/engine/batch.h"
#include "attack/engine/result.h"
#include "base/state.h"

enum { WSR__ROW_FLAGS = 3, WSR__ROW_COUNTS = 6, WSR__POSITION_WORDS = 4 };

/// Rows of the batch in hand; arrays have a row per image.
typedef struct wsr__attack_rows {
    float *found;
    float *clean;       // logits
    float *clean_grad;  // undefined unless its loss is known
    double *clean_loss; // likewise
    uint8_t *flags[WSR__ROW_FLAGS];
    uint32_t *counts[WSR__ROW_COUNTS];
} wsr__attack_rows;

/// Where an attack stands.
typedef struct wsr__attack_position {
    size_t first;   // image of the batch in hand
    size_t eps;     // strengths of the batch that are done, in ascending order
    size_t members; // of a combination that are done at the next strength
    size_t loss;    // that clean_grad is of, from 1; 0: of none
} wsr__attack_position;

struct wsr__attack_part {
    const wsr_attack *attack; // borrowed
    size_t batch;             // images of a whole batch
    size_t d;                 // pixels of an image
    size_t classes;
    wsr_attack_result *result;           // of what is done
    wsr__attack_position position;       // all 0: nothing is done
    double seconds;                      // spent on the next strength
    double member_seconds[WSR__MEMBERS]; // of that in the members
    wsr__attack_rows rows;
    size_t taken;                       // how often a part was taken
    int64_t words[WSR__POSITION_WORDS]; // position as state
    char name[48];                      // of the state that was asked for last
};

/// [out, owned] NULL on failure. `attack` must outlive it; `n` images are
/// attacked at once.
wsr_status wsr__attack_part_new(wsr__attack_part **out,
                                const wsr_attack *attack,
                                const wsr_model *model, size_t n);
void wsr__attack_part_free(wsr__attack_part *part); // NULL is legal

/// Whether anything is done.
bool wsr__attack_part_begun(const wsr__attack_part *part);

/// Take what `s` has done of the strength in hand, or of all up to it, and how
/// many seconds it has spent on the former. An attack that keeps an object of
/// its own is not divided.
void wsr__attack_part_take(wsr__attack_part *part, const wsr__attack_batch *s,
                           const wsr__attack_position *position,
                           double seconds);

/// A member of a combination is done: it becomes part of what is kept.
void wsr__attack_part_member_done(wsr__attack_batch *s);

/// Bring a batch that was begun to where the part was taken.
wsr_status wsr__attack_part_restore(const wsr__attack_part *part,
                                    wsr__attack_batch *s);

/// Arrays to save and load, by turns up to count 0; the name is valid until
/// the next call. After loading wsr__attack_part_loaded() is due.
wsr__state wsr__attack_part_state(wsr__attack_part *part, size_t i);

/// FORMAT when what was loaded is no part of this attack.
wsr_status wsr__attack_part_loaded(wsr__attack_part *part);

/// Images with their labels.
typedef struct wsr__labelled {
    const float *x;
    const int32_t *labels;
    size_t n;
} wsr__labelled;

/// wsr_attack_run() that goes on from a part and, on failure, leaves there what
/// is done; NULL: from the beginning. On success the part is used up.
wsr_status wsr__attack_run_part(wsr_attack_result **out,
                                const wsr_attack *attack, wsr_model *model,
                                const wsr__labelled *of,
                                wsr__attack_part *part);

#endif
