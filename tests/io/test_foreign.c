// SPDX-License-Identifier: Apache-2.0
//
// Files of networks without cells that another program wrote: kind and sizes
// come from the names and shapes of the tensors.

#include "io/io.h"
#include "net/net.h"
#include "support/params.h"
#include "support/support.h"

#include <string.h>

static char folder[512]; // made anew by every call of scratch_folder()

static const char *path_of(const char *name)
{
    static char path[600];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("foreign"));
    }
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static wsr_net *made(const char *kind, const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new_kind(&net, kind, options, 3));
    return net;
}

static void write_foreign(const wsr_net *net, const char *prefix)
{
    wsr__st_builder *builder = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add_params(builder, wsr_net_params(net), prefix));
    ck_assert_ok(wsr__st_write(builder, path_of("net.safetensors")));
    wsr__st_builder_free(builder);
}

static void write_tensors(const wsr__st_tensor *tensors, size_t n)
{
    static const float zeros[4096];
    wsr__st_builder *builder = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    for (size_t i = 0; i < n; i++) {
        ck_assert_ok(wsr__st_add(builder, tensors[i].name, WSR__ST_F32, zeros,
                                 tensors[i].dims, tensors[i].ndims));
    }
    ck_assert_ok(wsr__st_write(builder, path_of("net.safetensors")));
    wsr__st_builder_free(builder);
}

static void expect_same(const wsr_net *net, const wsr_net *again)
{
    char *texts[2] = {NULL};
    ck_assert_str_eq(wsr_net_kind(again), wsr_net_kind(net));
    ck_assert(wsr_shape_equal(wsr_net_image(again), wsr_net_image(net)));
    expect_same_params(wsr_net_params(net), wsr_net_params(again));
    ck_assert_ok(wsr_net_describe(&texts[0], net));
    ck_assert_ok(wsr_net_describe(&texts[1], again));
    ck_assert_str_eq(texts[0], texts[1]);
    wsr_text_free(texts[0]);
    wsr_text_free(texts[1]);
}

static const char *const nets[][2] = {
    {"resnet", "width=2,depth=18"},
    {"resnet", "width=3,depth=34,classes=7,image_channels=1"},
    {"resnet", "width=2,depth=50"},
    {"resnet", "width=2,depth=101,pre_activation=true"},
    {"resnet", "width=2,depth=18,pre_activation=true"},
    {"resnet", "width=2,pre_activation=true,last_norm=false"},
    {"resnet", "width=2,depth=152,stem=imagenet"},
    {"resnet", "width=2,depth=18,stem=imagenet,pre_activation=true"},
    {"wrn", "depth=10,width=1"},
    {"wrn", "depth=22,width=2,classes=100"},
    {"wrn", "depth=16,width=1,sub_block1=true,image_channels=1"},
    {"small_cnn", NULL},
    {"small_cnn", "image_size=32,image_channels=3,classes=5"},
};

enum { NETS = sizeof(nets) / sizeof(*nets) };

