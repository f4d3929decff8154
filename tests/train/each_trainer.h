// SPDX-License-Identifier: Apache-2.0
//
// For tests that hold for every trainer: the spec of each with options that it
// cannot do without.

#ifndef WSR_TESTS_TRAIN_EACH_TRAINER_H
#define WSR_TESTS_TRAIN_EACH_TRAINER_H

#include "support/support.h"
#include "train/train.h"

#include <stdio.h>

enum { TRAINER_SPEC = 700 };

static inline int each_trainer_count(void)
{
    int n = 0;
    while (wsr__trainers.classes[n] != NULL) {
        n++;
    }
    return n;
}

/// Write a network of these options as the second one of a trainer that needs
/// one.
static inline const char *each_trainer_base(const char *network)
{
    static char path[600];
    wsr_net *net = NULL;
    (void)snprintf(path, sizeof(path), "%s/net", scratch_folder("base"));
    ck_assert_ok(wsr_net_new(&net, NULL, network, 9));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
    return path;
}

/// Whether a trainer has a number of attack steps.
static inline bool each_trainer_steps(const wsr__class *cls)
{
    bool has = false;
    for (const wsr__option *o = cls->schema; o != NULL && o->key != NULL; o++) {
        has = has || strcmp(o->key, "steps") == 0;
    }
    return has;
}

/// Attacks take two steps, to save time: the second goes on where the first
/// ended.
static inline void each_trainer_spec(char out[TRAINER_SPEC], int i,
                                     const char *network)
{
    const wsr__class *const cls = wsr__trainers.classes[i];
    const bool second = ((const wsr__trainer_class *)(const void *)cls)->open !=
                        NULL;
    const bool steps = each_trainer_steps(cls);
    (void)snprintf(out, TRAINER_SPEC, "%s%s%s%s%s", cls->name,
                   steps || second ? ":" : "", steps ? "steps=2," : "",
                   second ? "base=" : "",
                   second ? each_trainer_base(network) : "");
}

#endif
