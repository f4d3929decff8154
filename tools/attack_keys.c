// SPDX-License-Identifier: Apache-2.0
//
// The keys of wsr-attack. The sections "net" and "source" have the library's
// options of networks.

#include "attack_job.h"

#include <stdio.h>
#include <string.h>

typedef struct key {
    const char *name;
    const char *fallback;
    const char *help;
} key;

static const key keys[] = {
    {"net.file", "", "safetensors file of the network"},
    {"source.file", "",
     "network that attacks work on, of which the one that "
     "is judged is not known"},
    {"data.spec", "", "fashion-mnist, cifar10:PATH, idx:IMAGES,LABELS, ..."},
    {"data.split", "test", "test or train"},
    {"data.size", "", "centre images in zeros; as the network takes them"},
    {"data.channels", "", "repeat a grey channel; as the network takes them"},
    {"data.limit", "0", "take the first samples, 0: all"},
    {"attack.list", "pgd", "attacks with options: fgsm,pgd:steps=20"},
    {"attack.eps", "8/255",
     "strengths; inf for attacks that look for the "
     "smallest change"},
    {"attack.count", "0", "images to be evaluated, 0: all"},
    {"attack.stop", "true", "leave images alone once they have fallen"},
    {"attack.nested", "true", "what fell counts as fallen at larger strengths"},
    {"attack.target", "none", "class to reach: least, second, random"},
    {"attack.batch", "64", "images at once"},
    {"attack.save", "", "safetensors file for the adversarial images"},
    {"attack.show", "8", "images that the report in --out shows"},
    {"attack.fidelity", "intended",
     "released: measure as the research code "
     "does; attack.list is pgd with steps and ratio then"},
    {"seed", "0", "seed of all random numbers"},
};

static const char *const net_sections[] = {"net", "source"};

enum {
    KEYS = sizeof(keys) / sizeof(keys[0]),
    NET_SECTIONS = sizeof(net_sections) / sizeof(net_sections[0]),
    MOST_NAMES = 128,
    NAME_SIZE = 48
};

typedef struct names {
    size_t n;
    const char *at[MOST_NAMES];
    char room[MOST_NAMES][NAME_SIZE];
} names;

static void list_names(names *all)
{
    all->n = 0;
    for (size_t i = 0; i < KEYS; i++) {
        all->at[all->n++] = keys[i].name;
    }
    for (size_t s = 0; s < NET_SECTIONS; s++) {
        for (size_t i = 0; wsr_net_option(i) != NULL && all->n < MOST_NAMES;
             i++) {
            char *const name = all->room[all->n];
            (void)snprintf(name, NAME_SIZE, "%s.%s", net_sections[s],
                           wsr_net_option(i));
            all->at[all->n++] = name;
        }
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

wsr_status job_help(void)
{
    char *attacks = NULL;
    const wsr_status status = wsr_attack_help(&attacks);
    printf("\nConfiguration (key=default, for --set and files):\n\n");
    for (size_t i = 0; i < KEYS; i++) {
        printf("  %s=%s\n      %s\n", keys[i].name, keys[i].fallback,
               keys[i].help);
    }
    printf("\nOptions of the networks, where their files do not say them or to "
           "override what\nthey say; source.KEY for the network of "
           "source.file:\n\n");
    for (size_t i = 0; wsr_net_option(i) != NULL; i++) {
        printf("  net.%s=\n      %s\n", wsr_net_option(i),
               wsr_net_option_help(i));
    }
    printf("\nAttacks and their options (name:key=value,...; - may stand for "
           "_):\n\n%s",
           attacks == NULL ? "" : attacks);
    wsr_text_free(attacks);
    return status;
}
