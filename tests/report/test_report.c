// SPDX-License-Identifier: Apache-2.0

#include "report/report.h"
#include "support/files.h"
#include "support/support.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char genotype[] =
    "name: tiny\n"
    "normal: [[sep_conv_3x3, 0], [skip_connect, 1], [dil_conv_5x5, 2], "
    "[sep_conv_3x3, 0], [max_pool_3x3, 3], [skip_connect, 1], "
    "[sep_conv_5x5, 4], [avg_pool_3x3, 0]]\n"
    "normal_concat: [2, 3, 4, 5]\n"
    "reduce: [[sep_conv_3x3, 0], [sep_conv_3x3, 1], [skip_connect, 0], "
    "[skip_connect, 1], [skip_connect, 0], [skip_connect, 1], "
    "[skip_connect, 0], [skip_connect, 1]]\n"
    "reduce_concat: [2, 3, 4, 5]\n";

static const char log_lines[] =
    "{\"event\":\"start\",\"tool\":\"wsr-search\",\"version\":\"0.1.0\","
    "\"build\":\"two <threads>\",\"seed\":7}\n"
    "{\"event\":\"epoch\",\"phase\":\"search\",\"epoch\":0,\"loss\":2.5,"
    "\"val_loss\":2.25,\"random_baseline_objective\":1.25,\"accuracy\":0.25,"
    "\"rank_"
    "correlation\":0.5,\"skip_share\":0.125,"
    "\"seconds\":3,\"time\":{\"supernet\":1.5,\"attack\":0.5}}\n"
    "{\"event\":\"epoch\",\"phase\":\"search\",\"epoch\":1,\"loss\":1.5,"
    "\"unknown\":[{}],\"time_attack\":0.5}\n"
    "\n"
    "{\"event\":\"news\",\"loss\":987654}\n"
    "{\"event\":\"eval\",\"attack\":\"pgd\",\"norm\":\"linf\","
    "\"eps\":0.03137255,\"count\":100,\"clean_accuracy\":0.75,"
    "\"robust_accuracy\":0.375}\n"
    "{\"attack\":\"pgd\",\"norm\":\"linf\",\"eps\":0.06,\"count\":100,"
    "\"clean_accuracy\":0.75,\"robust_accuracy\":0.25,\"low\":0.125,"
    "\"high\":0.5}\n"
    "{\"summary\":\"mean\",\"attack\":\"pgd\",\"robust_accuracy\":0.5}\n"
    "{\"event\":\"done\",\"seconds\":125}\n";

static void put(const char *dir, const char *name, const char *text)
{
    ck_assert_ok(wsr__file_write(path_in(dir, name), text, strlen(text)));
}

// The page of a folder. [borrowed] until the next call
static const char *page_of(const char *dir)
{
    static unsigned char *page = NULL;
    size_t size = 0;
    wsr__free(page);
    page = NULL;
    ck_assert_ok(wsr_report_write(dir));
    ck_assert_ok(
        wsr__file_read(&page, &size, path_in(dir, "report.html"), 1 << 24));
    ck_assert_uint_eq(strlen((const char *)page), size);
    return (const char *)page;
}

#define ck_assert_has(page, words) \
    ck_assert_msg(strstr((page), (words)) != NULL, "'%s' is absent", words)
#define ck_assert_lacks(page, words) \
    ck_assert_msg(strstr((page), (words)) == NULL, "'%s' is present", words)

// Every tag must be closed in its order, and every & begin an entity.
static void check_well_formed(const char *page)
{
    enum { DEEPEST = 64 };
    const char *open[DEEPEST];
    size_t depth = 0;
    ck_assert_ptr_eq(strstr(page, "<!DOCTYPE html>"), page);
    for (const char *c = strchr(page + 2, '<'); c != NULL;) {
        const char *const end = strchr(c, '>');
        ck_assert_ptr_nonnull(end);
        const char *const name = c + 1 + (c[1] == '/');
        const size_t length = strcspn(name, " />\n");
        if (c[1] == '/') {
            ck_assert_uint_gt(depth, 0);
            depth--;
            ck_assert_msg(strncmp(open[depth], name, length) == 0,
                          "</%.20s closes <%.20s", name, open[depth]);
        } else if (end[-1] != '/') {
            ck_assert_uint_lt(depth, DEEPEST);
            open[depth++] = name;
        }
        c = strchr(end, '<');
    }
    ck_assert_uint_eq(depth, 0);
    for (const char *c = strchr(page, '&'); c != NULL; c = strchr(c + 1, '&')) {
        ck_assert_ptr_nonnull(memchr(c, ';', 8));
    }
}

