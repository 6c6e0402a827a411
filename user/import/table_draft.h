/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of a sheet as the text of a PortTable.
 */
#ifndef IMPORT_TABLE_DRAFT_H
#define IMPORT_TABLE_DRAFT_H

#include "import.h"
#include "sheet.h"

void table_draft_write(struct sheet *s, const struct import_options *options,
		       struct table_draft *out);

#endif
