// SPDX-License-Identifier: Apache-2.0
//
// Networks as ONNX files: every kind comes back with the same bits, and what
// cannot be written leaves nothing behind.

#include "io/io.h"
#include "net/net.h"
#include "onnx/round_trip.h"
#include "onnx/write.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static wsr_graph *graph_of(const wsr_net *net)
{
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_net_graph(&graph, net, false));
    return graph;
}

static size_t files_in(const char *folder)
{
    size_t n = 0;
    DIR *const dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n += e->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(dir);
    return n;
}

// Parameters as after some training: batch norms that do something.
static void disturb(wsr_net *net)
{
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; k < p->count && !p->integer; k++) {
            p->data[k] += 0.01f * (float)((k * 7 + (int64_t)i) % 13);
        }
        wsr__param_touch(p);
    }
}

// What was read has the network's names and numbers.
static void check_params(const wsr_net *net, const wsr_net *loaded)
{
    const wsr_params *const read = wsr_net_params(loaded);
    for (size_t i = 0; i < wsr_params_count(read); i++) {
        const wsr__param *const p = wsr__params_at(read, i);
        const wsr__param *const own =
            wsr__params_named(wsr_net_params(net), p->name);
        ck_assert_msg(own != NULL, "%s", p->name);
        ck_assert(wsr_shape_equal(&p->shape, &own->shape));
        ck_assert(p->integer || same_bits(p->data, own->data,
                                          (size_t)p->count * sizeof(float)));
    }
}

// Saved, loaded as a network of its own kind, and saved and loaded again.
static void check_net(wsr_net *net, const char *what)
{
    const char *const folder = scratch_folder("kinds");
    wsr_net *loaded = NULL;
    wsr_net *again = NULL;
    disturb(net);
    ck_assert_ok(wsr_net_save(net, path_in(folder, "a.onnx")));
    ck_assert_ok(wsr_net_save(net, path_in(folder, "b.onnx")));
    rt_same_files(path_in(folder, "a.onnx"), path_in(folder, "b.onnx"));
    ck_assert_ok(wsr_net_load(&loaded, path_in(folder, "a.onnx"), NULL));
    ck_assert_str_eq(wsr_net_kind(loaded), "onnx");
    ck_assert_ok(wsr_net_save(loaded, path_in(folder, "c.onnx")));
    ck_assert_ok(wsr_net_load(&again, path_in(folder, "c.onnx"), NULL));
    wsr_graph *const graphs[] = {graph_of(net), graph_of(loaded),
                                 graph_of(again)};
    rt_same(graphs[0], graphs[1], what);
    rt_same(graphs[0], graphs[2], what);
    check_params(net, loaded);
    for (int i = 0; i < 3; i++) {
        wsr_graph_free(graphs[i]);
    }
    wsr_net_free(again);
    wsr_net_free(loaded);
}

