// SPDX-License-Identifier: Apache-2.0

#include "io/io.h"
#include "net/net.h"
#include "support/oom.h"
#include "support/params.h"
#include "support/support.h"

#include <string.h>

static const char small[] =
    "genotype=cna_r,channels=4,layers=4,classes=5,image_size=16";

static void path_of(char out[600], const char *name)
{
    (void)snprintf(out, 600, "%s/%s", scratch_folder("network"), name);
}

// A network whose tensors all differ from any initial value.
static wsr_net *filled(const char *options)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL, options, 3));
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        float *const data = wsr_params_edit(params, i);
        const int64_t n = wsr_shape_count(wsr_params_shape(params, i));
        for (int64_t k = 0; k < n; k++) {
            data[k] = (float)((int64_t)i * 1000 + k);
        }
    }
    return net;
}

START_TEST(networks_come_back_as_they_were)
{
    char path[600];
    wsr_net *const net = filled(small);
    wsr_net *again = NULL;
    path_of(path, "net.safetensors");
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_ok(wsr_net_load(&again, path, NULL));
    expect_same_params(wsr_net_params(net), wsr_net_params(again));
    ck_assert(
        wsr_genotype_equal(wsr_net_genotype(net), wsr_net_genotype(again)));
    ck_assert(wsr_shape_equal(wsr_net_image(net), wsr_net_image(again)));
    wsr_net_free(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(equal_networks_make_equal_files)
{
    char path[600];
    unsigned char *bytes[2] = {NULL};
    size_t size[2] = {0};
    for (int i = 0; i < 2; i++) {
        wsr_net *const net = filled(small);
        path_of(path, "net.safetensors");
        ck_assert_ok(wsr_net_save(net, path));
        ck_assert_ok(wsr__file_read(&bytes[i], &size[i], path, 1 << 24));
        wsr_net_free(net);
    }
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], size[0]);
    wsr__free(bytes[0]);
    wsr__free(bytes[1]);
}
END_TEST

START_TEST(robnets_and_supernets_come_back_too)
{
    char path[600];
    wsr_net *nets[2] = {NULL};
    ck_assert_ok(wsr_robnet_new(&nets[0], NULL,
                                "codes=robnet_free,channels=4,layers=3", 1));
    ck_assert_ok(wsr_supernet_new(&nets[1], "channels=4,layers=3", 1));
    for (int i = 0; i < 2; i++) {
        wsr_net *again = NULL;
        path_of(path, "net.safetensors");
        ck_assert_ok(wsr_net_save(nets[i], path));
        ck_assert_ok(wsr_net_load(&again, path, NULL));
        ck_assert_str_eq(wsr_net_kind(again), wsr_net_kind(nets[i]));
        expect_same_params(wsr_net_params(nets[i]), wsr_net_params(again));
        wsr_net_free(again);
        wsr_net_free(nets[i]);
    }
}
END_TEST

// Write a network as another program would: no metadata.
static void write_foreign(const char *path, const wsr_net *net,
                          const char *prefix, const char *more)
{
    wsr__st_builder *builder = NULL;
    const float number = 1;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add_params(builder, wsr_net_params(net), prefix));
    if (more != NULL) {
        ck_assert_ok(wsr__st_add_f32(builder, more, &number, 1));
    }
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
}

START_TEST(foreign_files_need_a_genotype_only)
{
    static const char *const kinds[] = {
        "genotype=cna_r,channels=4,layers=4,classes=5",
        "genotype=cna_r,channels=4,layers=1,classes=5,image_channels=1",
        "genotype=cna_r,channels=4,layers=4,classes=5,auxiliary=true",
        "genotype=cna_r,channels=4,layers=4,stem=imagenet",
        "genotype=cna_r,channels=4,layers=4,stem=imagenet_tiny",
    };
    char path[600];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        for (int prefixed = 0; prefixed < 2; prefixed++) {
            wsr_net *const net = filled(kinds[i]);
            wsr_net *again = NULL;
            path_of(path, "foreign.safetensors");
            write_foreign(path, net, prefixed == 1 ? "module." : "", NULL);
            ck_assert_ok(wsr_net_load(&again, path, "genotype=cna_r"));
            expect_same_params(wsr_net_params(net), wsr_net_params(again));
            ck_assert(
                wsr_shape_equal(wsr_net_image(net), wsr_net_image(again)));
            wsr_net_free(again);
            wsr_net_free(net);
        }
    }
}
END_TEST

