// SPDX-License-Identifier: Apache-2.0
//
// Files written under PyTorch: that they are read, and that the genotype that
// the alphas of one of them stand for is the one that it names.

#include "io/io.h"
#include "space/space.h"
#include "support/support.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 14, OPS = 8, SIZE = ROWS * OPS };

static void check_golden(const char *path)
{
    wsr__st *st = NULL;
    ck_assert_ok(wsr__st_open(&st, path));
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        ck_assert_ptr_eq(wsr__st_find(st, t->name), t);
    }
    wsr__st_free(st);
}

START_TEST(files_of_another_writer_are_read)
{
    char path[1024];
    float value = 0.0f;
    size_t files = 0;
    wsr__st *st = NULL;
    (void)snprintf(path, sizeof(path), "%s/golden", shared_folder());
    DIR *const dir = opendir(path);
    if (dir == NULL) {
        skip("the golden tensors are absent");
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strstr(e->d_name, ".safetensors") != NULL) {
            (void)snprintf(path, sizeof(path), "%s/golden/%s", shared_folder(),
                           e->d_name);
            check_golden(path);
            files++;
        }
    }
    (void)closedir(dir);
    ck_assert_uint_gt(files, 0);
    (void)snprintf(path, sizeof(path), "%s/golden/%s", shared_folder(),
                   "net_cifar_cna_r.safetensors");
    ck_assert_ok(wsr__st_open(&st, path));
    ck_assert_str_eq(wsr__st_metadata(st, "genotype_name"), "cna_r");
    ck_assert_ok(wsr__st_read_f32(&value, st, "eval.loss", 1));
    ck_assert_double_eq_tol((double)value, 2.3324682, 1e-5);
    wsr__st_free(st);
}
END_TEST

START_TEST(the_reference_genotype_is_derived_from_the_reference_alphas)
{
    char path[600];
    float alphas[2 * SIZE];
    wsr__st *st = NULL;
    wsr_genotype *expected = NULL;
    wsr_genotype *g = NULL;
    (void)snprintf(path, sizeof(path), "%s/golden/supernet_onehot.safetensors",
                   shared_folder());
    ck_assert_ok(wsr__st_open(&st, path));
    ck_assert_ok(wsr__st_read_f32(alphas, st, "alphas_normal", SIZE));
    ck_assert_ok(wsr__st_read_f32(alphas + SIZE, st, "alphas_reduce", SIZE));
    ck_assert_ok(wsr_genotype_parse(
        &expected, wsr__st_metadata(st, "genotype_from_alphas"), "golden"));
    ck_assert_ok(wsr_genotype_from_alphas(&g, alphas, (size_t)2 * ROWS, OPS,
                                          NULL, "found"));
    ck_assert(wsr_genotype_equal(g, expected));
    wsr_genotype_free(g);
    wsr_genotype_free(expected);
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        files_of_another_writer_are_read,
        the_reference_genotype_is_derived_from_the_reference_alphas,
        NULL,
    };
    return suite_of("io/golden", tests);
}