START_TEST(networks_of_every_kind_come_back_with_the_same_bits)
{
    static const char *const rows[][2] = {
        {"network", "genotype=cna_r,channels=4,layers=3,image_size=16,"
                    "mean=[0.4914,0.4822,0.4465],std=[0.247,0.2435,0.2616]"},
        {"network", "genotype=DARTS_V2,channels=4,layers=3,image_size=32,"
                    "auxiliary=true,drop_path=0.2"},
        {"network", "genotype=cna_r,channels=4,layers=3,stem=imagenet,"
                    "image_size=64,std=0.5"},
        {"resnet", "width=8,mean=0.5"},
        {"resnet", "width=8,pre_activation=true"},
        {"resnet", "width=8,stem=imagenet,image_size=64"},
        {"wrn", "depth=10,width=1,image_size=32"},
        {"wrn", "depth=10,width=2,image_size=34"},
        {"small_cnn", "dropout=0.5"},
        {"resnet", "width=8,depth=50,stem=imagenet,image_size=64"},
        {"robnet", "codes=robnet_large_v1,channels=4,layers=3,image_size=16"},
        {"boost", "base=wrn:depth=10\\,width=1,image_size=12,genotype=cna_r,"
                  "mean=0.5"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wsr_net *net = NULL;
        ck_assert_ok(wsr_net_new_kind(&net, rows[i][0], rows[i][1], 1));
        check_net(net, rows[i][1]);
        wsr_net_free(net);
    }
}
END_TEST

// They have a graph for each path.
START_TEST(supernets_are_refused)
{
    wsr_net *net = NULL;
    const char *const folder = scratch_folder("supernet");
    ck_assert_ok(wsr_net_new_kind(&net, "supernet",
                                  "channels=4,layers=2,image_size=16", 1));
    ck_assert_fails(wsr_net_save(net, path_in(folder, "s.onnx")), WSR_ARG,
                    "path");
    ck_assert_uint_eq(files_in(folder), 0);
    wsr_net_free(net);
}
END_TEST

static wsr_status write_op(const char *op, const char *options)
{
    const rt_case c = {.op = op, .options = options};
    rt_model m = rt_model_of(&c);
    const char *const folder = scratch_folder("refused");
    const wsr_status status =
        wsr__onnx_write(m.graph, path_in(folder, "net.onnx"), NULL, 0);
    ck_assert_uint_eq(files_in(folder), status == WSR_OK ? 1 : 0);
    rt_close(&m);
    return status;
}

START_TEST(ops_without_an_operator_are_named)
{
    ck_assert_fails(write_op("vector_norm", NULL), WSR_UNSUPPORTED,
                    "net.onnx: the op 'vector_norm' has no operator");
    ck_assert_fails(write_op("softplus", "threshold=7"), WSR_UNSUPPORTED,
                    "the op 'softplus' has a threshold");
    ck_assert_fails(write_op("concat", "axis=0"), WSR_UNSUPPORTED,
                    "the op 'concat' joins batches");
    ck_assert_fails(write_op("chunk", "axis=0"), WSR_UNSUPPORTED,
                    "the op 'chunk' takes some images of a batch");
}
END_TEST

// Ops that only losses, searches and training have.
START_TEST(every_other_op_is_written)
{
    static const char *const rest[] = {"batched_dot",
                                       "binary_cross_entropy",
                                       "cell_adjacency",
                                       "cell_operations",
                                       "cross_entropy",
                                       "gin_aggregate",
                                       "group_norm",
                                       "kl_div",
                                       "l2_normalize",
                                       "lstm",
                                       "mse",
                                       "per_sample_scale",
                                       "vector_norm",
                                       "weighted_sum"};
    for (size_t i = 0; wsr__ops.classes[i] != NULL; i++) {
        const char *const op = wsr__ops.classes[i]->name;
        bool refused = false;
        for (size_t k = 0; k < sizeof(rest) / sizeof(rest[0]); k++) {
            refused = refused || wsr__streq(rest[k], op);
        }
        ck_assert_msg((wsr__onnx_row_for(op) == NULL) == refused, "%s", op);
    }
}
END_TEST

START_TEST(a_bad_place_is_one_line_and_leaves_nothing)
{
    wsr_net *net = NULL;
    const char *const folder = scratch_folder("places");
    ck_assert_ok(wsr_net_new_kind(&net, "small_cnn", NULL, 1));
    ck_assert_fails(wsr_net_save(net, path_in(folder, "no/net.onnx")), WSR_IO,
                    "no/net.onnx");
    ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    ck_assert_int_eq(mkdir(path_in(folder, "dir.onnx"), 0777), 0);
    ck_assert_int_ne(wsr_net_save(net, path_in(folder, "dir.onnx")), WSR_OK);
    ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    ck_assert_uint_eq(files_in(folder), 1);
    wsr_net_free(net);
}
END_TEST

// What was there stays until the new file is whole.
START_TEST(a_full_disk_keeps_the_old_file)
{
    wsr_net *net = NULL;
    if (access("/dev/full", W_OK) != 0) {
        return;
    }
    ck_assert_ok(wsr_net_new_kind(&net, "small_cnn", NULL, 1));
    const char *const folder = scratch_folder("full");
    ck_assert_int_eq(symlink("/dev/full", path_in(folder, "net.onnx")), 0);
    ck_assert_fails(wsr_net_save(net, path_in(folder, "net.onnx")), WSR_IO,
                    "net.onnx");
    ck_assert_uint_eq(files_in(folder), 1);
    wsr_net_free(net);
}
END_TEST

// Tensors without a graph are no ONNX file, and a graph no file of tensors.
START_TEST(formats_are_not_mixed)
{
    wsr__st_builder *builder = NULL;
    wsr_net *net = NULL;
    wsr_net *loaded = NULL;
    const char *const folder = scratch_folder("mixed");
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_fails(wsr__st_write(builder, path_in(folder, "t.onnx")), WSR_ARG,
                    "an ONNX file holds a network");
    wsr__st_builder_free(builder);
    ck_assert_ok(wsr_net_new_kind(&net, "small_cnn", NULL, 1));
    ck_assert_ok(wsr_net_save(net, path_in(folder, "net.onnx")));
    ck_assert_ok(wsr_net_load(&loaded, path_in(folder, "net.onnx"), NULL));
    ck_assert_fails(wsr_net_save(loaded, path_in(folder, "net.safetensors")),
                    WSR_ARG, "is written as .onnx");
    ck_assert_uint_eq(files_in(folder), 1);
    wsr_net_free(loaded);
    wsr_net_free(net);
}
END_TEST

// The normalisation is in the file: nobody has to say it again.
START_TEST(the_normalisation_is_in_the_file)
{
    wsr_net *net = NULL;
    wsr_net *loaded = NULL;
    wsr__onnx_row const *row = wsr__onnx_row_for("normalize");
    const char *const folder = scratch_folder("normalised");
    ck_assert_ptr_nonnull(row);
    ck_assert_ok(wsr_net_new_kind(&net, "small_cnn", "mean=0.25,std=0.5", 1));
    ck_assert_ok(wsr_net_save(net, path_in(folder, "net.onnx")));
    ck_assert_ok(wsr_net_load(&loaded, path_in(folder, "net.onnx"), NULL));
    ck_assert_uint_eq(loaded->options->normalize.mean.n, 0);
    ck_assert_uint_eq(wsr_params_count(wsr_net_params(loaded)),
                      wsr_params_count(wsr_net_params(net)));
    wsr_net_free(loaded);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        networks_of_every_kind_come_back_with_the_same_bits,
        supernets_are_refused,
        ops_without_an_operator_are_named,
        every_other_op_is_written,
        a_bad_place_is_one_line_and_leaves_nothing,
        a_full_disk_keeps_the_old_file,
        formats_are_not_mixed,
        the_normalisation_is_in_the_file,
        NULL};
    return suite_of("io onnx", tests);
}