START_TEST(foreign_robnets_and_supernets_are_recognised)
{
    char path[600];
    wsr_net *net = NULL;
    wsr_net *again = NULL;
    path_of(path, "foreign.safetensors");
    ck_assert_ok(wsr_robnet_new(&net, NULL,
                                "codes=robnet_small,channels=4,layers=3", 1));
    write_foreign(path, net, "", NULL);
    ck_assert_ok(wsr_net_load(&again, path, "codes=robnet_small"));
    expect_same_params(wsr_net_params(net), wsr_net_params(again));
    wsr_net_free(again);
    wsr_net_free(net);
    ck_assert_ok(wsr_supernet_new(&net, "channels=4,layers=3", 1));
    write_foreign(path, net, "", NULL);
    ck_assert_ok(wsr_net_load(&again, path, NULL));
    expect_same_params(wsr_net_params(net), wsr_net_params(again));
    wsr_net_free(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(words_of_wrappers_before_the_names_are_stepped_over)
{
    static const char *const prefixes[] = {
        "module.",  "_orig_mod.",
        "model.",   "1.",
        "net.",     "module._orig_mod.",
        "model.1.", "_orig_mod.module.1.",
        "0.",       "state_dict.ema_model.",
    };
    char path[600];
    wsr_net *const net = filled(small);
    path_of(path, "wrapped.safetensors");
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        wsr_net *again = NULL;
        write_foreign(path, net, prefixes[i], i == 0 ? "n_averaged" : NULL);
        ck_assert_ok(wsr_net_load(&again, path, "genotype=cna_r"));
        expect_same_params(wsr_net_params(net), wsr_net_params(again));
        wsr_net_free(again);
    }
    wsr_net_free(net);
}
END_TEST

// As write_foreign(), with a layer in front that normalises images.
static void write_normalized(const char *path, const wsr_net *net,
                             const char *const names[2], size_t channels)
{
    static const float mean[] = {0.5F, 0.25F, 0.125F, 0.0F};
    static const float std[] = {0.2F, 0.3F, 0.7F, 1.0F};
    const int64_t dims[] = {1, (int64_t)channels, 1, 1};
    wsr__st_builder *builder = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add_params(builder, wsr_net_params(net), "1."));
    ck_assert_ok(wsr__st_add(builder, names[0], WSR__ST_F32, mean, dims, 4));
    ck_assert_ok(wsr__st_add(builder, names[1], WSR__ST_F32, std, dims, 4));
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
}

// torch.nn.Sequential(Normalize(mean, std), network): the network takes over
// what the layer computes.
START_TEST(a_normalising_layer_in_front_is_read)
{
    static const char *const names[][2] = {{"0.mean", "0.std"},
                                           {"0.mu", "0.sigma"},
                                           {"normalize.mean", "normalize.std"}};
    char path[600];
    wsr_net *const net = filled(small);
    path_of(path, "normalized.safetensors");
    for (size_t i = 0; i < 3; i++) {
        wsr_net *again = NULL;
        write_normalized(path, net, names[i], 3);
        ck_assert_ok(wsr_net_load(&again, path, "genotype=cna_r"));
        const wsr__normalize *const n = &again->options->normalize;
        ck_assert_uint_eq(n->mean.n, 3);
        ck_assert_float_eq(wsr__normalize_mean(n, 1), 0.25F);
        ck_assert_float_eq(wsr__normalize_std(n, 2), 0.7F);
        expect_same_params(wsr_net_params(net), wsr_net_params(again));
        wsr_net_free(again);
        write_normalized(path, net, names[i], 1);
        ck_assert_ok(
            wsr_net_load(&again, path, "genotype=cna_r,std=[1,2,0.25]"));
        ck_assert_float_eq(wsr__normalize_mean(&again->options->normalize, 2),
                           0.5F);
        ck_assert_float_eq(wsr__normalize_std(&again->options->normalize, 2),
                           0.25F);
        wsr_net_free(again);
        ck_assert_fails(wsr_net_load_params(net, path), WSR_FORMAT,
                        "wsr.mean: is [0.5]");
    }
    wsr_net_free(net);
}
END_TEST

