/* SPDX-License-Identifier: GPL-2.0-only */
/* libFuzzer's entry to packets_try(): see world.c. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	packets_try(data, size);
	return 0;
}
