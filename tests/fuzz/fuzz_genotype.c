// SPDX-License-Identifier: Apache-2.0
//
// Genotypes as YAML and as Python writes them. What is read is printed, and
// read again as the same.

#include "fuzz/fuzz.h"
#include "wsr/genotype.h"

#include <string.h>

static void seeds(void)
{
    static const char python[] =
        "X = Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1, 0.5), "
        "('dil_conv_5x5', 0), ('max_pool_3x3', 2), ('none', 0), "
        "('avg_pool_3x3', 3), ('sep_conv_5x5', np.int64(0)), "
        "(u'dil_conv_3x3', 4)], normal_concat=range(2, 2 + 4), "
        "reduce=[[('sep_conv_3x3', 0), ('sep_conv_3x3', 1)], "
        "[('skip_connect', 0), ('skip_connect', 2)], "
        "[('skip_connect', 0), ('skip_connect', 2)], "
        "[('skip_connect', 0), ('skip_connect', 2)]], "
        "reduce_concat=list(range(2, 6, 1)), beta=None)\n";
    wsr_genotype *genotype = NULL;
    char *text = NULL;
    fuzz_seed_text(python);
    MUST_HOLD(wsr_genotype_parse(&genotype, python, "f") == WSR_OK);
    MUST_HOLD(wsr_genotype_print(&text, genotype) == WSR_OK);
    fuzz_seed_text(text);
    wsr_text_free(text);
    wsr_genotype_free(genotype);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 2, .rounds = 4000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_genotype *genotype = NULL;
    wsr_genotype *again = NULL;
    char *printed = NULL;
    const char *const text = fuzz_text(data, size);
    if (text == NULL) {
        return 0;
    }
    FUZZ_CHECK(wsr_genotype_parse(&genotype, text, "f"), genotype);
    if (genotype != NULL) {
        fuzz_demand(wsr_genotype_print(&printed, genotype) == WSR_OK);
        fuzz_demand(wsr_genotype_parse(&again, printed, "p") == WSR_OK);
        fuzz_demand(wsr_genotype_equal(genotype, again));
    }
    wsr_genotype_free(again);
    wsr_text_free(printed);
    wsr_genotype_free(genotype);
    return 0;
}