START_TEST(searchers_of_a_comparison_are_a_table)
{
    const char *const dir = scratch_folder("searchers");
    put(dir, "log.jsonl",
        "{\"event\":\"start\",\"tool\":\"search\"}\n"
        "{\"event\":\"compare\",\"searcher\":\"wsr_nas\",\"passes\":5000,"
        "\"objective\":1.25,\"robust_accuracy\":0.375}\n"
        "{\"event\":\"compare\",\"searcher\":\"a<b\",\"passes\":null}\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, ">Searchers</h2>");
    ck_assert_has(page, "<td>wsr nas</td><td class=\"n\">5000</td>");
    ck_assert_has(page, "<td class=\"n\">37.5 %</td></tr>");
    ck_assert_has(page, "<td>a&lt;b</td>");
}
END_TEST

// A resumed run may log a corruption twice; groups are lines of the picture.
START_TEST(corruptions_and_curvature_have_sections)
{
    const char *const dir = scratch_folder("corruptions");
    put(dir, "log.jsonl",
        "{\"event\":\"start\",\"tool\":\"attack\"}\n"
        "{\"event\":\"corruption\",\"corruption\":\"none\",\"group\":"
        "\"clean\",\"severity\":0,\"count\":40,\"accuracy\":0.9,"
        "\"low\":0.8,\"high\":0.95}\n"
        "{\"event\":\"corruption\",\"corruption\":\"a<b\",\"group\":"
        "\"weather\",\"severity\":2,\"count\":40,\"accuracy\":0.125}\n"
        "{\"event\":\"corruption\",\"corruption\":\"a<b\",\"group\":"
        "\"weather\",\"severity\":2,\"count\":40,\"accuracy\":0.5,"
        "\"low\":0.4,\"high\":0.6}\n"
        "{\"event\":\"corruption\",\"corruption\":\"fog\",\"group\":"
        "\"weather\",\"severity\":2,\"count\":40,\"accuracy\":0.75}\n"
        "{\"event\":\"corruption\",\"corruption\":\"fog\",\"group\":null,"
        "\"severity\":null,\"accuracy\":null}\n"
        "{\"event\":\"hessian\",\"of\":\"params\",\"count\":32,"
        "\"size\":7430,\"top\":221.5,\"top_error\":null,\"trace\":393,"
        "\"trace_error\":11}\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, ">Accuracy under corruptions</h2>");
    ck_assert_has(page, "40 images, of which 90.0 % are recognised");
    ck_assert_has(page, "<td>a&lt;b</td>");
    ck_assert_has(page, "title=\"95 %: 40.0 to 60.0\">50.0 %</td>");
    ck_assert_lacks(page, "12.5 %");
    // The mean of both at severity 2, in the table and in the picture.
    ck_assert_has(page, "<tr class=\"sum\"><td>mean</td>");
    ck_assert_has(page, "<td class=\"n\">62.5 %</td>");
    ck_assert_has(page, "weather at severity 2: 62.5 %");
    ck_assert_has(page, ">Curvature of the loss</h2>");
    ck_assert_has(page, "393 ± 11");
}
END_TEST

// A predictor that comes again, after a stop, has one row, the later one.
START_TEST(predictors_that_rank_are_a_table)
{
    const char *const dir = scratch_folder("predictors");
    put(dir, "log.jsonl",
        "{\"event\":\"start\",\"tool\":\"search\"}\n"
        "{\"event\":\"predictor\",\"predictor\":\"lstm\","
        "\"architectures\":30,\"remembered\":100,\"holdout_clean_tau\":0.9}\n"
        "{\"event\":\"predictor\",\"predictor\":\"lstm\","
        "\"architectures\":30,\"remembered\":100,"
        "\"holdout_clean_tau\":0.25,\"holdout_clean_low\":-0.125,"
        "\"holdout_clean_high\":0.5,\"holdout_eps_0.03_tau\":0.75,"
        "\"holdout_eps_0.03_low\":null}\n"
        "{\"event\":\"predictor\",\"predictor\":\"gae:layers=<2\"}\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, ">Predictors</h2>");
    ck_assert_has(page, "over 30 architectures");
    ck_assert_has(page, "the same 100 architectures");
    ck_assert_has(page, "<th scope=\"col\" class=\"n\">clean</th>");
    ck_assert_has(page, "<td>lstm</td><td class=\"n\">0.25<br/><small>"
                        "-0.12 to 0.50</small></td>"
                        "<td class=\"n\">0.75</td></tr>");
    ck_assert_has(page, "<td>gae:layers=&lt;2</td></tr>");
    ck_assert_lacks(page, "0.90");
}
END_TEST

START_TEST(a_run_becomes_one_well_formed_page)
{
    const char *const dir = scratch_folder("full");
    put(dir, "log.jsonl", log_lines);
    put(dir, "genotype.yaml", genotype);
    put(dir, "config.yaml", "seed: 7\ndata:\n  spec: synthetic\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "<h1>Architecture search</h1>");
    ck_assert_has(page, "genotype tiny");
    ck_assert_has(page, "dil conv 5×5");
    ck_assert_has(page, "reduction cell");
    ck_assert_has(page, "8/255 (0.0314)");
    ck_assert_has(page, "37.5 %");
    ck_assert_has(page, "search: objective of the cells drawn");
    ck_assert_has(page, "search: losses of estimator and predictor");
    ck_assert_has(page, "28.6 – 47.3"); // Wilson's interval of 37.5 of 100
    ck_assert_has(page, "12.5 – 50.0"); // the log's own
    ck_assert_has(page, "<title>val loss: 2.25, epoch 0</title>");
    ck_assert_has(page, "<title>rank correlation: 0.5, epoch 0</title>");
    ck_assert_has(page, "search: edges without parameters");
    ck_assert_has(page, "<title>skip share: 12.5 %, epoch 0</title>");
    ck_assert_has(page, "supernet <b>1.5 s</b>, 43 %");
    ck_assert_has(page, "attack <b>1 s</b>, 29 %");
    ck_assert_has(page, "2 min 5 s");
    ck_assert_has(page, "<td>spec</td><td>synthetic</td>");
    ck_assert_has(page, "two &lt;threads&gt;");
    ck_assert_lacks(page, "987654");
    ck_assert_lacks(page, "<script");
    ck_assert_lacks(page, "nan");
}
END_TEST

// Links save what the page holds, or lead to its sections.
START_TEST(nothing_is_needed_from_elsewhere)
{
    const char *const dir = scratch_folder("alone");
    put(dir, "log.jsonl", log_lines);
    put(dir, "genotype.yaml", genotype);
    const char *const page = page_of(dir);
    ck_assert_lacks(page, "src=");
    for (const char *c = strstr(page, "href="); c != NULL;
         c = strstr(c + 1, "href=")) {
        const char *const to = c + strlen("href=\"");
        char id[80];
        (void)snprintf(id, sizeof(id), "id=\"%.*s\"",
                       (int)strcspn(to + 1, "\""), to + 1);
        ck_assert(strncmp(to, "data:", 5) == 0 ||
                  (*to == '#' && strstr(page, id) != NULL));
    }
    ck_assert_lacks(page, "url(");
    ck_assert_lacks(page, "@import");
    ck_assert_has(page, "<a href=\"#accuracy-over-strengths\">Accuracy over "
                        "strengths</a>");
}
END_TEST

static const char evaluation[] =
    "{\"attack\":\"fgsm\",\"options\":\"\",\"norm\":\"linf\",\"eps\":0.1,"
    "\"count\":4,\"clean_accuracy\":1,\"robust_accuracy\":0.5,"
    "\"class_accuracy\":[0.125,null]}\n"
    "{\"attack\":\"pgd\",\"options\":\"steps=7\",\"norm\":\"linf\","
    "\"eps\":0.1,\"count\":4,\"clean_accuracy\":1,\"robust_accuracy\":0.25,"
    "\"class_accuracy\":[0.5,0.0625]}\n"
    "{\"attack\":\"cw\",\"options\":\"\",\"norm\":\"l2\",\"eps\":0.1,"
    "\"count\":4,\"clean_accuracy\":1,\"robust_accuracy\":0.375}\n"
    "{\"summary\":\"worst_case\",\"norm\":\"linf\",\"eps\":0.1,\"count\":4,"
    "\"robust_accuracy\":0.1875}\n"
    "{\"summary\":\"worst_case\",\"norm\":\"l2\",\"eps\":0.1,\"count\":4,"
    "\"robust_accuracy\":0.375}\n"
    "{\"warning\":\"zero_gradients\",\"attack\":\"pgd:steps=7\","
    "\"norm\":\"linf\",\"eps\":0.1,\"detail\":\"8 of 9 <are> zero\","
    "\"remedy\":\"look elsewhere\"}\n"
    "{\"warning\":\"random\",\"attack\":null,\"norm\":null,\"eps\":null,"
    "\"detail\":\"other logits\",\"remedy\":\"average\"}\n";

START_TEST(an_evaluation_has_worst_case_classes_and_warnings)
{
    const char *const dir = scratch_folder("evaluation");
    put(dir, "log.jsonl", evaluation);
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "<tr><td>worst case</td>");
    ck_assert_has(page, "18.8 %");
    // One attack is its own worst case.
    ck_assert_ptr_null(strstr(strstr(page, "<h3>L2"), "worst case"));
    ck_assert_has(page, ">By class</h2>");
    ck_assert_has(page, "<tr><td>0</td><td class=\"n\">12.5 %</td></tr>");
    ck_assert_has(page, "<tr><td>1</td><td class=\"n\">–</td></tr>");
    ck_assert_has(page, ">Warnings</h2>");
    ck_assert_has(page, "<li><b>zero gradients</b> pgd:steps=7, linf at 0.1: "
                        "8 of 9 &lt;are&gt; zero.<br/><small>look elsewhere."
                        "</small></li>");
    ck_assert_has(page, "<li><b>random</b> other logits.");
}
END_TEST

START_TEST(images_of_8_bits_have_columns_where_they_were_measured)
{
    static const char measured[] =
        "{\"attack\":\"fgsm\",\"options\":\"\",\"norm\":\"linf\",\"eps\":0.1,"
        "\"count\":4,\"clean_accuracy\":1,\"robust_accuracy\":0.25,\"low\":0.1,"
        "\"high\":0.4,\"quantized_accuracy\":0.5,\"quantized_low\":0.3125,"
        "\"quantized_high\":0.6875}\n";
    const char *const dir = scratch_folder("quantized");
    put(dir, "log.jsonl", measured);
    const char *page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "robust, 8 bits");
    ck_assert_has(page, "<td class=\"n\">50.0 %</td><td class=\"n\">31.2 – "
                        "68.8</td>");
    put(dir, "log.jsonl", evaluation);
    page = page_of(dir);
    ck_assert_ptr_null(strstr(page, "8 bits"));
}
END_TEST

// Two images of 2 x 2 in three colours under one attack.
static void put_images(const char *dir, size_t shown)
{
    static const float clean[24] = {0.5f};
    static const float attacked[24] = {0.75f};
    static const unsigned char success[2] = {1, 0};
    static const unsigned char stands[2] = {0, 1};
    static const int32_t labels[2] = {3, 4};
    const int64_t four[4] = {(int64_t)shown, 3, 2, 2};
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add(b, "clean", WSR__ST_F32, clean, four, 4));
    ck_assert_ok(wsr__st_add(b, "0.0.images", WSR__ST_F32, attacked, four, 4));
    ck_assert_ok(wsr__st_add(b, "labels", WSR__ST_I32, labels, four, 1));
    ck_assert_ok(wsr__st_add(b, "0.0.success", WSR__ST_U8, success, four, 1));
    ck_assert_ok(wsr__st_add(b, "0.0.robust", WSR__ST_U8, stands, four, 1));
    ck_assert_ok(wsr__st_set(b, "0.0.attack", "pgd:steps=<7>"));
    ck_assert_ok(wsr__st_set(b, "0.0.eps", "0.25"));
    ck_assert_ok(wsr__st_write(b, path_in(dir, "images.safetensors")));
    wsr__st_builder_free(b);
}

START_TEST(images_are_shown_beside_what_attacks_made_of_them)
{
    const char *const dir = scratch_folder("images");
    put_images(dir, 2);
    const char *const page = page_of(dir);
    check_well_formed(page);
    size_t pictures = 0;
    for (const char *c = strstr(page, "<img "); c != NULL;
         c = strstr(c + 1, "<img ")) {
        pictures++;
        ck_assert_ptr_nonnull(strstr(c, "src=\"data:image/png;base64,"));
    }
    ck_assert_uint_eq(pictures, 3 * 2);
    ck_assert_has(page, "pgd:steps=&lt;7&gt; at 0.25");
    ck_assert_has(page, "<td>adversarial</td><td>robust</td>");
    // A file of something else is no reason for half a page.
    put(dir, "images.safetensors", "no tensors");
    ck_assert_fails(wsr_report_write(dir), WSR_FORMAT, "images.safetensors");
}
END_TEST

START_TEST(images_without_pixels_are_refused)
{
    const char *const dir = scratch_folder("pixels");
    const int64_t dims[4] = {1, 0, 1000, 1000};
    const int64_t label = 3;
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add(b, "clean", WSR__ST_F32, NULL, dims, 4));
    ck_assert_ok(wsr__st_add_i64(b, "labels", &label, 1));
    ck_assert_ok(wsr__st_add(b, "0.0.images", WSR__ST_F32, NULL, dims, 4));
    ck_assert_ok(wsr__st_set(b, "0.0.eps", "0.25"));
    ck_assert_ok(wsr__st_write(b, path_in(dir, "images.safetensors")));
    wsr__st_builder_free(b);
    ck_assert_fails(wsr_report_write(dir), WSR_FORMAT, "holds no images");
}
END_TEST

