// SPDX-License-Identifier: Apache-2.0
//
// The keys of wsr-attack, and --help on them. What they may name, attacks and
// data sets, is the library's to tell.

#include "attack_job.h"

#include <stdio.h>
#include <string.h>

const job_key job_keys[] = {
    {"net.file", "", "safetensors file of the network"},
    {"source.file", "",
     "network that attacks work on, where they do not know the one of "
     "net.file"},
    {"data.spec", "", "fashion-mnist, cifar10:PATH, idx:IMAGES,LABELS, ..."},
    {"data.split", "test", "test or train"},
    {"data.size", "", "centre images in zeros; as the network takes them"},
    {"data.channels", "", "repeat a grey channel; as the network takes them"},
    {"data.limit", "0", "take the first samples, 0: all"},
    {"attack.list", "pgd",
     "attacks with options, fgsm,pgd:steps=20,restarts=5: a comma begins the "
     "next attack where a name follows, and the next option of the same one "
     "where KEY= follows"},
    {"attack.eps", "8/255",
     "strengths, in the unit of pixels from 0 to 1; inf for attacks that look "
     "for the smallest change"},
    {"attack.count", "0", "images to be evaluated, 0: all"},
    {"attack.stop", "true", "leave images alone once an attack succeeded"},
    {"attack.nested", "true", "a success counts at larger strengths as well"},
    {"attack.target", "none", "class to reach: least, second, random"},
    {"attack.target_class", "-1",
     "number of one class that all images are to reach; images of that class "
     "are left out"},
    {"attack.batch", "64", "images at once"},
    {"attack.save", "", "safetensors file for the adversarial images"},
    {"attack.show", "8", "images that the report in --out shows"},
    {"attack.fidelity", "intended",
     "released: measure as the research code "
     "does; attack.list is pgd with steps and rel_length then"},
    {"seed", "0", "seed of all random numbers"},
    {NULL, NULL, NULL},
};

const char *const job_topics[] = {"all",  "general", "net", "source",
                                  "data", "attack",  NULL};

bool job_key_at(job_key *key, char room[JOB_NAME], size_t i)
{
    static const char *const sections[] = {"net", "source"};
    size_t own = 0;
    size_t options = 0;
    while (job_keys[own].name != NULL) {
        own++;
    }
    while (wsr_net_option(options) != NULL) {
        options++;
    }
    if (i < own) {
        *key = job_keys[i];
        return true;
    }
    i -= own;
    if (i >= 2 * options) {
        return false;
    }
    (void)snprintf(room, JOB_NAME, "%s.%s", sections[i / options],
                   wsr_net_option(i % options));
    *key = (job_key){room, "", wsr_net_option_help(i % options)};
    return true;
}

// Bytes of a key's section: "net" of "net.file", none of "seed".
static size_t section_of(const char *name)
{
    const char *const dot = strchr(name, '.');
    return dot == NULL ? 0 : (size_t)(dot - name);
}

static bool is_in(const char *name, const char *section)
{
    const size_t n = section_of(name);
    return n == 0 ? strcmp(section, "general") == 0
                  : strlen(section) == n && strncmp(name, section, n) == 0;
}

static void print_help_text(const char *text)
{
    enum { WIDTH = 79, MARGIN = 6 };
    size_t column = MARGIN;
    printf("%*s", MARGIN - 1, "");
    while (*text != '\0') {
        const size_t n = strcspn(text, " ");
        if (column + 1 + n > WIDTH) {
            printf("\n%*s", MARGIN - 1, "");
            column = MARGIN;
        }
        printf(" %.*s", (int)n, text);
        column += 1 + n;
        text += n;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void print_key(const job_key *key)
{
    printf("  %s=%s\n", key->name, key->fallback);
    print_help_text(key->help);
}

// Returns whether the topic is one of ours.
static bool print_keys(const char *topic)
{
    const bool all = strcmp(topic, "all") == 0;
    bool found = false;
    bool headed = false;
    job_key key;
    char room[JOB_NAME];
    for (size_t i = 0; job_key_at(&key, room, i); i++) {
        if (strcmp(key.name, topic) == 0) {
            print_key(&key);
            return true;
        }
        if (all || is_in(key.name, topic)) {
            if (!headed && !all) {
                printf("%s:\n", topic);
            }
            headed = true;
            print_key(&key);
            found = true;
        }
    }
    return found;
}

// "  net          file, genotype, ...": "general" is an option above.
static void print_overview(void)
{
    enum { WIDTH = 79, MORE = 5 }; // MORE: of ", ..."
    for (size_t i = 2; job_topics[i] != NULL; i++) {
        int column = printf("  %-12s ", job_topics[i]);
        const char *join = "";
        job_key key;
        char room[JOB_NAME];
        for (size_t k = 0; job_key_at(&key, room, k); k++) {
            const char *const word = key.name + section_of(key.name) + 1;
            if (!is_in(key.name, job_topics[i])) {
                continue;
            }
            if (column + (int)strlen(word) + 2 + MORE > WIDTH) {
                printf("%s...", join);
                break;
            }
            column += printf("%s%s", join, word);
            join = ", ";
        }
        printf("\n");
    }
}

wsr_status job_help(const char *topic)
{
    char *text = NULL;
    bool found = false;
    if (topic[0] == '\0') {
        print_overview();
    } else {
        found = print_keys(topic);
    }
    const wsr_status status = wsr_attack_help(&text, topic);
    if (text != NULL) {
        printf("%s%s", found ? "\n" : "", text);
    }
    wsr_text_free(text);
    return found && status == WSR_NOTFOUND ? WSR_OK : status;
}
