/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of bpf/abi.h as users write and read them: one list for every printer and every parser.
 * Part of base.h.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "../../bpf/abi.h"

/* By enum; "unknown" beyond its end. */
const char *dir_name(unsigned dir);	    /* enum fr_dir; FR_DIRS: "both" */
const char *verdict_name(unsigned verdict); /* enum fr_verdict */
const char *mode_name(bool enforce);	    /* enum fr_mode */
const char *kind_name(unsigned kind);	    /* enum fr_kind */
const char *action_name(unsigned action);   /* enum fr_action */
const char *answers_name(unsigned answers); /* enum fr_answers */
const char *reason_name(unsigned reason);   /* enum fr_reason */
const char *flow_state_name(unsigned state);
const char *class_name(unsigned class); /* enum fr_class */

/* As lists, for parsers and messages. */
extern const char *const dir_names[FR_DIRS];
extern const char *const mode_names[FR_MODES];
extern const char *const action_names[FR_ACTIONS];
extern const char *const answers_names[FR_ANSWERS_COUNT];
extern const char *const kind_keys[FR_KINDS]; /* "interfaces", …: keys of `attach` */

#endif