START_TEST(images_have_labels_and_predictions_with_names)
{
    const char *const dir = scratch_folder("names");
    static const float pixels[24] = {0.5f};
    static const unsigned char flags[2] = {1, 0};
    static const int64_t labels[2] = {3, 4};
    static const int64_t clean[2] = {3, 1};
    static const int64_t attacked[2] = {4, 1};
    const int64_t four[4] = {2, 3, 2, 2};
    wsr__st_builder *b = NULL;
    ck_assert_ok(wsr__st_builder_new(&b));
    ck_assert_ok(wsr__st_add(b, "clean", WSR__ST_F32, pixels, four, 4));
    ck_assert_ok(wsr__st_add(b, "0.0.images", WSR__ST_F32, pixels, four, 4));
    ck_assert_ok(wsr__st_add_i64(b, "labels", labels, 2));
    ck_assert_ok(wsr__st_add_i64(b, "predictions", clean, 2));
    ck_assert_ok(wsr__st_add_i64(b, "0.0.predictions", attacked, 2));
    ck_assert_ok(wsr__st_add(b, "0.0.success", WSR__ST_U8, flags, four, 1));
    ck_assert_ok(wsr__st_add(b, "0.0.robust", WSR__ST_U8, flags, four, 1));
    ck_assert_ok(wsr__st_set(b, "0.0.eps", "0.25"));
    ck_assert_ok(wsr__st_set(b, "class.1", "<cup>"));
    ck_assert_ok(wsr__st_set(b, "class.3", "ankle boot"));
    ck_assert_ok(wsr__st_write(b, path_in(dir, "images.safetensors")));
    wsr__st_builder_free(b);
    put(dir, "config.yaml", "attack:\n  target_class: 1\n");
    put(dir, "log.jsonl", evaluation);
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "<td>label</td><td>ankle boot</td><td>4</td>");
    ck_assert_has(page, "<td>prediction</td><td>ankle boot</td>"
                        "<td><b>&lt;cup&gt;</b></td>");
    ck_assert_has(page, "<td>prediction</td><td><b>4</b></td>"
                        "<td><b>&lt;cup&gt;</b></td>");
    ck_assert_has(page, "<tr><td>1 (&lt;cup&gt;)</td>"); // by class
    ck_assert_has(page, "Attacks towards class 1 (&lt;cup&gt;), whose own");
}
END_TEST

