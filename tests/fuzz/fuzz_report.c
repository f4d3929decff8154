// SPDX-License-Identifier: Apache-2.0
//
// What a report makes of the log of a run. The page must have no markup that
// the log brought along.

#include "fuzz/fuzz.h"
#include "wsr/report.h"

#include <string.h>

static void seeds(void)
{
    fuzz_seed_text(
        "{\"event\":\"start\",\"tool\":\"wsr-search\",\"seed\":7}\n"
        "{\"event\":\"epoch\",\"phase\":\"search\",\"epoch\":0,\"loss\":2.5,"
        "\"rank_correlation\":0.5,\"skip_share\":0.125,\"seconds\":3,"
        "\"time\":{\"supernet\":1.5,\"attack\":0.5}}\n"
        "{\"event\":\"epoch\",\"phase\":\"search\",\"epoch\":1,\"loss\":1.5,"
        "\"unknown\":[{}],\"time_attack\":0.5}\n"
        "{\"event\":\"eval\",\"attack\":\"pgd\",\"norm\":\"linf\","
        "\"eps\":0.03137255,\"count\":100,\"clean_accuracy\":0.75,"
        "\"robust_accuracy\":0.375,\"class_accuracy\":[0.3,null]}\n"
        "{\"event\":\"done\",\"seconds\":125}\n");
    fuzz_seed_text(
        "{\"event\":\"curve\",\"attack\":\"fab\",\"options\":\"\",\"norm\":"
        "\"linf\",\"count\":4,\"eps\":[0,0.1,0.2],\"robust_accuracy\":[0.75,"
        "0.5,0.25]}\n"
        "{\"event\":\"corruption\",\"corruption\":\"fog\",\"group\":\"clean\","
        "\"severity\":2,\"count\":40,\"accuracy\":0.9,\"low\":0.8,"
        "\"high\":0.95}\n"
        "{\"event\":\"hessian\",\"of\":\"params\",\"count\":32,"
        "\"size\":7430,\"top\":221.5,\"top_error\":null,\"trace\":393,"
        "\"trace_error\":11}\n");
    fuzz_seed_text(
        "{\"event\":\"compare\",\"searcher\":\"wsr_nas\",\"passes\":5000,"
        "\"objective\":1.25,\"robust_accuracy\":0.375}\n"
        "{\"event\":\"predictor\",\"predictor\":\"lstm\","
        "\"architectures\":30,\"remembered\":100,\"holdout_clean_tau\":0.25,"
        "\"holdout_clean_low\":-0.125,\"holdout_clean_high\":0.5}\n"
        "{\"event\":\"warning\",\"warning\":\"chance\",\"attack\":\"pgd\","
        "\"norm\":\"linf\",\"eps\":0.1,\"detail\":\"d\",\"remedy\":\"r\"}\n"
        "{\"event\":\"estimate\",\"net\":\"n\",\"variant\":\"an\",\"eps\":0.1,"
        "\"count\":8,\"clean_accuracy\":0.5,\"pgd_accuracy\":0.1,"
        "\"accuracy\":0.2,\"cosine\":0.5}\n");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 3, .rounds = 1000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)fuzz_file("log.jsonl", data, size);
    const wsr_status status = wsr_report_write(fuzz_folder());
    fuzz_check(status, status == WSR_OK);
    if (status == WSR_OK) {
        bytes page = get_file(path_in(fuzz_folder(), "report.html"));
        bytes_add(&page, "", 1);
        // The alphabet of the fuzzer has these words, see report.dict.
        fuzz_demand(strstr((const char *)page.data, "<injected") == NULL);
        bytes_free(&page);
    }
    return 0;
}
