// SPDX-License-Identifier: Apache-2.0

#ifndef WSR_TOOLS_WAITING_H
#define WSR_TOOLS_WAITING_H

/// Let idle threads sleep soon unless the environment says how they wait.
/// Must come first in main().
void wait_briefly(char **argv);

#endif