static void expect_link(const char *page, const char *name, const char *type,
                        const char *text)
{
    wsr__str link = {0};
    wsr__str_addf(&link,
                  "<a download=\"%s\" href=\"data:%s;charset=utf-8;base64,",
                  name, type);
    wsr__add_base64(&link, (const unsigned char *)text, strlen(text));
    wsr__str_add(&link, "\">");
    ck_assert_has(page, link.s);
    wsr__str_free(&link);
}

static const char saved[] =
    "{\"event\":\"start\",\"version\":\"1.2.3\"}\n"
    "{\"event\":\"epoch\",\"phase\":\"train\",\"epoch\":1,\"loss\":0.1}\n"
    "{\"event\":\"epoch\",\"phase\":\"train\",\"epoch\":2,\"loss\":0.05,"
    "\"seconds\":3}\n"
    "{\"event\":\"eval\",\"attack\":\"pgd_50%\",\"options\":\"a=\\\"b\\\","
    "c=2\",\"norm\":\"linf\",\"eps\":0.1,\"count\":4,"
    "\"clean_accuracy\":1,\"robust_accuracy\":0.3,\"robust_low\":0.25,"
    "\"robust_high\":0.5,\"class_accuracy\":[0.3,null]}\n"
    "{\"event\":\"eval\",\"attack\":\"fgsm\",\"norm\":\"linf\","
    "\"eps\":0.03137255,\"robust_accuracy\":0.5}\n";

