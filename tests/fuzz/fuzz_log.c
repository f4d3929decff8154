// SPDX-License-Identifier: Apache-2.0
//
// Logs of runs: lines of JSON. All fields that readers ask for are asked for.

#include "fuzz/fuzz.h"
#include "wsr/log.h"

static void seeds(void)
{
    fuzz_seed_text(
        "{\"event\":\"start\",\"version\":\"0.1.0\",\"threads\":2}\n"
        "{\"event\":\"epoch\",\"phase\":\"train\",\"epoch\":0,\"loss\":2.3e0,"
        "\"lr\":0.1,\"seconds\":{\"train\":1.5,\"data\":null}}\n\n"
        "{\"event\":\"eval\",\"attack\":\"p\\u00e9\\ud83d\\ude00\",\"eps\":0."
        "03,"
        "\"classes\":[1,0.5,null,[true]],\"list\":[\"a\",\"b\\\"\"]}\n"
        "{\"event\":\"done\"");
}

const fuzz_target fuzz = {.seeds = seeds, .files = 1, .rounds = 10000};

// Every key of a line, as a number, a text and a list.
static void ask_all(const wsr_log_reader *log)
{
    for (size_t i = 0; i < wsr_log_reader_keys(log); i++) {
        const char *const key = wsr_log_reader_key(log, i);
        fuzz_demand(key != NULL);
        (void)wsr_log_reader_number(log, key);
        (void)wsr_log_reader_text(log, key);
        const size_t n = wsr_log_reader_length(log, key);
        for (size_t k = 0; k <= n; k++) {
            (void)wsr_log_reader_item(log, key, k);
        }
    }
    fuzz_demand(wsr_log_reader_key(log, wsr_log_reader_keys(log)) == NULL);
    (void)wsr_log_reader_number(log, "seconds.train");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_log_reader *log = NULL;
    bool more = true;
    size_t line = 0;
    FUZZ_CHECK(wsr_log_reader_open(&log, fuzz_file("log", data, size)), log);
    while (log != NULL && more) {
        const wsr_status status = wsr_log_reader_next(&more, log);
        fuzz_check(status, status == WSR_OK);
        if (status == WSR_OK && more) {
            fuzz_demand(wsr_log_reader_line(log) > line);
            line = wsr_log_reader_line(log);
            fuzz_demand(wsr_log_reader_event(log) != NULL);
            ask_all(log);
        }
        fuzz_demand(status != WSR_NOMEM);
    }
    wsr_log_reader_close(log);
    return 0;
}
