// SPDX-License-Identifier: Apache-2.0

#include "attack_export.h"

#include <stdio.h>

int attack_export(cli *c)
{
    if (c->dry_run || c->resume != NULL || c->out != NULL) {
        const int code = cli_usage(c, "--export goes with none of --dry-run, "
                                      "--resume and --out");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    const wsr_status status = wsr_eval_export(c->config);
    if (status == WSR_OK && !c->quiet && !c->json) {
        printf("written: %s\n", wsr_config_text(c->config, "export.file"));
    }
    return cli_end(c, status);
}
