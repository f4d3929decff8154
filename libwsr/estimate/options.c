// SPDX-License-Identifier: Apache-2.0
//
// The options of the test bench, and its two lists: networks ("cna_r,
// net.safetensors") and variants of estimators ("an,e_ane:lr=1e-3"). Defaults
// are the constants of the released harness.

#include "estimate/estimate.h"

#include <string.h>

#define TOP(field) offsetof(wsr__estimate_top, field)

static const wsr__option top_schema[] = {
    {"networks", WSR__TEXT, TOP(networks), "", 0, 0, "",
     "genotypes, which are trained first, cna_r:channels=45, and "
     "FILE.safetensors",
     NULL},
    {"variants", WSR__TEXT, TOP(variants), "an", 0, 0, "",
     "estimators with options, an,an:fidelity=released", NULL},
    WSR__FIDELITY(wsr__estimate_top),
    {0},
};

#define ATTACK(field) offsetof(wsr__estimate_attack, field)

static const wsr__option attack_schema[] = {
    {"steps", WSR__INT, ATTACK(steps), "7", 1, 10000, "steps",
     "of PGD, without a random start", NULL},
    {"rel_stepsize", WSR__FLOAT, ATTACK(rel_stepsize), "2.5", 0.01, 100, "",
     "length of all steps together, as a multiple of the strength", NULL},
    {"sources", WSR__FLOATS, ATTACK(sources), "[0.03, 0.06, 0.09]", 0.0001, 1,
     "", "strengths whose noises the estimators know, ascending", NULL},
    {"random_eps", WSR__FLOAT, ATTACK(random_eps), "0.15", 0.0001, 1, "",
     "largest strength of the noise of random strength beside them", NULL},
    {"eps", WSR__FLOATS, ATTACK(eps),
     "[0.015, 0.045, 0.075, 0.105, 0.12, 0.15]", 0.0001, 1, "",
     "strengths at which estimates are compared with PGD at equal norm", NULL},
    {0},
};

#define AT(field) offsetof(wsr__estimate_params, field)
#define QUIRK(field, text) WSR__QUIRK(wsr__estimate_params, field, text)

static const wsr__option estimator_schema[] = {
    {"epochs", WSR__INT, AT(epochs), "5", 0, 100000, "epochs",
     "of the estimators' training", NULL},
    {"batch", WSR__INT, AT(batch), "32", 1, 4096, "images",
     "images per batch, attacked once for all variants", NULL},
    {"train_batches", WSR__INT, AT(train_batches), "300", 0, 100000000,
     "batches", "training batches of an epoch, 0: all", NULL},
    {"val_batches", WSR__INT, AT(val_batches), "50", 0, 100000000, "batches",
     "test batches of a validation and of the comparison, 0: all", NULL},
    {"train_networks", WSR__INT, AT(train_networks), "3", 1, WSR__ESTIMATE_NETS,
     "networks",
     "first networks of the list, whose noises train the estimators by turns; "
     "with fewer networks all but the last, if there are two",
     NULL},
    {"rotate", WSR__INT, AT(rotate), "100", 1, 100000000, "batches",
     "between two changes of the network", NULL},
    {"augment", WSR__TEXT, AT(augment), "[random_crop:pad=4,flip]", 0, 0, "",
     "augmentation of training images", NULL},
    QUIRK(gradients, "released: gradients of the steps on a batch's parts add "
                     "up; intended: each step clears them"),
    QUIRK(rotation, "released: the last network trains, the second one from "
                    "batch 100 of the first epoch to its end"),
    QUIRK(norms, "released: networks normalise by the batch, in attacks and "
                 "accuracies; intended: by their running statistics"),
    QUIRK(order, "released: every epoch takes the first training images in "
                 "their order"),
    QUIRK(noise_range, "released: images with estimated noise may leave "
                       "[0, 1]"),
    {0},
};

void wsr__estimate_sections(wsr__estimate_config *c, wsr__section *out)
{
    const wsr__section all[WSR__ESTIMATE_SECTIONS] = {
        [WSR__ESTIMATE_TOP] = {.prefix = "",
                               .schema = top_schema,
                               .params = &c->top},
        [WSR__ESTIMATE_DATA] = {.prefix = "data",
                                .schema = wsr__source_schema,
                                .params = &c->source},
        [WSR__ESTIMATE_NET] = {.prefix = "net",
                               .schema =
                                   wsr__net_schema_for_data(&wsr__net_network),
                               .params = &c->net},
        [WSR__ESTIMATE_TRAIN] = {.prefix = "train",
                                 .schema = wsr__train_schema,
                                 .params = &c->train},
        [WSR__ESTIMATE_ATTACK] = {.prefix = "attack",
                                  .schema = attack_schema,
                                  .params = &c->attack},
        [WSR__ESTIMATE_ESTIMATOR] = {.prefix = "estimator",
                                     .schema = estimator_schema,
                                     .params = &c->estimator}};
    memcpy(out, all, sizeof(all));
}

