/* SPDX-License-Identifier: GPL-2.0-only */
/* libFuzzer's entry to document_try(): see document.c. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	document_try(data, size);
	return 0;
}
