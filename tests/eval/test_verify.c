// SPDX-License-Identifier: Apache-2.0
//
// The check of saved images: files of an evaluation pass, each kind of damage
// is found and counted, bad files get one line.

#include "io/io.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"
#include "wsr/eval.h"
#include "wsr/net.h"
#include "wsr/verify.h"

#include <math.h>
#include <string.h>

enum { N = 6, D = 3 * 16 * 16 };

static const char data_spec[] =
    "data.spec=synthetic:size=16,test_count=24,classes=3";

static float clean[N * D];
static int64_t labels[N];
static char dir[500];

// A network, and the clean images.
static void begin(void)
{
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    wsr_dataset *data = NULL;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("verify"));
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&net, genotype,
                             "channels=4,layers=2,classes=3,image_size=16", 7));
    ck_assert_ok(wsr_net_save(net, path_in(dir, "net.safetensors")));
    ck_assert_ok(wsr_dataset_open(&data, data_spec + strlen("data.spec="),
                                  "test", NULL));
    const size_t index[N] = {0, 1, 2, 3, 4, 5};
    ck_assert_ok(wsr_dataset_images(clean, data, index, N));
    for (size_t i = 0; i < N; i++) {
        labels[i] = wsr_dataset_labels(data)[i];
    }
    wsr_dataset_free(data);
    wsr_net_free(net);
    wsr_genotype_free(genotype);
}

static wsr_config *config_of(const char *file, const char *const *more)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_put(config, "net.file",
                                path_in(dir, "net.safetensors"), "test"));
    ck_assert_ok(
        wsr_config_put(config, "verify.file", path_in(dir, file), "test"));
    for (size_t i = 0; more[i] != NULL; i++) {
        ck_assert_ok(wsr_config_set(config, more[i]));
    }
    return config;
}

static const char *const usual[] = {"attack.eps=0.1", "verify.norm=linf", NULL};

// A file of adversarial images of others.
static void put(const char *name, const float *images, size_t n,
                bool with_clean)
{
    wsr__st_builder *b = NULL;
    const int64_t dims[4] = {(int64_t)n, 3, 16, 16};
    const int64_t all[4] = {N, 3, 16, 16};
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add(b, "x_adv", WSR__ST_F32, images, dims, 4));
    if (with_clean) {
        ck_assert_ok(wsr__st_add(b, "x", WSR__ST_F32, clean, all, 4));
        ck_assert_ok(wsr__st_add_i64(b, "y", labels, N));
    }
    ck_assert_ok(wsr__st_write(b, path_in(dir, name)));
    wsr__st_builder_free(b);
}

static wsr_verification *check(const char *file, const char *const *options,
                               const char *out)
{
    wsr_verification *v = NULL;
    wsr_config *const config = config_of(file, options);
    ck_assert_ok(wsr_verify_run(&v, config, out));
    wsr_config_free(config);
    return v;
}

START_TEST(images_of_an_evaluation_pass)
{
    static const char *const attack[] = {
        "attack.list=pgd:steps=3,pgdl2:steps=2", "attack.eps=0.05,0.2",
        "attack.count=6", data_spec, NULL};
    static const char *const none[] = {NULL};
    static const char *const data[] = {data_spec, NULL};
    static const char *const files[] = {"a.npz", "a.safetensors"};
    begin();
    for (size_t i = 0; i < 2; i++) {
        wsr_config *config = NULL;
        const wsr_verify_row *rows = NULL;
        ck_assert_ok(wsr_config_new(&config));
        ck_assert_ok(wsr_config_put(config, "net.file",
                                    path_in(dir, "net.safetensors"), "test"));
        for (size_t k = 0; attack[k] != NULL; k++) {
            ck_assert_ok(wsr_config_set(config, attack[k]));
        }
        ck_assert_ok(wsr_config_put(config, "attack.save",
                                    path_in(dir, files[i]), "test"));
        ck_assert_ok(wsr_eval_run(NULL, config, NULL, false, NULL, NULL));
        wsr_config_free(config);
        wsr_verification *const v = check(files[i], i == 0 ? none : data, NULL);
        ck_assert_uint_eq(wsr_verification_rows(&rows, v), 4);
        ck_assert_uint_eq(wsr_verification_violations(v), 0);
        ck_assert_str_eq(rows[1].name, "0.1.images");
        ck_assert_str_eq(rows[3].norm, "l2");
        ck_assert_uint_eq(rows[1].images, N);
        ck_assert_uint_le(rows[0].claimed, rows[1].claimed);
        ck_assert_double_le(rows[1].largest, (double)0.2f);
        ck_assert_ptr_null(rows[1].worst);
        wsr_verification_free(v);
    }
}
END_TEST

