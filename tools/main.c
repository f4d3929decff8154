// SPDX-License-Identifier: Apache-2.0
//
// The beginning of each program. WSR_TOOL is its constant, such as train_tool.

#include "tools.h"
#include "waiting.h"

int main(int argc, char **argv)
{
    cli c;
    wait_briefly(argv);
    const int code = cli_begin(&c, &WSR_TOOL, argc, argv);
    return code != CLI_GO_ON ? code : WSR_TOOL.run(&c);
}