START_TEST(the_numbers_can_be_saved_from_the_page)
{
    const char *const dir = scratch_folder("csv");
    put(dir, "log.jsonl", saved);
    const char *const page = page_of(dir);
    check_well_formed(page);
    expect_link(
        page, "accuracies.csv", "text/csv",
        "net,attack,options,norm,eps,count,clean_accuracy,"
        "robust_accuracy,robust_low,robust_high,class_0,class_1\n"
        "\"\",\"pgd_50%\",\"a=\"\"b\"\",c=2\",\"linf\",0.1,4,1,0.3,0.25,0.5,"
        "0.3,\n"
        "\"\",\"fgsm\",\"\",\"linf\",0.03137255,,,0.5,,,,\n");
    expect_link(page, "epochs.csv", "text/csv",
                "phase,unit,name,epoch,value\n"
                "\"train\",\"loss\",\"loss\",1,0.1\n"
                "\"train\",\"loss\",\"loss\",2,0.05\n"
                "\"train\",\"seconds\",\"train\",2,3\n");
    expect_link(page, "epochs.json", "application/json",
                "[\n{\"phase\":\"train\",\"unit\":\"loss\",\"name\":\"loss\","
                "\"epoch\":1.0,\"value\":0.1},\n"
                "{\"phase\":\"train\",\"unit\":\"loss\",\"name\":\"loss\","
                "\"epoch\":2.0,\"value\":0.05},\n"
                "{\"phase\":\"train\",\"unit\":\"seconds\",\"name\":\"train\","
                "\"epoch\":2.0,\"value\":3.0}\n]\n");
    ck_assert_has(page, "<a download=\"accuracies.json\" "
                        "href=\"data:application/json;");
}
END_TEST

