/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of bpf/abi.h as arrays of words. */
#include "base.h"

#define WORD(name, word, ...) [FR_##name] = word,
#define KIND_WORD(name, word, key) [FR_KIND_##name] = word,
#define KIND_KEY(name, word, key) [FR_KIND_##name] = key,
#define REASON_WORD(name, word) [FR_REASON_##name] = word,
#define ANSWERS_WORD(name, word) [FR_ANSWERS_##name] = word,
#define STATE_WORD(name, word) [FR_FLOW_##name] = word,
#define CLASS_WORD(name, word) [FR_CLASS_##name] = word,

const char *const dir_names[FR_DIRS] = {FR_DIRECTIONS(WORD)};
const char *const mode_names[FR_MODES] = {FR_MODE_NAMES(WORD)};
const char *const action_names[FR_ACTIONS] = {FR_ACTION_NAMES(WORD)};
const char *const answers_names[FR_ANSWERS_COUNT] = {FR_ANSWERS_NAMES(ANSWERS_WORD)};
const char *const kind_keys[FR_KINDS] = {FR_KIND_NAMES(KIND_KEY)};

static const char *const verdicts[FR_VERDICTS] = {FR_VERDICT_NAMES(WORD)};
static const char *const kinds[FR_KINDS] = {FR_KIND_NAMES(KIND_WORD)};
static const char *const reasons[FR_REASONS_COUNT] = {FR_REASONS(REASON_WORD)};
static const char *const flow_states[FR_FLOW_STATES] = {FR_FLOW_STATE_NAMES(STATE_WORD)};
static const char *const classes[FR_CLASSES_COUNT] = {FR_CLASSES(CLASS_WORD)};

static const char *word_at(const char *const *words, unsigned count, unsigned index)
{
	return index < count ? words[index] : "unknown";
}

const char *dir_name(unsigned dir)
{
	return dir < FR_DIRS ? dir_names[dir] : "both";
}

const char *mode_name(bool enforce)
{
	return mode_names[enforce ? FR_ENFORCE : FR_AUDIT];
}

const char *verdict_name(unsigned verdict)
{
	return word_at(verdicts, FR_VERDICTS, verdict);
}

const char *kind_name(unsigned kind)
{
	return word_at(kinds, FR_KINDS, kind);
}

const char *action_name(unsigned action)
{
	return word_at(action_names, FR_ACTIONS, action);
}

const char *answers_name(unsigned answers)
{
	return word_at(answers_names, FR_ANSWERS_COUNT, answers);
}

const char *reason_name(unsigned reason)
{
	return word_at(reasons, FR_REASONS_COUNT, reason);
}

const char *flow_state_name(unsigned state)
{
	return word_at(flow_states, FR_FLOW_STATES, state);
}

const char *class_name(unsigned class)
{
	return word_at(classes, FR_CLASSES_COUNT, class);
}
