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

static wsr__network_config net_config(const char *options)
{
    wsr__network_config params;
    wsr__params_default(&params, wsr__network_config_schema);
    ck_assert_ok(wsr__params_parse(&params, wsr__network_config_schema, "net.",
                                   options));
    return params;
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
    wsr_dataset *train = NULL;
    wsr_net *net = NULL;
    const wsr__source_params params = source("size=16");
    const wsr__network_config s =
        net_config("genotype=cna_r,channels=4,layers=3");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    ck_assert_ok(wsr__network_from_config(&net, &s, NULL, NULL, train, 1));
    ck_assert_uint_eq(wsr_net_classes(net), 2);
    ck_assert_int_eq(wsr_net_image(net)->dims[1], 1);
    ck_assert_int_eq(wsr_net_image(net)->dims[2], 16);
    wsr_net_free(net);
    wsr_dataset_free(train);
}
END_TEST

START_TEST(robnet_codes_make_a_network_too)
{
    wsr_dataset *train = NULL;
    wsr_net *net = NULL;
    const wsr__source_params params = source("size=16");
    const wsr__network_config s =
        net_config("codes=robnet_small,channels=4,layers=3");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    ck_assert_ok(wsr__network_from_config(&net, &s, NULL, NULL, train, 1));
    ck_assert_str_eq(wsr_net_kind(net), "robnet");
    wsr_net_free(net);
    wsr_dataset_free(train);
}
END_TEST

START_TEST(options_that_make_no_network_are_named)
{
    static const struct {
        const char *options;
        const char *words;
    } cases[] = {
        {"layers=3", "net.genotype: is missing"},
        {"genotype=cna_r,codes=robnet_small", "net.codes: excludes"},
        {"codes=robnet_small,drop_path=0.1", "net.codes: excludes"},
    };
    wsr_dataset *train = NULL;
    const wsr__source_params params = source("size=16");
    ck_assert_ok(wsr__source_load(&train, NULL, &params));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wsr_net *net = NULL;
        const wsr__network_config s = net_config(cases[i].options);
        ck_assert_fails(
            wsr__network_from_config(&net, &s, NULL, NULL, train, 1),
            WSR_CONFIG, cases[i].words);
        ck_assert_ptr_null(net);
    }
    wsr_dataset_free(train);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {splits_have_their_own_limits_and_one_shape,
                                  the_test_split_is_read_only_when_it_is_wanted,
                                  a_network_fits_the_images_that_it_is_made_for,
                                  robnet_codes_make_a_network_too,
                                  options_that_make_no_network_are_named,
                                  NULL};
    return suite_of("sources", tests);
}