wsr__estimate_quirks wsr__estimate_resolve(const wsr__estimate_config *c)
{
    const wsr__estimate_params *const p = &c->estimator;
    const wsr__text *const f = &c->top.fidelity;
    return (wsr__estimate_quirks){
        .accumulate = wsr__is_released(&p->gradients, f),
        .one_turn = wsr__is_released(&p->rotation, f),
        .batch_stats = wsr__is_released(&p->norms, f),
        .in_order = wsr__is_released(&p->order, f),
        .unclamped = wsr__is_released(&p->noise_range, f)};
}

// Both lists ascend: an estimator takes the weakest noise first, and reports
// draw lines over strengths.
static wsr_status check_ascends(const wsr__floats *list, const char *key)
{
    for (size_t i = 1; i < list->n; i++) {
        if (list->v[i] <= list->v[i - 1]) {
            return WSR_FAIL(WSR_CONFIG, "%s: %g after %g does not ascend", key,
                            list->v[i], list->v[i - 1]);
        }
    }
    return WSR_OK;
}

// Networks that are trained here come from the list `networks` alone.
wsr_status wsr__estimate_check(const wsr__estimate_config *c)
{
    wsr_status status = WSR_OK;
    const size_t sources = c->attack.sources.n;
    if (sources < 1 || sources > WSR_ESTIMATOR_SOURCES) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.sources: %zu strengths are outside [1, %d]",
                        sources, WSR_ESTIMATOR_SOURCES);
    }
    if (c->attack.eps.n == 0) {
        return WSR_FAIL(WSR_CONFIG, "attack.eps: is empty, at least one "
                                    "strength is compared");
    }
    WSR_TRY(check_ascends(&c->attack.sources, "attack.sources"));
    WSR_TRY(check_ascends(&c->attack.eps, "attack.eps"));
    if (c->net.cells.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG, "net.%s: the list networks names them",
                        wsr__net_network.cells.key);
    }
    if (c->train.init.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG, "train.init: has parameters of one "
                                    "architecture, networks may list its file");
    }
out:
    return status;
}

// ------------------------------------------------------------------- lists

// [out, owned] What is inside the brackets.
static wsr_status open_list(char **out, const char *key, const char *text)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__spec_list(out, text));
    if ((*out)[strspn(*out, " ")] == '\0') {
        status = WSR_FAIL(WSR_CONFIG, "%s: is empty, name at least one", key);
    }
out:
    return status;
}

// What may stand in a file name; other letters become "_".
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

typedef struct labels {
    const char *taken[WSR__ESTIMATE_NETS + WSR__ESTIMATE_VARIANTS];
    size_t n;
} labels;

static bool is_taken(const labels *l, const char *label)
{
    for (size_t i = 0; i < l->n; i++) {
        if (wsr__streq(l->taken[i], label)) {
            return true;
        }
    }
    return false;
}

// The first `n` bytes of a name; equal names get "-2", "-3". [out, owned]
static wsr_status make_label(char **out, labels *l, const char *name, size_t n)
{
    char text[128] = "net"; // of a name without letters
    size_t length = 0;
    for (size_t i = 0; i < n && length < 100; i++) {
        text[length++] = is_plain(name[i]) ? name[i] : '_';
        text[length] = '\0';
    }
    length = strlen(text);
    for (size_t k = 2; is_taken(l, text); k++) {
        (void)snprintf(text + length, sizeof(text) - length, "-%zu", k);
    }
    *out = wsr__strdup(text);
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    l->taken[l->n++] = *out;
    return WSR_OK;
}

// "dir/net.safetensors" is a file, of which the name without folder and ending
// is the label; genotypes may be files as well.
static wsr_status label_net(wsr__estimate_net *net, labels *l)
{
    static const char *const endings[] = {".safetensors", ".yaml", ".py"};
    const char *const slash = strrchr(net->cells, '/');
    const char *const name = slash == NULL ? net->cells : slash + 1;
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t end = strlen(endings[i]);
        if (n > end && wsr__streq(name + n - end, endings[i])) {
            net->is_file = i == 0;
            n -= end;
            break;
        }
    }
    return make_label(&net->label, l, name, n);
}

