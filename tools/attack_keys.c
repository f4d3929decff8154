// SPDX-License-Identifier: Apache-2.0
//
// Whether the keys of a configuration are keys of wsr-attack.

#include "attack_job.h"

#include <string.h>

enum { MOST_NAMES = 128 };

typedef struct names {
    size_t n;
    const char *at[MOST_NAMES];
    char room[MOST_NAMES][JOB_NAME];
} names;

static void list_names(names *all)
{
    job_key key;
    all->n = 0;
    while (all->n < MOST_NAMES && job_key_at(&key, all->room[all->n], all->n)) {
        all->at[all->n++] = key.name;
    }
}

int job_check_keys(const cli *c)
{
    names all;
    list_names(&all);
    for (size_t i = 0; i < wsr_config_count(c->config); i++) {
        const char *const name = wsr_config_key(c->config, i);
        bool known = false;
        for (size_t k = 0; k < all.n; k++) {
            known = known || strcmp(name, all.at[k]) == 0;
        }
        const char *const near = cli_nearest(name, all.at, all.n);
        if (!known) {
            return cli_usage(c, "%s: unknown key%s%s (%s)", name,
                             near == NULL ? "" : ", did you mean ",
                             near == NULL ? "" : near,
                             wsr_config_where(c->config, i));
        }
    }
    return CLI_GO_ON;
}
