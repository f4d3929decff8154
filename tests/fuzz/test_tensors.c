// SPDX-License-Identifier: Apache-2.0
//
// Changes of files in each format that holds tensors.

#include "fuzz/mutate.h"
#include "io/io.h"
#include "support/files.h"

enum { ROUNDS = 4000 / FUZZ_SHARE };

static void fuzz_format(const char *ending, size_t tensors)
{
    static const float data[12] = {1, 2, 3, 4, 5, 6};
    static const int64_t dims[] = {2, 3, 2};
    wsr__st_builder *builder = NULL;
    char name[32];
    (void)snprintf(name, sizeof(name), "a.%s", ending);
    const char *const path = path_in(scratch_folder("fuzz"), name);
    ck_assert_ok(wsr__st_builder_new(&builder));
    for (size_t i = 0; i < tensors; i++) {
        (void)snprintf(name, sizeof(name), tensors == 1 ? "arr_%zu" : "w%zu.x",
                       i);
        ck_assert_ok(
            wsr__st_add(builder, name, WSR__ST_F32, data, dims, i + 1));
    }
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
    bytes b = get_file(path);
    fuzz_file(b.data, b.size, ROUNDS);
    bytes_free(&b);
}

START_TEST(changed_files_do_no_harm)
{
    fuzz_format("safetensors", 3);
    fuzz_format("pth", 3);
    fuzz_format("npz", 3);
    fuzz_format("npy", 1);
}
END_TEST

// The pickle of a checkpoint in a bare file: protocol 2, as torch.save writes.
START_TEST(changed_pickles_do_no_harm)
{
    static const char pickle[] =
        "\x80\2}q\0(X\5\0\0\0epochq\1K\3X\x0a\0\0\0state_dictq\2ccollections\n"
        "OrderedDict\nq\3)Rq\4X\1\0\0\0aq\5ctorch._utils\n_rebuild_tensor_v2\n"
        "q\6(("
        "X\7\0\0\0storageq\7ctorch\nFloatStorage\nq\x08X\1\0\0\0000q\x09X\3"
        "\0\0\0cpuq\x0aK\6tq\x0bQK\0K\2K\3\x86q\x0cK\3K\1\x86q\x0d\x89h\3)Rq"
        "\x0etq\x0fRq\x10s(\x88G?\xf0\0\0\0\0\0\0\x8a\2\xe8\3NNe]q\x11(K\1K\2e"
        "u.";
    fuzz_file((const unsigned char *)pickle, sizeof(pickle) - 1, 10 * ROUNDS);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {changed_files_do_no_harm,
                                  changed_pickles_do_no_harm, NULL};
    return suite_of("fuzz tensors", tests);
}