// Options of one network: of the section net where it is trained here, of the
// file otherwise.
static wsr_status decode_net(wsr__estimate_net *net,
                             const wsr__cells_options *options, char *spec,
                             labels *l)
{
    wsr_status status = WSR_OK;
    char *const colon = strchr(spec, ':');
    const char *text = "";
    if (colon != NULL) {
        *colon = '\0';
        text = colon + 1;
    }
    net->cells = wsr__strdup(spec);
    net->override = wsr__alloc(1, sizeof(*net->override));
    if (net->cells == NULL || net->override == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(label_net(net, l));
    net->options = *options;
    if (net->is_file) {
        return wsr__params_parse_given(net->override->values,
                                       wsr__net_override_schema(),
                                       net->override->given, "net.", text);
    }
    WSR_TRY(wsr__params_parse(&net->options,
                              wsr__net_schema_for_data(&wsr__net_network),
                              "net.", text));
    WSR_TRY(wsr__strcpy(net->options.cells.s, sizeof(net->options.cells.s),
                        net->cells));
out:
    return status;
}

wsr_status wsr__estimate_list_nets(wsr__estimate_net *nets, size_t *n,
                                   const wsr__estimate_config *c)
{
    wsr_status status = WSR_OK;
    labels l = {.n = 0};
    char *list = NULL;
    char *spec = NULL;
    WSR_TRY(open_list(&list, "networks", c->top.networks.s));
    for (const char *rest = list; *rest != '\0';) {
        if (*n == WSR__ESTIMATE_NETS) {
            status = WSR_FAIL(WSR_CONFIG, "networks: more than %d",
                              WSR__ESTIMATE_NETS);
            goto out;
        }
        WSR_TRY(wsr__spec_next(&spec, &rest));
        (*n)++;
        WSR_TRY(decode_net(&nets[*n - 1], &c->net, spec, &l));
        wsr__free(spec);
        spec = NULL;
    }
out:
    wsr__free(spec);
    wsr__free(list);
    return status;
}

// The option that says which the fidelity of a variant is, unless its spec
// does.
static wsr_status decode_options(wsr__estimate_variant *v, const char *text,
                                 const wsr__text *fidelity)
{
    wsr_status status = WSR_OK;
    const wsr__option *const schema = v->cls->super.schema;
    size_t rows = 0;
    while (schema[rows].key != NULL) {
        rows++;
    }
    char prefix[80]; // "an."
    (void)snprintf(prefix, sizeof(prefix), "%s.", v->cls->super.name);
    bool *const given = wsr__alloc(rows, sizeof(*given));
    if (given == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__class_copy(&v->options, &v->cls->super, NULL));
    WSR_TRY(wsr__params_parse_given(v->options, schema, given, prefix, text));
    const wsr__option *const row = wsr__schema_find(schema, "fidelity");
    if (row != NULL && !given[row - schema]) {
        memcpy((char *)v->options + row->offset, fidelity, sizeof(*fidelity));
    }
out:
    wsr__free(given);
    return status;
}

// "an" or, where it differs from the run's fidelity, "an-released".
static wsr_status label_variant(wsr__estimate_variant *v, labels *l,
                                const wsr__text *fidelity)
{
    char text[128];
    const wsr__estimator_options *const o = v->options;
    const bool other = !wsr__streq(o->fidelity.s, fidelity->s);
    (void)snprintf(text, sizeof(text), "%s%s%.16s", v->cls->super.name,
                   other ? "-" : "", other ? o->fidelity.s : "");
    return make_label(&v->label, l, text, strlen(text));
}

static wsr_status decode_variant(wsr__estimate_variant *v, const char *spec,
                                 const wsr__text *fidelity, labels *l)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    const char *options = NULL;
    char name[64];
    WSR_TRY(wsr__spec_split(name, sizeof(name), &options, spec));
    WSR_TRY(wsr__class_find(&cls, &wsr__estimators, name));
    v->cls = (const wsr__estimator_class *)(const void *)cls;
    WSR_TRY(decode_options(v, options, fidelity));
    WSR_TRY(label_variant(v, l, fidelity));
out:
    return status == WSR_NOTFOUND ? wsr__fail_at(WSR_CONFIG, "variants")
                                  : status;
}

wsr_status wsr__estimate_list_variants(wsr__estimate_variant *variants,
                                       size_t *n, const wsr__estimate_config *c)
{
    wsr_status status = WSR_OK;
    labels l = {.n = 0};
    char *list = NULL;
    char *spec = NULL;
    WSR_TRY(open_list(&list, "variants", c->top.variants.s));
    for (const char *rest = list; *rest != '\0';) {
        if (*n == WSR__ESTIMATE_VARIANTS) {
            status = WSR_FAIL(WSR_CONFIG, "variants: more than %d",
                              WSR__ESTIMATE_VARIANTS);
            goto out;
        }
        WSR_TRY(wsr__spec_next(&spec, &rest));
        (*n)++;
        WSR_TRY(decode_variant(&variants[*n - 1], spec, &c->top.fidelity, &l));
        wsr__free(spec);
        spec = NULL;
    }
out:
    wsr__free(spec);
    wsr__free(list);
    return status;
}
