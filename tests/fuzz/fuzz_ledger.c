// SPDX-License-Identifier: Apache-2.0
//
// The tables of images of an evaluation run (docs/formats.md), which a
// comparison of runs reads.

#include "fuzz/fuzz.h"
#include "report/runs.h"

#include <stdio.h>

// Two images under an attack at two strengths.
static void seeds(void)
{
    wsr__str text = {0};
    for (int i = 0; i < 4; i++) {
        wsr__str_addf(&text,
                      "{\"image\":%d,\"class\":1,\"predicted\":1,"
                      "\"margin\":0.5,\"crc32\":\"0000000%d\",\"attack\":"
                      "\"pgd\",\"options\":\"a=<1>\",\"norm\":\"linf\","
                      "\"eps\":%s,\"robust\":false,\"success\":false,"
                      "\"change\":0,\"smallest\":null,\"broken_by\":\"%s\","
                      "\"broken_step\":0}\n",
                      i / 2, i / 2, i % 2 == 0 ? "0.03" : "null",
                      i == 1 ? "pgd" : "");
    }
    MUST_HOLD(wsr__str_status(&text) == WSR_OK);
    fuzz_seed(text.s, text.len);
    wsr__str_free(&text);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 1, .rounds = 8000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__ledger ledger = {0};
    (void)fuzz_file("images.jsonl", data, size);
    const wsr_status status = wsr__ledger_read(&ledger, fuzz_folder());
    fuzz_check(status, status == WSR_OK);
    for (size_t i = 0; status == WSR_OK && i < ledger.n_cells; i++) {
        const wsr__ledger_key key = wsr__ledger_key_of(&ledger.cells[i]);
        fuzz_demand(ledger.cells[i].n == ledger.n);
        fuzz_demand(wsr__ledger_find(&ledger, &key) != NULL);
    }
    wsr__ledger_free(&ledger);
    return 0;
}
