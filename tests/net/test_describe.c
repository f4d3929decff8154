// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <string.h>

enum { MOST = 24 };

typedef struct notes {
    size_t n;
    char *keys[MOST];
    char *values[MOST];
} notes;

static wsr_status put(void *ctx, const char *key, const char *value)
{
    notes *const list = ctx;
    ck_assert_uint_lt(list->n, MOST);
    list->keys[list->n] = wsr__strdup(key);
    list->values[list->n] = wsr__strdup(value);
    list->n++;
    return WSR_OK;
}

static const char *get(void *ctx, const char *key)
{
    const notes *const list = ctx;
    for (size_t i = 0; i < list->n; i++) {
        if (wsr__streq(list->keys[i], key)) {
            return list->values[i];
        }
    }
    return NULL;
}

static wsr_status from_notes(wsr_net **out, notes *list,
                             const wsr__net_override *override)
{
    const wsr__net_source source = {
        .get = get, .ctx = list, .override = override};
    return wsr__net_from_source(out, &source, 1);
}

static void set(notes *list, const char *key, const char *value)
{
    for (size_t i = 0; i < list->n; i++) {
        if (wsr__streq(list->keys[i], key)) {
            wsr__free(list->values[i]);
            list->values[i] = wsr__strdup(value);
            return;
        }
    }
    ck_assert_ok(put(list, key, value));
}

static void drop(notes *list)
{
    for (size_t i = 0; i < list->n; i++) {
        wsr__free(list->keys[i]);
        wsr__free(list->values[i]);
    }
    list->n = 0;
}

// A network rebuilt from its description has the same description and the
// same parameters' names and shapes.
static void check_rebuilt(const wsr_net *net)
{
    notes first = {0};
    notes second = {0};
    wsr_net *again = NULL;
    ck_assert_ok(wsr__net_metadata(net, put, &first));
    ck_assert_ok(from_notes(&again, &first, NULL));
    ck_assert_ok(wsr__net_metadata(again, put, &second));
    ck_assert_uint_eq(first.n, second.n);
    for (size_t i = 0; i < first.n; i++) {
        ck_assert_str_eq(first.keys[i], second.keys[i]);
        ck_assert_str_eq(first.values[i], second.values[i]);
    }
    const wsr_params *const a = wsr_net_params(net);
    const wsr_params *const b = wsr_net_params(again);
    ck_assert_uint_eq(wsr_params_count(a), wsr_params_count(b));
    for (size_t i = 0; i < wsr_params_count(a); i++) {
        ck_assert_str_eq(wsr_params_name(a, i), wsr_params_name(b, i));
        ck_assert(
            wsr_shape_equal(wsr_params_shape(a, i), wsr_params_shape(b, i)));
    }
    wsr_net_free(again);
    drop(&first);
    drop(&second);
}

START_TEST(networks_are_rebuilt_from_their_descriptions)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=AmoebaNet,channels=4,layers=4,classes=7,"
                             "image_size=16,image_channels=1,drop_path=0.25,"
                             "auxiliary=false,stem=cifar",
                             1));
    check_rebuilt(net);
    wsr_net_free(net);
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=cna_r,channels=4,layers=3,stem=imagenet,"
                             "auxiliary=true",
                             1));
    check_rebuilt(net);
    wsr_net_free(net);
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=cna_r,channels=4,layers=3,"
                             "mean=[0.1,0.2,0.3],std=0.5",
                             1));
    check_rebuilt(net);
    wsr_net_free(net);
    ck_assert_ok(
        wsr_robnet_new(&net, NULL, "codes=robnet_free,channels=4,layers=4", 1));
    check_rebuilt(net);
    wsr_net_free(net);
    ck_assert_ok(wsr_supernet_new(&net, "channels=4,layers=3", 1));
    check_rebuilt(net);
    wsr_net_free(net);
}
END_TEST

