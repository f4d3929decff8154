// SPDX-License-Identifier: Apache-2.0

#include "support/support.h"
#include "train/train.h"

#include <string.h>

static const char data[] = "synthetic:size=8,channels=1,count=6,test_count=4,"
                           "classes=2";

static wsr__source_params source(const char *options)
{
    wsr__source_params params;
    wsr__params_default(&params, wsr__source_schema);
    (void)snprintf(params.spec.s, sizeof(params.spec.s), "%s", data);
    ck_assert_ok(
        wsr__params_parse(&params, wsr__source_schema, "data.", options));
    return params;
}

// The network of a configuration "net.key=value ..." for the images of
// `train`.
static wsr_status make_net(wsr_net **out, const char *const *assignments,
                           const wsr_dataset *train)
{
    wsr_status status = WSR_OK;
    wsr_config *config = NULL;
    wsr__section section = {.prefix = "net",
                            .family = wsr__nets_for_data(),
                            .fallback = "network",
                            .selector = wsr__net_selector};
    *out = NULL;
    WSR_TRY(wsr_config_new(&config));
    for (size_t i = 0; assignments[i] != NULL; i++) {
        WSR_TRY(wsr_config_set(config, assignments[i]));
    }
    WSR_TRY(wsr__config_decode(config, &section, 1));
    WSR_TRY(wsr__network_from_config(out, wsr__net_kind(section.selected),
                                     section.params, NULL, train, 1));
out:
    wsr__sections_free(&section, 1);
    wsr_config_free(config);
    return status;
}

START_TEST(splits_have_their_own_limits_and_one_shape)
{
    wsr_dataset *train = NULL;
    wsr_dataset *test = NULL;
    const wsr__source_params params =
        source("size=16,channels=3,limit=5,test_limit=3");
    ck_assert_ok(wsr__source_load(&train, &test, &params));
    ck_assert_uint_eq(wsr_dataset_count(train), 5);
    ck_assert_uint_eq(wsr_dataset_count(test), 3);
    ck_assert_int_eq(wsr_dataset_shape(train)->dims[0], 3);
    ck_assert_int_eq(wsr_dataset_shape(test)->dims[2], 16);
    wsr_dataset_free(train);
    wsr_dataset_free(test);
}
END_TEST

START_TEST(the_test_split_is_read_only_when_it_is_wanted)
{
    wsr_dataset *train = NULL;
    const wsr__source_params params = source("");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    ck_assert_uint_eq(wsr_dataset_count(train), 6);
    wsr_dataset_free(train);
}
END_TEST

START_TEST(a_network_fits_the_images_that_it_is_made_for)
{
    static const char *const config[] = {"net.genotype=cna_r", "net.channels=4",
                                         "net.layers=3", NULL};
    wsr_dataset *train = NULL;
    wsr_net *net = NULL;
    const wsr__source_params params = source("size=16");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    ck_assert_ok(make_net(&net, config, train));
    ck_assert_uint_eq(wsr_net_classes(net), 2);
    ck_assert_int_eq(wsr_net_image(net)->dims[1], 1);
    ck_assert_int_eq(wsr_net_image(net)->dims[2], 16);
    wsr_net_free(net);
    wsr_dataset_free(train);
}
END_TEST

START_TEST(what_is_given_last_selects_the_kind)
{
    static const struct {
        const char *config[6];
        const char *kind;
    } cases[] = {
        {{"net.genotype=cna_r"}, "network"},
        {{"net.codes=robnet_small"}, "robnet"},
        {{"net.genotype=cna_r", "net.drop_path=0.1", "net.codes=robnet_small"},
         "robnet"},
        {{"net.codes=robnet_small", "net.genotype=cna_r"}, "network"},
        {{"net.codes=", "net.genotype=cna_r", "net.name=network"}, "network"},
        {{"net.genotype=cna_r", "net.name=robnet", "net.codes=robnet_small"},
         "robnet"},
    };
    wsr_dataset *train = NULL;
    const wsr__source_params params = source("size=16");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *config[9] = {"net.channels=4", "net.layers=3"};
        wsr_net *net = NULL;
        for (size_t k = 0; cases[i].config[k] != NULL; k++) {
            config[2 + k] = cases[i].config[k];
        }
        ck_assert_ok(make_net(&net, config, train));
        ck_assert_str_eq(wsr_net_kind(net), cases[i].kind);
        wsr_net_free(net);
    }
    wsr_dataset_free(train);
}
END_TEST

START_TEST(options_that_make_no_network_are_named)
{
    static const struct {
        const char *config[4];
        const char *words;
    } cases[] = {
        {{"net.layers=3"}, "net.genotype: is missing"},
        {{"net.name=robnet"}, "net.codes: is missing"},
        {{"net.codes=robnet_small", "net.drop_path=0.1"},
         "net.drop_path: is an option of network kind 'network', not of "
         "'robnet'"},
        {{"net.name=network", "net.codes=robnet_small"}, "not of 'network'"},
        {{"net.genotype=cna_r", "net.classes=3"}, "net.classes: is not an"},
        {{"net.name=supernet"}, "supernet"},
    };
    wsr_dataset *train = NULL;
    const wsr__source_params params = source("size=16");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wsr_net *net = NULL;
        ck_assert_fails(make_net(&net, cases[i].config, train), WSR_CONFIG,
                        cases[i].words);
        ck_assert_ptr_null(net);
    }
    wsr_dataset_free(train);
}
END_TEST

// The lists have room for what the kinds have.
START_TEST(every_kind_keeps_its_options_but_what_the_data_determine)
{
    const wsr__family *const family = wsr__nets_for_data();
    size_t n = 0;
    for (; family->classes[n] != NULL; n++) {
        const wsr__class *const cls = family->classes[n];
        const wsr__option *o = wsr__net_kind(cls)->super.schema;
        size_t left_out = 0;
        for (; o->key != NULL; o++) {
            left_out += wsr__schema_find(cls->schema, o->key) == NULL;
        }
        ck_assert_uint_eq(left_out, 3);
    }
    for (size_t i = 0; wsr__nets.classes[i] != NULL; i++) {
        n -= !((const wsr__net_class *)wsr__nets.classes[i])->paths;
    }
    ck_assert_uint_eq(n, 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        splits_have_their_own_limits_and_one_shape,
        the_test_split_is_read_only_when_it_is_wanted,
        a_network_fits_the_images_that_it_is_made_for,
        what_is_given_last_selects_the_kind,
        options_that_make_no_network_are_named,
        every_kind_keeps_its_options_but_what_the_data_determine,
        NULL};
    return suite_of("sources", tests);
}