START_TEST(tensors_beside_a_wrapped_network_are_not_ignored)
{
    char path[600];
    wsr_net *const net = filled(small);
    wsr_net *again = NULL;
    path_of(path, "beside.safetensors");
    write_foreign(path, net, "1.", "0.mean");
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r"), WSR_FORMAT,
                    "1 tensors stand beside the network '1.' (0.mean) and are "
                    "not read, such as a layer whose mean and std");
    write_normalized(path, net, (const char *[]){"0.mean", "0.std"}, 4);
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r"), WSR_FORMAT,
                    "2 tensors stand beside the network '1.' (0.mean, 0.std)");
    write_normalized(path, net, (const char *[]){"0.weight", "0.std"}, 3);
    ck_assert_fails(
        wsr_net_load(&again, path, "genotype=cna_r"), WSR_FORMAT,
        "2 tensors stand beside the network '1.' (0.std, 0.weight)");
    write_foreign(path, net, "model.",
                  "model_ema.cells.0.preprocess1.op.1.weight");
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r"), WSR_FORMAT,
                    "holds two networks, 'model.' and 'model_ema.', keep");
    ck_assert_ptr_null(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(what_is_wrong_with_a_file_is_said)
{
    char path[600];
    wsr_net *const net = filled(small);
    wsr_net *again = NULL;
    path_of(path, "foreign.safetensors");
    ck_assert_fails(wsr_net_load(&again, path, NULL), WSR_IO, path);
    write_foreign(path, net, "", NULL);
    ck_assert_fails(wsr_net_load(&again, path, NULL), WSR_CONFIG,
                    "network.genotype: is missing");
    ck_assert_fails(wsr_net_load(&again, path, "genotype=RACL"), WSR_FORMAT,
                    "missing (cells.0._ops.");
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r,channels=8"),
                    WSR_FORMAT,
                    "of another shape (stem.0.weight (12, 3, 3, 3)"
                    ", not (24, 3, 3, 3)");
    write_foreign(path, net, "", "optimizer.step");
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r"), WSR_FORMAT,
                    "1 unexpected (optimizer.step)");
    ck_assert_ptr_null(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(files_that_hold_no_network_are_refused)
{
    static const struct {
        const char *name;
        int64_t dims[4];
        size_t ndims;
        const char *words;
    } rows[] = {
        {"classifier.weight", {2, 3}, 2, "preprocess1.op.1.weight is missing"},
        {"cells.0.preprocess1.op.1.weight", {2, 2, 1, 1}, 4, "lacks a stem"},
        {"cells.1.preprocess1.op.1.weight", {2, 2, 1, 1}, 4, "is missing"},
    };
    char path[600];
    wsr_net *net = NULL;
    const float zeros[8] = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr__st_builder *builder = NULL;
        ck_assert_ok(wsr__st_builder_new(&builder));
        ck_assert_ok(wsr__st_add(builder, rows[i].name, WSR__ST_F32, zeros,
                                 rows[i].dims, rows[i].ndims));
        path_of(path, "none.safetensors");
        ck_assert_ok(wsr__st_write(builder, path));
        wsr__st_builder_free(builder);
        ck_assert_fails(wsr_net_load(&net, path, "genotype=cna_r"), WSR_FORMAT,
                        rows[i].words);
        ck_assert_ptr_null(net);
    }
}
END_TEST