// A column for each strength of any curve.
START_TEST(the_spectrum_can_be_saved_for_latex)
{
    const char *const dir = scratch_folder("latex");
    put(dir, "log.jsonl", saved);
    expect_link(page_of(dir), "accuracy-linf.tex", "application/x-tex",
                "% Robust accuracy in percent over the strength (norm linf, "
                "pixels from 0 to 1),\n"
                "% 95 % intervals of Wilson, 4 images; libwsr 1.2.3.\n"
                "% Needs \\usepackage{booktabs}.\n"
                "\\begin{tabular}{lrrr}\n"
                "\\toprule\n"
                "attack & clean & $8/255$ & $0.1$ \\\\\n"
                "\\midrule\n"
                "pgd\\_50\\% {\\scriptsize a=\"b\",c=2} & 100.0 & -- & 30.0 "
                "\\\\\n"
                " & & & {\\scriptsize 25.0--50.0} \\\\\n"
                "fgsm & -- & 50.0 & -- \\\\\n"
                " & & & \\\\\n"
                "\\bottomrule\n"
                "\\end{tabular}\n");
}
END_TEST

// The file that a link of the page saves, decoded. The caller frees it.
static char *saved_file(const char *page, const char *name)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char link[96];
    (void)snprintf(link, sizeof(link), "download=\"%s\"", name);
    ck_assert_has(page, link);
    const char *c = strstr(strstr(page, link), "base64,") + strlen("base64,");
    char *const text = calloc(strcspn(c, "\"") + 1, 1);
    size_t n = 0;
    unsigned bits = 0;
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; *c != '"' && *c != '='; c++, i++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *c) - digits);
        if (i % 4 != 0) {
            text[n++] = (char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return text;
}

// Pictures outside the page have their colours and their legend in them.
START_TEST(pictures_can_be_saved_from_the_page)
{
    const char *const dir = scratch_folder("svg");
    put(dir, "log.jsonl", saved);
    put(dir, "genotype.yaml", genotype);
    const char *const page = page_of(dir);
    char *const svg = saved_file(page, "accuracy-linf.svg");
    ck_assert_has(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=");
    ck_assert_has(svg, ".line.c0,");
    ck_assert_has(svg, "class=\"line c1 d0\"");
    ck_assert_has(svg, "pgd_50% <tspan class=\"note\">a=&quot;b&quot;,c=2"
                       "</tspan></text>");
    ck_assert_lacks(svg, "var(");
    ck_assert_lacks(svg, "<b>");
    ck_assert_str_eq(svg + strlen(svg) - 7, "</svg>\n");
    free(svg);
    char *const cell = saved_file(page, "normal-cell.svg");
    ck_assert_has(cell, "<title>normal cell</title>");
    ck_assert_has(cell, "sep conv 3×3");
    free(cell);
    char *const loss = saved_file(page, "train-loss.svg");
    ck_assert_has(loss, "<tspan class=\"strong\">0.05</tspan>");
    free(loss);
}
END_TEST

// Each curve has a colour, dashes and marks that no other one has.
START_TEST(many_curves_can_be_told_apart)
{
    enum { CURVES = 64, STYLE = 160 };
    static char styles[CURVES][STYLE];
    const char *const dir = scratch_folder("many");
    wsr__str log = {0};
    for (int i = 0; i < CURVES; i++) {
        wsr__str_addf(&log,
                      "{\"event\":\"eval\",\"attack\":\"a%d\",\"norm\":"
                      "\"linf\",\"eps\":0.1,\"robust_accuracy\":0.5}\n",
                      i);
    }
    put(dir, "log.jsonl", log.s);
    wsr__str_free(&log);
    const char *at = page_of(dir);
    check_well_formed(at);
    ck_assert_has(at, "strength ε (L∞; pixel range 0 to 1)");
    for (size_t i = 0; i < CURVES; i++) {
        at = strstr(at, "<svg class=\"key\"");
        ck_assert_ptr_nonnull(at);
        at = strstr(at, "<path class=\"line ");
        const size_t n = (size_t)(strstr(at, "</svg>") - at);
        ck_assert_uint_lt(n, STYLE);
        memcpy(styles[i], at, n);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(styles[k], styles[i]);
        }
    }
}
END_TEST

START_TEST(a_min_norm_attack_is_drawn_at_every_strength)
{
    const char *const dir = scratch_folder("curve");
    put(dir, "log.jsonl",
        "{\"event\":\"curve\",\"attack\":\"fab\",\"options\":\"\",\"norm\":"
        "\"linf\",\"count\":4,\"eps\":[0,0.1,0.2],\"robust_accuracy\":[0.75,"
        "0.5,0.25]}\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    // Two corners a step: 0.75 up to 0.1, 0.5 up to 0.2, then 0.25.
    const char *const axes = strstr(page, "class=\"axis");
    ck_assert_ptr_nonnull(axes); // the legend has a line as well
    const char *const line = strstr(axes, "class=\"line c0 d0\" d=\"M");
    ck_assert_ptr_nonnull(line);
    const char *const path = strchr(line, 'M');
    size_t corners = 0;
    for (const char *c = path; *c != '"'; c++) {
        corners += *c == 'L';
    }
    ck_assert_uint_eq(corners, 5);
    ck_assert_has(page, "fab at 0: 75.0 %");
}
END_TEST

START_TEST(an_empty_folder_becomes_a_page)
{
    const char *const page = page_of(scratch_folder("empty"));
    check_well_formed(page);
    ck_assert_lacks(page, "<svg");
}
END_TEST

START_TEST(text_of_files_cannot_break_the_page)
{
    const char *const dir = scratch_folder("escape");
    put(dir, "config.yaml", "note: \"<script>'&\\\"</script>\"\n");
    put(dir, "log.jsonl",
        "{\"event\":\"start\",\"tool\":\"</h1><b>\",\"build\":\"\\u0001\"}\n"
        "{\"event\":\"epoch\",\"phase\":\"<p>\",\"epoch\":1,"
        "\"loss<i>\":1,\"time\":{\"<u>&\":1}}\n"
        "{\"event\":\"eval\",\"attack\":\"<a>\",\"norm\":\"<n>\","
        "\"net\":\"\\\"\",\"options\":\"<o>\",\"eps\":0.5,"
        "\"robust_accuracy\":0.5}\n");
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "&lt;script&gt;&#39;&amp;&quot;&lt;/script&gt;");
    ck_assert_has(page, "&lt;a&gt;");
    ck_assert_lacks(page, "<script");
    ck_assert_lacks(page, "<b></");
    ck_assert_lacks(page, "\x01");
}
END_TEST

START_TEST(a_last_line_that_was_cut_off_is_ignored)
{
    const char *const dir = scratch_folder("cut");
    put(dir, "log.jsonl",
        "{\"event\":\"done\",\"seconds\":7}\n{\"event\":\"done\",\"sec");
    ck_assert_has(page_of(dir), "7 s");
}
END_TEST

START_TEST(garbage_is_reported_with_its_line)
{
    const char *const dir = scratch_folder("garbage");
    put(dir, "log.jsonl", "{\"event\":\"done\"}\n[1]\n{}\n");
    ck_assert_fails(wsr_report_write(dir), WSR_FORMAT, "log.jsonl:2)");
    put(dir, "log.jsonl", "{\"event\":\"done\"}\n{}\nhello\n");
    ck_assert_fails(wsr_report_write(dir), WSR_FORMAT, "log.jsonl:3)");
    ck_assert(!wsr__file_exists(path_in(dir, "report.html")));
    put(dir, "log.jsonl", "");
    put(dir, "genotype.yaml", "normal: 3\n");
    ck_assert_fails(wsr_report_write(dir), WSR_FORMAT, "genotype.yaml");
}
END_TEST

START_TEST(a_folder_that_does_not_exist_is_an_error)
{
    ck_assert_fails(wsr_report_write("/nonexistent/run"), WSR_IO,
                    "/nonexistent/run");
}
END_TEST

START_TEST(the_last_word_on_an_epoch_counts)
{
    const char *const dir = scratch_folder("resumed");
    put(dir, "log.jsonl",
        "{\"event\":\"epoch\",\"epoch\":0,\"loss\":3}\n"
        "{\"event\":\"epoch\",\"epoch\":1,\"loss\":2.125}\n"
        "{\"event\":\"epoch\",\"epoch\":2,\"loss\":2}\n"
        "{\"event\":\"epoch\",\"epoch\":1,\"loss\":2.375}\n");
    const char *const page = page_of(dir);
    ck_assert_lacks(page, "2.125");
    ck_assert_has(page, "<title>loss: 2.375, epoch 1</title>");
    ck_assert_has(page, "<dd>3</dd>"); // epochs
}
END_TEST

START_TEST(a_genotype_of_the_log_is_drawn_without_a_file)
{
    const char *const dir = scratch_folder("logged");
    put(dir, "log.jsonl",
        "{\"event\":\"genotype\",\"epoch\":3,\"text\":\"name: logged\\n"
        "normal: [[sep_conv_3x3, 0], [skip_connect, 1], [skip_connect, 0], "
        "[skip_connect, 1], [skip_connect, 0], [skip_connect, 1], "
        "[skip_connect, 0], [skip_connect, 1]]\\nnormal_concat: [2, 3, 4, 5]"
        "\\nreduce: [[skip_connect, 0], [skip_connect, 1], [skip_connect, 0], "
        "[skip_connect, 1], [skip_connect, 0], [skip_connect, 1], "
        "[skip_connect, 0], [skip_connect, 1]]\\nreduce_concat: [2, 3, 4, 5]"
        "\\n\"}\n");
    ck_assert_has(page_of(dir), "genotype logged");
}
END_TEST

START_TEST(numbers_do_not_follow_the_locale)
{
    const char *const dir = scratch_folder("locale");
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        return; // nothing to be seen where there is no such locale
    }
    put(dir, "log.jsonl", log_lines);
    const char *const page = page_of(dir);
    (void)setlocale(LC_ALL, "C");
    ck_assert_has(page, "37.5 %");
}
END_TEST

