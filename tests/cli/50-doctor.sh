# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The doctor with next to no privilege. It reports the facts that it can read, calls nothing lacking that
# it did not try, and the exit code shows that the answer is incomplete. Sourced by run.

exits 'doctor takes no operand' 2 'one operand too many' doctor everything
exits 'doctor has no option of apply' 2 'doctor has no option --no-tcx' doctor --no-tcx
[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
exits 'doctor without privilege: exit 6, and what is missing' 6 \
	'cannot find out whether .* interfaces, guests, cgroups: privilege: .*CAP_NET_ADMIN' doctor
grep -qx 'unknown from here: whether this host can enforce on interfaces, guests, cgroups' "$work/out" &&
	ok 'and the sum is no guess' || not_ok 'and the sum is no guess' "$(tail -3 "$work/out")"
said=$(grep -E '^unknown .*not tried.*(remedy|a kernel (of|with))' "$work/out")
[ -z "$said" ] && ok 'and no kernel is advised for what was not tried' ||
	not_ok 'and no kernel is advised for what was not tried' "$said"
json_is 'doctor as JSON: every list, every name once' 6 \
	'([.features, .programs, .bypasses] | map(length > 5 and ([.[].name] | unique | length) == length) | all)
	 and ([.features[].answer, .programs[].answer, .bypasses[].seen, .can_enforce[]] - ["yes", "no", "unknown"] == [])' \
	doctor
json_is 'doctor as JSON: every feature has its words' 6 \
	'[.features[] | .purpose, .cost, .remedy] + [.bypasses[] | .what, .closed_by] |
	 all(type == "string" and length > 5)' doctor
same_words 'SECURITY.md: the bypasses that doctor looks for' "$(jq -r '.bypasses[].name' "$work/out")" \
	"$(grep -oE '\[[a-z][a-z, -]*\]' SECURITY.md | tr -d '[],')"
json_is 'doctor as JSON: what serves instead is a feature' 6 \
	'[.features[].name] as $names | [.features[].instead // empty] - $names == []' doctor
json_is 'doctor as JSON: the privilege is lacking, not the kernel' 6 \
	'(.features[] | select(.name == "privilege") | .answer == "no") and
	 [.features[] | select(.name | test("tcx|clsact|lru|jit")) | .answer] == ["unknown", "unknown", "unknown", "unknown"]' doctor
as=(env)