START_TEST(each_kind_of_damage_is_found)
{
    static float images[N * D];
    const wsr_verify_row *row = NULL;
    begin();
    memcpy(images, clean, sizeof(images));
    images[D + 5] = NAN;
    images[2 * D + 7] = 1.25f;
    images[4 * D] += images[4 * D] > 0.5f ? -0.125f : 0.125f;
    images[5 * D] += images[5 * D] > 0.5f ? -0.0625f : 0.0625f;
    put("b.npz", images, N, true);
    char out[600];
    (void)snprintf(out, sizeof(out), "%s", path_in(dir, "result"));
    wsr_verification *const v = check("b.npz", usual, out);
    ck_assert_uint_eq(wsr_verification_rows(&row, v), 1);
    ck_assert_uint_eq(row->not_finite, 1);
    ck_assert_uint_eq(row->outside_range, 1);
    ck_assert_uint_eq(row->outside_ball, 2);
    ck_assert_str_eq(row->worst, "not_finite");
    ck_assert_uint_eq(row->worst_image, 1);
    ck_assert_uint_eq(wsr_verification_violations(v), 4);
    wsr_verification_free(v);
    bytes text = get_file(path_in(out, "results.json"));
    bytes_add(&text, "", 1);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "\"violations\":4,"));
    ck_assert_ptr_nonnull(
        strstr((char *)text.data, "\"worst\":\"not_finite\""));
    bytes_free(&text);
    // The same with a ball that is large enough for one of them.
    static const char *const l2[] = {"attack.eps=0.13", "verify.norm=l2", NULL};
    wsr_verification *const w = check("b.npz", l2, NULL);
    (void)wsr_verification_rows(&row, w);
    ck_assert_uint_eq(row->outside_ball, 1);
    wsr_verification_free(w);
}
END_TEST

// A file that calls a clean image adversarial.
START_TEST(a_false_claim_is_found)
{
    wsr__st_builder *b = NULL;
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    float logits[N * 3];
    const int64_t dims[4] = {N, 3, 16, 16};
    const uint8_t claims[N] = {0, 1};
    const wsr_verify_row *row = NULL;
    static const char *const none[] = {NULL};
    begin();
    ck_assert_ok(wsr_net_load(&net, path_in(dir, "net.safetensors"), NULL));
    ck_assert_ok(wsr_model_from_net(&model, net, 4));
    ck_assert_ok(wsr_model_logits(logits, model, clean, N));
    for (size_t i = 0; i < N; i++) { // what the network says
        const float *const z = logits + 3 * i;
        labels[i] = z[0] >= z[1] && z[0] >= z[2] ? 0 : z[1] >= z[2] ? 1 : 2;
    }
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add(b, "0.0.images", WSR__ST_F32, clean, dims, 4));
    ck_assert_ok(wsr__st_add_u8(b, "0.0.success", claims, N));
    ck_assert_ok(wsr__st_set(b, "0.0.norm", "linf"));
    ck_assert_ok(wsr__st_set(b, "0.0.eps", "0.03"));
    ck_assert_ok(wsr__st_add(b, "clean", WSR__ST_F32, clean, dims, 4));
    ck_assert_ok(wsr__st_add_i64(b, "labels", labels, N));
    ck_assert_ok(wsr__st_write(b, path_in(dir, "c.safetensors")));
    wsr__st_builder_free(b);
    wsr_verification *const v = check("c.safetensors", none, NULL);
    (void)wsr_verification_rows(&row, v);
    ck_assert_uint_eq(row->claimed, 1);
    ck_assert_uint_eq(row->recognised, 1);
    ck_assert_uint_eq(row->worst_image, 1);
    ck_assert_str_eq(row->worst, "recognised");
    ck_assert_double_gt(row->worst_by, 0);
    wsr_verification_free(v);
    wsr_model_free(model);
    wsr_net_free(net);
}
END_TEST

START_TEST(bad_files_get_one_line)
{
    static const struct {
        const char *file;
        const char *const options[5];
        wsr_status code;
        const char *words;
    } rows[] = {
        {"none.npz",
         {"attack.eps=0.1", "verify.norm=linf"},
         WSR_IO,
         "none.npz"},
        {"ok.npz", {"attack.eps=0.1"}, WSR_CONFIG, "verify.norm: ''"},
        {"ok.npz", {"verify.norm=linf"}, WSR_CONFIG, "attack.eps: is missing"},
        {"ok.npz",
         {"attack.eps=0.1,0.2", "verify.norm=linf"},
         WSR_CONFIG,
         "2 strengths"},
        {"ok.npz",
         {"attack.eps=0.1", "verify.norm=linf", "attack.list=pgd"},
         WSR_CONFIG,
         "attack.list: has no meaning"},
        {"ok.npz", {"verify.nrm=linf"}, WSR_CONFIG, "verify.norm"},
        {"alone.npz",
         {"attack.eps=0.1", "verify.norm=linf"},
         WSR_FORMAT,
         "no clean images"},
        {"few.npz",
         {"attack.eps=0.1", "verify.norm=linf"},
         WSR_SHAPE,
         "6 images, there are 2 clean"},
        {"alone.npz",
         {"attack.eps=0.1", "verify.norm=linf",
          "data.spec=synthetic:size=16,test_count=4,classes=3"},
         WSR_ARG,
         "has 4 images, the file 6"},
        {"ok.npz",
         {"attack.eps=0.1", "verify.norm=linf",
          "data.spec=synthetic:size=16,test_count=24,classes=3,seed=5"},
         WSR_ARG,
         "clean image 0 is not that of data.spec"},
    };
    begin();
    put("ok.npz", clean, N, true);
    put("alone.npz", clean, N, false);
    put("few.npz", clean, 2, true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wsr_config *const config = config_of(rows[i].file, rows[i].options);
        wsr_verification *v = (wsr_verification *)1;
        ck_assert_fails(wsr_verify_run(&v, config, path_in(dir, "nothing")),
                        rows[i].code, rows[i].words);
        ck_assert_ptr_null(v);
        ck_assert(!wsr__file_exists(path_in(dir, "nothing")));
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_of_an_evaluation_pass, each_kind_of_damage_is_found,
        a_false_claim_is_found, bad_files_get_one_line, NULL};
    return suite_of("eval/verify", tests);
}