START_TEST(metadata_cannot_claim_sizes_that_the_tensors_do_not_have)
{
    char path[600];
    wsr_net *const net = filled(small);
    wsr_net *again = NULL;
    wsr__st_builder *builder = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_add_params(builder, wsr_net_params(net), ""));
    ck_assert_ok(wsr__st_set(builder, "wsr.kind", "network"));
    ck_assert_ok(wsr__st_set(builder, "wsr.channels", "4096"));
    ck_assert_ok(wsr__st_set(builder, "wsr.layers", "256"));
    path_of(path, "claim.safetensors");
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
    ck_assert_ok(wsr_net_load(&again, path, "genotype=cna_r"));
    ck_assert_int_eq(wsr__net_cells_options(again)->channels, 4);
    ck_assert_int_eq(wsr__net_cells_options(again)->layers, 4);
    wsr_net_free(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(mean_and_std_are_kept_in_the_file_and_others_stay_as_they_were)
{
    char path[600];
    wsr_net *net = filled("genotype=cna_r,channels=4,layers=3,image_size=16,"
                          "mean=[0.1,0.2,0.3],std=0.25");
    wsr_net *again = NULL;
    path_of(path, "normalized.safetensors");
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_ok(wsr_net_load(&again, path, NULL));
    const wsr__normalize *const p = &again->options->normalize;
    ck_assert_uint_eq(p->mean.n, 3);
    ck_assert(p->mean.v[2] == 0.3);
    ck_assert_uint_eq(p->std.n, 1);
    ck_assert(p->std.v[0] == 0.25);
    wsr_net_free(again);
    // A file of another program takes them from the caller.
    write_foreign(path, net, "", NULL);
    ck_assert_ok(wsr_net_load(&again, path,
                              "genotype=cna_r,mean=\"0.5,0.4,0.3\","
                              "std=[0.5],image_size=16"));
    ck_assert(again->options->normalize.mean.v[1] == 0.4);
    ck_assert_int_eq(wsr_net_image(again)->dims[2], 16);
    wsr_net_free(again);
    ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r,mean=[0.5,0.4]"),
                    WSR_CONFIG, "2 values do not fit 3 channels");
    ck_assert_ptr_null(again);
    wsr_net_free(net);
}
END_TEST

START_TEST(bad_mean_and_std_in_a_file_are_refused)
{
    static const struct {
        const char *key;
        const char *value;
    } rows[] = {{"wsr.std", "0"},           {"wsr.std", "[1, 1]"},
                {"wsr.std", "-0.5"},        {"wsr.std", "nan"},
                {"wsr.mean", "[inf]"},      {"wsr.mean", "[0.5"},
                {"wsr.mean", "zero"},       {"wsr.mean", "0.1,0.2,0.3,0.4"},
                {"wsr.std", "1\",std=\"1"}, {"wsr.mean", "\n"}};
    char path[600];
    wsr_net *const net = filled(small);
    path_of(path, "bad.safetensors");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wsr_net *again = NULL;
        wsr__st_builder *builder = NULL;
        ck_assert_ok(wsr__st_builder_new(&builder));
        ck_assert_ok(wsr__st_add_params(builder, wsr_net_params(net), ""));
        ck_assert_ok(wsr__st_set(builder, "wsr.kind", "network"));
        ck_assert_ok(wsr__st_set(builder, rows[i].key, rows[i].value));
        ck_assert_ok(wsr__st_write(builder, path));
        wsr__st_builder_free(builder);
        ck_assert_fails(wsr_net_load(&again, path, "genotype=cna_r"),
                        WSR_FORMAT, rows[i].key);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), path));
        ck_assert_ptr_null(again);
    }
    wsr_net_free(net);
}
END_TEST

// Save a network; a fresh one of other options must take its parameters, or
// say these words and stay as it was.
static void try_params(const wsr_net *from, const char *options,
                       const char *words)
{
    char path[600];
    wsr_net *net = NULL;
    wsr_net *same = NULL;
    path_of(path, "from.safetensors");
    ck_assert_ok(wsr_net_save(from, path));
    ck_assert_ok(wsr_net_new(&net, NULL, options, 1));
    ck_assert_ok(wsr_net_new(&same, NULL, options, 1));
    if (words == NULL) {
        ck_assert_ok(wsr_net_load_params(net, path));
        expect_same_params(wsr_net_params(net), wsr_net_params(from));
    } else {
        ck_assert_fails(wsr_net_load_params(net, path), WSR_FORMAT, words);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), path));
        expect_same_params(wsr_net_params(net), wsr_net_params(same));
    }
    wsr_net_free(net);
    wsr_net_free(same);
}