// Two variants on one network: a picture and a table with differences in
// points, and errors over the epochs. Of two lines about a strength the later
// one counts.
START_TEST(estimates_stand_beside_pgd)
{
    static const char lines[] =
        "{\"event\":\"start\",\"tool\":\"estimate\"}\n"
        "{\"event\":\"leave_one_out\",\"epoch\":0,\"net\":\"small\","
        "\"variant\":\"an\",\"mse\":0.25}\n"
        "{\"event\":\"leave_one_out\",\"epoch\":1,\"net\":\"small\","
        "\"variant\":\"an\",\"mse\":0.125}\n"
        "{\"event\":\"estimate_time\",\"net\":\"small\",\"variant\":"
        "\"an\",\"seconds_pgd\":0.005,\"seconds_estimate\":0.0001}\n"
        "{\"event\":\"estimate\",\"net\":\"small\",\"variant\":\"an\","
        "\"eps\":0.045,\"pgd_accuracy\":0.5,\"estimated_accuracy\":0.9,"
        "\"cosine\":0.5,\"count\":100}\n"
        "{\"event\":\"estimate\",\"net\":\"small\",\"variant\":\"an\","
        "\"eps\":0.045,\"clean_accuracy\":0.75,\"pgd_accuracy\":0.5,"
        "\"pgd_low\":0.4,\"pgd_high\":0.6,\"estimated_accuracy\":0.515,"
        "\"low\":0.42,\"high\":0.61,\"cosine\":0.875,\"count\":100}\n"
        "{\"event\":\"estimate\",\"net\":\"small\",\"variant\":\"<b>\","
        "\"eps\":0.045,\"pgd_accuracy\":0.5,\"estimated_accuracy\":0.25,"
        "\"cosine\":-0.125,\"count\":100}\n"
        "{\"event\":\"estimate\",\"net\":\"broken\",\"variant\":\"an\"}\n";
    const char *const dir = scratch_folder("estimates");
    put(dir, "log.jsonl", lines);
    const char *const page = page_of(dir);
    check_well_formed(page);
    ck_assert_has(page, "<h1>Estimators</h1>");
    ck_assert_has(page,
                  "<h2 id=\"estimated-noises-against-pgd\">Estimated noises "
                  "against PGD</h2>");
    ck_assert_has(page, "<td>PGD</td><td class=\"n\">5 ms</td>");
    ck_assert_has(page, "1/50");
    ck_assert_has(page, "51.5 % <small>+1.5</small>");
    ck_assert_has(page, "25.0 % <small>-25.0</small>");
    ck_assert_has(page, "&lt;b&gt; at 0.045: -0.125");
    ck_assert_has(page, "an at 0.045: 0.875");
    ck_assert_has(page, "small: squared error of the estimates");
    ck_assert_has(page, "<title>an: 0.125, epoch 1</title>");
    ck_assert_lacks(page, "90.0 %");
    ck_assert_lacks(page, "broken");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_run_becomes_one_well_formed_page,
        estimates_stand_beside_pgd,
        searchers_of_a_comparison_are_a_table,
        corruptions_and_curvature_have_sections,
        predictors_that_rank_are_a_table,
        nothing_is_needed_from_elsewhere,
        an_evaluation_has_worst_case_classes_and_warnings,
        images_of_8_bits_have_columns_where_they_were_measured,
        images_are_shown_beside_what_attacks_made_of_them,
        images_have_labels_and_predictions_with_names,
        the_numbers_can_be_saved_from_the_page,
        the_spectrum_can_be_saved_for_latex,
        pictures_can_be_saved_from_the_page,
        many_curves_can_be_told_apart,
        images_without_pixels_are_refused,
        a_min_norm_attack_is_drawn_at_every_strength,
        an_empty_folder_becomes_a_page,
        text_of_files_cannot_break_the_page,
        a_last_line_that_was_cut_off_is_ignored,
        garbage_is_reported_with_its_line,
        a_folder_that_does_not_exist_is_an_error,
        the_last_word_on_an_epoch_counts,
        a_genotype_of_the_log_is_drawn_without_a_file,
        numbers_do_not_follow_the_locale,
        NULL,
    };
    return suite_of("report", tests);
}