START_TEST(the_keys_are_these)
{
    notes list = {0};
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(
        &net, NULL, "genotype=cna_r,channels=4,layers=3,classes=7", 1));
    ck_assert_ok(wsr__net_metadata(net, put, &list));
    ck_assert_str_eq(get(&list, "wsr.kind"), "network");
    ck_assert_str_eq(get(&list, "wsr.channels"), "4");
    ck_assert_str_eq(get(&list, "wsr.layers"), "3");
    ck_assert_str_eq(get(&list, "wsr.classes"), "7");
    ck_assert_str_eq(get(&list, "wsr.image_size"), "32");
    ck_assert_str_eq(get(&list, "wsr.stem"), "cifar");
    ck_assert_str_eq(get(&list, "wsr.input_range"), "0,1");
    ck_assert_ptr_nonnull(strstr(get(&list, "wsr.genotype"), "normal_concat"));
    ck_assert_ptr_null(get(&list, "wsr.codes"));
    // Files of networks that do not normalise are what they always were.
    ck_assert_ptr_null(get(&list, "wsr.mean"));
    ck_assert_ptr_null(get(&list, "wsr.std"));
    wsr_net_free(net);
    drop(&list);
    ck_assert_ok(wsr_net_new(
        &net, NULL, "genotype=cna_r,channels=4,layers=3,mean=0.25", 1));
    ck_assert_ok(wsr__net_metadata(net, put, &list));
    ck_assert_str_eq(get(&list, "wsr.mean"), "[0.25]");
    ck_assert_ptr_null(get(&list, "wsr.std"));
    wsr_net_free(net);
    drop(&list);
}
END_TEST

START_TEST(options_of_the_caller_override_a_description)
{
    notes list = {0};
    wsr_net *net = NULL;
    wsr_net *again = NULL;
    ck_assert_ok(
        wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=3", 1));
    ck_assert_ok(wsr__net_metadata(net, put, &list));
    wsr__net_override override = {0};
    ck_assert_ok(wsr__params_parse_given(
        &override.values, wsr__net_override_schema(), override.given, "net.",
        "genotype=RACL,channels=8"));
    ck_assert_ok(from_notes(&again, &list, &override));
    ck_assert_str_eq(wsr_genotype_name(wsr_net_genotype(again)), "RACL");
    ck_assert_int_eq(wsr__net_cells_options(again)->channels, 8);
    ck_assert_int_eq(wsr__net_cells_options(again)->layers, 3);
    wsr_net_free(again);
    // An option of another kind of network.
    override = (wsr__net_override){0};
    ck_assert_ok(
        wsr__params_parse_given(&override.values, wsr__net_override_schema(),
                                override.given, "net.", "space=darts"));
    ck_assert_fails(from_notes(&again, &list, &override), WSR_CONFIG,
                    "network.space: is not an option");
    wsr_net_free(net);
    drop(&list);
}
END_TEST

START_TEST(descriptions_that_make_no_sense_are_refused)
{
    static const struct {
        const char *key;
        const char *value;
        wsr_status code;
        const char *words;
    } rows[] = {
        {"wsr.kind", "densenet", WSR_FORMAT, "there is no 'densenet'"},
        {"wsr.channels", "-4", WSR_FORMAT, "wsr.channels"},
        {"wsr.stem", "x", WSR_FORMAT, "wsr.stem"},
        {"wsr.layers", "3\",channels=\"4096", WSR_FORMAT, "wsr.layers"},
        {"wsr.genotype", "normal: []", WSR_FORMAT, "metadata"},
        {"wsr.mean", "[0.1, 0.2]", WSR_FORMAT, "2 values do not fit 3"},
        {"wsr.mean", "[1e3]", WSR_FORMAT, "wsr.mean: 1e3 is outside"},
        {"wsr.std", "0", WSR_FORMAT, "wsr.std: 0 is outside"},
        {"wsr.std", "[nan, 1, 1]", WSR_FORMAT, "wsr.std"},
        {"wsr.std", "[0.5", WSR_FORMAT, "only one of its brackets"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        notes list = {0};
        wsr_net *net = NULL;
        ck_assert_ok(
            wsr_net_new(&net, NULL, "genotype=cna_r,channels=4,layers=3", 1));
        ck_assert_ok(wsr__net_metadata(net, put, &list));
        wsr_net_free(net);
        set(&list, rows[i].key, rows[i].value);
        ck_assert_fails(from_notes(&net, &list, NULL), rows[i].code,
                        rows[i].words);
        ck_assert_ptr_null(net);
        drop(&list);
    }
    notes none = {0};
    wsr_net *net = NULL;
    ck_assert_fails(from_notes(&net, &none, NULL), WSR_NOTFOUND, "wsr.kind");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        networks_are_rebuilt_from_their_descriptions, the_keys_are_these,
        options_of_the_caller_override_a_description,
        descriptions_that_make_no_sense_are_refused, NULL};
    return suite_of("describe", tests);
}