START_TEST(parameters_go_to_a_network_of_the_same_architecture_alone)
{
    static const struct {
        const char *options;
        const char *words;
    } rows[] = {
        {"genotype=cna_r,channels=4,layers=4,classes=5", NULL},
        {"genotype=cna_r,channels=4,layers=4,classes=5,drop_path=0.2,"
         "image_size=16,mean=0,std=[1,1,1]",
         NULL},
        {"genotype=cna_r,channels=4,layers=4,classes=6",
         "classifier.weight (5, 64), not (6, 64)"},
        {"genotype=cna_r,channels=8,layers=4,classes=5", "stem.0.weight"},
        {"genotype=cna_r,channels=4,layers=5,classes=5",
         "missing (cells.2._ops.2.op.1.weight"},
        {"genotype=cna_r,channels=4,layers=4,classes=5,image_channels=1",
         "stem.0.weight"},
        {"genotype=cna_r,channels=4,layers=4,classes=5,auxiliary=true",
         "missing (auxiliary_head."},
        {"genotype=RACL,channels=4,layers=4,classes=5", "wsr.genotype"},
        {"genotype=cna_r,channels=4,layers=4,classes=5,stem=int", "wsr.stem"},
        {"genotype=cna_r,channels=4,layers=4,classes=5,mean=0.5", "wsr.mean"},
        {"genotype=cna_r,channels=4,layers=4,classes=5,std=[1,1,0.5]",
         "wsr.std: is [], that of the network [1, 1, 0.5]"},
    };
    wsr_net *const from =
        filled("genotype=cna_r,channels=4,layers=4,classes=5");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        try_params(from, rows[i].options, rows[i].words);
    }
    wsr_net_free(from);
}
END_TEST

// The same tensors, but other states go into the operations.
START_TEST(parameters_of_a_network_wired_otherwise_are_refused)
{
    static const char *const first[] = {"[skip_connect, 0], [sep_conv_3x3, 1]",
                                        "[max_pool_3x3, 1], [sep_conv_3x3, 0]"};
    static const char rest[] =
        "[skip_connect, 0], [skip_connect, 1], [skip_connect, 0],\n"
        "  [skip_connect, 1], [skip_connect, 0], [skip_connect, 1]]\n";
    char path[600];
    wsr_net *nets[2] = {NULL};
    path_of(path, "wired.safetensors");
    for (size_t i = 0; i < 2; i++) {
        wsr_genotype *genotype = NULL;
        char yaml[800];
        (void)snprintf(yaml, sizeof(yaml),
                       "normal: [%s,\n  %snormal_concat: [2, 3, 4, 5]\n"
                       "reduce: [%s,\n  %sreduce_concat: [2, 3, 4, 5]\n",
                       first[i], rest, first[0], rest);
        ck_assert_ok(wsr_genotype_parse(&genotype, yaml, "mine"));
        ck_assert_ok(wsr_net_new(&nets[i], genotype,
                                 "channels=4,layers=3,image_size=16", 1));
        wsr_genotype_free(genotype);
    }
    ck_assert_ok(wsr_net_save(nets[0], path));
    ck_assert_ok(wsr_net_load_params(nets[0], path));
    ck_assert_fails(wsr_net_load_params(nets[1], path), WSR_FORMAT,
                    "wsr.genotype");
    // Without a description the tensors are all that is known.
    write_foreign(path, nets[0], "module.", NULL);
    ck_assert_ok(wsr_net_load_params(nets[1], path));
    wsr_net_free(nets[0]);
    wsr_net_free(nets[1]);
}
END_TEST