START_TEST(kind_and_sizes_are_those_of_the_tensors)
{
    static const char *const prefixes[] = {"", "module.", "model.1."};
    for (size_t i = 0; i < NETS; i++) {
        wsr_net *const net = made(nets[i][0], nets[i][1]);
        for (size_t k = 0; k < 3; k++) {
            wsr_net *again = NULL;
            write_foreign(net, prefixes[k]);
            ck_assert_ok(
                wsr_net_load(&again, path_of("net.safetensors"), NULL));
            expect_same(net, again);
            wsr_net_free(again);
        }
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(own_files_come_back_as_they_were)
{
    for (size_t i = 0; i < NETS; i++) {
        wsr_net *const net = made(nets[i][0], nets[i][1]);
        wsr_net *again = NULL;
        ck_assert_ok(wsr_net_save(net, path_of("own.safetensors")));
        ck_assert_ok(wsr_net_load(&again, path_of("own.safetensors"), NULL));
        expect_same(net, again);
        wsr_net_free(again);
        wsr_net_free(net);
    }
}
END_TEST

// Neither the size of the images nor their normalisation is in the tensors of
// a residual network; a description and the caller know them.
START_TEST(what_tensors_do_not_tell_the_description_does)
{
    wsr_net *again = NULL;
    wsr_net *net = made("resnet", "width=2,image_size=64,mean=0.5");
    ck_assert_ok(wsr_net_save(net, path_of("own.safetensors")));
    ck_assert_ok(wsr_net_load(&again, path_of("own.safetensors"), NULL));
    expect_same(net, again);
    wsr_net_free(again);
    write_foreign(net, "");
    ck_assert_ok(wsr_net_load(&again, path_of("net.safetensors"),
                              "image_size=64,mean=0.5"));
    expect_same(net, again);
    wsr_net_free(again);
    wsr_net_free(net);
    net = made("small_cnn", "image_size=30");
    ck_assert_ok(wsr_net_save(net, path_of("own.safetensors")));
    ck_assert_ok(wsr_net_load(&again, path_of("own.safetensors"), NULL));
    ck_assert_int_eq(wsr_net_image(again)->dims[2], 30);
    wsr_net_free(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(files_of_other_sizes_are_refused_in_one_line)
{
    static const char *const rows[][5] = {
        {"resnet", "width=2", "resnet", "width=4", "of another shape"},
        {"resnet", "width=2", "resnet", "width=2,depth=34", "missing"},
        {"resnet", "width=2", "resnet", "width=2,pre_activation=true",
         "missing"},
        {"resnet", "width=2", "resnet", "width=2,stem=imagenet", "missing"},
        {"wrn", "depth=10,width=1", "wrn", "depth=10,width=2",
         "of another shape"},
        {"wrn", "depth=10,width=1,sub_block1=true", "wrn", "depth=10,width=1",
         "unexpected"},
        {"wrn", "depth=10,width=1", "resnet", "width=2", "missing"},
        {"small_cnn", NULL, "small_cnn", "image_size=32", "of another shape"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *const net = made(rows[i][0], rows[i][1]);
        wsr_net *const other = made(rows[i][2], rows[i][3]);
        write_foreign(net, "");
        ck_assert_fails(wsr_net_load_params(other, path_of("net.safetensors")),
                        WSR_FORMAT, rows[i][4]);
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
        wsr_net_free(net);
        wsr_net_free(other);
    }
}
END_TEST

START_TEST(options_that_do_not_fit_a_file_are_refused)
{
    static const char *const rows[][4] = {
        {"resnet", "width=2", "depth=20", "resnet.depth: 20"},
        {"resnet", "width=2", "stem=int", "resnet.stem: 'int' is not"},
        {"resnet", "width=2", "genotype=cna_r", "resnet.genotype: is not an"},
        {"wrn", "depth=10,width=1", "depth=9", "wrn.depth: 9 is outside"},
        {"wrn", "depth=10,width=1", "width=1000", "wrn.width: 1000 is outside"},
        {"wrn", "depth=10,width=1", "layers=3", "wrn.layers: is not an option"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *again = NULL;
        wsr_net *const net = made(rows[i][0], rows[i][1]);
        write_foreign(net, "");
        ck_assert_fails(
            wsr_net_load(&again, path_of("net.safetensors"), rows[i][2]),
            WSR_CONFIG, rows[i][3]);
        ck_assert_ptr_null(again);
        wsr_net_free(net);
    }
}
END_TEST

START_TEST(tensors_that_are_no_network_are_refused)
{
    static const struct {
        wsr__st_tensor tensors[3];
        size_t n;
        const char *words;
    } rows[] = {
        {{{.name = "layer1.0.conv1.weight", .dims = {2, 2, 3, 3}, .ndims = 4}},
         1,
         "it lacks conv1.weight"},
        {{{.name = "conv1.weight", .dims = {2, 3, 3, 3}, .ndims = 4},
          {.name = "layer1.0.conv1.weight", .dims = {2, 2, 3, 3}, .ndims = 4},
          {.name = "linear.weight", .dims = {4, 8}, .ndims = 2}},
         3,
         "layer1 to layer4 hold 1, 0, 0 and 0 blocks"},
        {{{.name = "conv1.weight", .dims = {16, 3, 3, 3}, .ndims = 4},
          {.name = "block1.layer.0.conv1.weight",
           .dims = {2, 2, 3, 3},
           .ndims = 4},
          {.name = "fc.weight", .dims = {4, 8}, .ndims = 2}},
         3,
         "has 2 rows, no multiple of 16"},
        {{{.name = "feature_extractor.conv1.weight",
           .dims = {2, 2, 3, 3},
           .ndims = 4}},
         1,
         "it lacks feature_extractor.conv1.weight, feature_extractor.conv4"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_net *net = NULL;
        write_tensors(rows[i].tensors, rows[i].n);
        ck_assert_fails(wsr_net_load(&net, path_of("net.safetensors"), NULL),
                        WSR_FORMAT, rows[i].words);
        ck_assert_ptr_nonnull(
            strstr(wsr_error_detail(), path_of("net.safetensors")));
        ck_assert_ptr_null(net);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {kind_and_sizes_are_those_of_the_tensors,
                                  own_files_come_back_as_they_were,
                                  what_tensors_do_not_tell_the_description_does,
                                  files_of_other_sizes_are_refused_in_one_line,
                                  options_that_do_not_fit_a_file_are_refused,
                                  tensors_that_are_no_network_are_refused,
                                  NULL};
    return suite_of("foreign networks", tests);
}
