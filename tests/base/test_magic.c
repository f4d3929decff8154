// SPDX-License-Identifier: Apache-2.0

#include "base/magic.h"
#include "support/support.h"

#include <string.h>

#define ROW(bytes, what)                                        \
    {                                                           \
        (const unsigned char *)(bytes), sizeof(bytes) - 1, what \
    }

START_TEST(files_are_known_by_their_first_bytes)
{
    static const struct {
        const unsigned char *bytes;
        size_t size;
        const char *what;
    } rows[] = {
        ROW("PK\x03\x04....model/data.pkl...", "a PyTorch file of torch.save"),
        ROW("PK\x03\x04....m/data.pkl..m/constants.pkl",
            "a TorchScript archive"),
        ROW("PK\x03\x04....arr_0.npy", "a NumPy .npz archive"),
        ROW("PK\x03\x04....readme.txt", "a zip archive"),
        ROW("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
            "a PyTorch file of torch.save in its old format"),
        ROW("\x80\x02}q", "a Python pickle"),
        ROW("\x80\x04\x95...", "a Python pickle"),
        ROW("\x08\x07\x12\x07pytorch", "an ONNX model"),
        ROW("\x08\x08:\xff\x01", "an ONNX model"),
        ROW("\x08\x01\x12\xff\x01\n", "a TensorFlow SavedModel"),
        ROW("\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        ROW("\x93NUMPY\x01", "a NumPy array"),
        ROW("GGUF\x03", "a GGUF file"),
        ROW("\x1c\0\0\0TFL3", "a TensorFlow Lite model"),
        ROW("BZh91AY&SY", "bzip2 data"),
        ROW("\xfd"
            "7zXZ\0\0",
            "xz data"),
        ROW("\x28\xb5\x2f\xfd$", "Zstandard data"),
        ROW("\x1f\x8b\x08", "gzip data"),
        ROW("version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer, not the file itself"),
        ROW("<!DOCTYPE html>", "an HTML page"),
        ROW("\x40\0\0\0\0\0\0\0{\"a\"", "a safetensors file"),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const wsr__magic *const m = wsr__magic_of(rows[i].bytes, rows[i].size);
        ck_assert_msg(m != NULL, "%s is not known", rows[i].what);
        ck_assert_str_eq(m->what, rows[i].what);
    }
}
END_TEST

START_TEST(the_end_of_a_zip_archive_counts)
{
    static unsigned char bytes[1 << 20];
    static const char start[] = "PK\x03\x04 m/data.pkl";
    static const char end[] = "m/constants.pkl";
    memcpy(bytes, start, sizeof(start));
    memcpy(bytes + sizeof(bytes) - 40, end, sizeof(end));
    const wsr__magic *const m = wsr__magic_of(bytes, sizeof(bytes));
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(m->what, "a TorchScript archive");
}
END_TEST

START_TEST(other_bytes_are_nothing_known)
{
    static const char *const texts[] = {
        "", "P", "name: x\n", "Genotype(", "BZh is a word", "{\"normal\": []}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        ck_assert_ptr_null(
            wsr__magic_of((const unsigned char *)texts[i], strlen(texts[i])));
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {files_are_known_by_their_first_bytes,
                                  the_end_of_a_zip_archive_counts,
                                  other_bytes_are_nothing_known, NULL};
    return suite_of("magic", tests);
}