START_TEST(parameters_of_robnets_are_known_by_their_codes)
{
    static const char *const codes[] = {
        "share: true\ncodes:\n  - [01, 10, 11, 00, 01, 10, 11, 00, 01, 10, 11, "
        "00, 01, 10]\n",
        "share: true\ncodes:\n  - [01, 00, 11, 10, 01, 10, 11, 00, 01, 10, 11, "
        "00, 01, 10]\n"};
    char path[600];
    wsr_net *nets[2] = {NULL};
    path_of(path, "robnet.safetensors");
    for (size_t i = 0; i < 2; i++) {
        wsr_robnet_codes *read = NULL;
        ck_assert_ok(wsr_robnet_codes_parse(&read, codes[i], "mine"));
        ck_assert_ok(wsr_robnet_new(
            &nets[i], read, "channels=4,layers=2,image_size=16,mean=0.5", 1));
        wsr_robnet_codes_free(read);
    }
    ck_assert_ok(wsr_net_save(nets[0], path));
    ck_assert_ok(wsr_net_load_params(nets[0], path));
    ck_assert_fails(wsr_net_load_params(nets[1], path), WSR_FORMAT,
                    "wsr.codes");
    wsr_net_free(nets[0]);
    wsr_net_free(nets[1]);
}
END_TEST

typedef struct loading {
    wsr_net *net;
    const char *path;
} loading;

static wsr_status load_into(void *ctx)
{
    const loading *const l = ctx;
    return wsr_net_load_params(l->net, l->path);
}

static wsr_status load_and_drop(void *ctx)
{
    wsr_net *net = NULL;
    const wsr_status status = wsr_net_load(&net, ctx, NULL);
    wsr_net_free(net);
    return status;
}

static wsr_status save(void *ctx)
{
    return wsr_net_save(ctx, "/dev/null/none");
}

START_TEST(memory_that_runs_short_is_reported_and_nothing_leaks)
{
    char path[600];
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=DARTS_V2,channels=2,layers=1,classes=2,"
                             "image_size=4",
                             1));
    path_of(path, "net.safetensors");
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_uint_gt(oom_sweep(load_and_drop, path), 100);
    ck_assert_uint_gt(oom_sweep(load_into, &(loading){net, path}), 20);
    ck_assert_fails(save(net), WSR_IO, "/dev/null/none");
    wsr_net_free(net);
}
END_TEST

START_TEST(the_reference_network_is_read_with_its_genotype)
{
    char path[1024];
    wsr_net *net = NULL;
    (void)snprintf(path, sizeof(path),
                   "%s/golden/robust_fashion_mnist.safetensors",
                   shared_folder());
    if (!wsr__file_exists(path)) {
        skip("the golden tensors are absent");
    }
    ck_assert_ok(wsr_net_load(&net, path, "genotype=cna_r"));
    ck_assert_int_eq(wsr__net_cells_options(net)->channels, 8);
    ck_assert_int_eq(wsr__net_cells_options(net)->layers, 5);
    ck_assert_uint_eq(wsr_net_classes(net), 10);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        networks_come_back_as_they_were,
        equal_networks_make_equal_files,
        robnets_and_supernets_come_back_too,
        foreign_files_need_a_genotype_only,
        foreign_robnets_and_supernets_are_recognised,
        words_of_wrappers_before_the_names_are_stepped_over,
        a_normalising_layer_in_front_is_read,
        tensors_beside_a_wrapped_network_are_not_ignored,
        what_is_wrong_with_a_file_is_said,
        files_that_hold_no_network_are_refused,
        metadata_cannot_claim_sizes_that_the_tensors_do_not_have,
        mean_and_std_are_kept_in_the_file_and_others_stay_as_they_were,
        bad_mean_and_std_in_a_file_are_refused,
        parameters_go_to_a_network_of_the_same_architecture_alone,
        parameters_of_a_network_wired_otherwise_are_refused,
        parameters_of_robnets_are_known_by_their_codes,
        memory_that_runs_short_is_reported_and_nothing_leaks,
        the_reference_network_is_read_with_its_genotype,
        NULL};
    return suite_of("network files", tests);
}
