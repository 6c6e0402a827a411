#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy in force as one document: the same policy and the same text wherever it is applied; explain and
# diff answer from it; it is healed by the command that the error prints.
#
# lesson: the file that a policy came from was edited after it was applied, and nobody could say any more
# what the host enforced.
. "$(dirname "$0")/lib.sh"

document() { fr "$host" show policy e2e; }
digest() { fr_ask "$host" '.policies[0].digest' status; }
diff_exits() { fr_exits "$1" "$2" "$host" diff e2e "$3"; } # WHAT CODE FILE

paste()
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter "$host" env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}

there_and_back()
{
	local before
	document >"$work/resolved.yaml"
	before=$(digest)
	matches "$kind: it is a document of its kind" '^kind: ResolvedPolicy$' "$(cat "$work/resolved.yaml")"
	matches "$kind: with the file" "^source: \{file: $work/policy.yaml\}\$" "$(cat "$work/resolved.yaml")"
	matches "$kind: with the row of a rule" 'row: \{table: aws-datasync, row: nfs, line: 17, ' "$(cat "$work/resolved.yaml")"
	succeeds "$kind: check reads it, from standard input too" "$FLOWREEVE" check - <"$work/resolved.yaml"
	equal "$kind: offline it has the same verdict" "pass  rule=aws-datasync/nfs  reason=rule  row=aws-datasync/nfs:17" \
		"$("$FLOWREEVE" explain "$work/resolved.yaml" egress tcp 10.20.0.5:2049 2>/dev/null | head -1)"
	equal "$kind: and so has what is in force" "pass  rule=aws-datasync/nfs  reason=rule  row=aws-datasync/nfs:17" \
		"$(fr "$host" explain --running e2e egress tcp 10.20.0.5:2049 2>/dev/null | head -1)"
	diff_exits "$kind: it does not differ from itself" 0 "$work/resolved.yaml"
	equal "$kind: without a word" '' "$said"
	diff_exits "$kind: nor from the policy's file" 0 "$work/policy.yaml"
	succeeds "$kind: apply takes it" fr "$host" apply "$work/resolved.yaml" $options
	equal "$kind: to the same digest" "$before" "$(digest)"
	equal "$kind: which apply reports" "$before" "$(fr "$host" apply "$work/resolved.yaml" $options --json 2>/dev/null | jq -r .digest)"
	equal "$kind: and the same document" '' "$(document | diff - "$work/resolved.yaml")"
	succeeds "$kind: the policy's file again" fr "$host" apply "$work/policy.yaml" $options
}

differs()
{
	sed 's/10.20.0.5, "fd00:20::5"/10.20.0.6, "fd00:20::5"/; s/id: spare/id: other/; s/^mode: .*/mode: enforce/' \
		"$work/policy.yaml" >"$work/new.yaml"
	diff_exits "$kind: another file" 4 "$work/new.yaml"
	matches "$kind: the mode" '^\+mode: enforce$' "$said"
	matches "$kind: the member of a role" '^\+    nfs-server: \[10.20.0.6, "fd00:20::5"\]$' "$said"
	matches "$kind: the peer of a row's rule" '^\+  peer: \[10.20.0.6, "fd00:20::5"\]$' "$said"
	matches "$kind: with its row" '^   row: \{table: aws-datasync, row: nfs' "$said"
	matches "$kind: a rule that is gone" '^-- \{id: spare, ' "$said"
	matches "$kind: a rule that is new" '^\+- \{id: other, ' "$said"
	equal "$kind: the same as JSON" 'removed spare egress' \
		"$(fr_ask "$host" '.changes[] | select(.name == "spare") | "\(.change) \(.name) \(.direction)"' diff e2e "$work/new.yaml")"
	fr_exits "$kind: explain of that file" 0 "$host" explain "$work/new.yaml" egress tcp 10.20.0.5:2049
	matches "$kind: warns" 'policy e2e is in force with another digest' "$said"
	succeeds "$kind: and the printed command shows the difference" \
		[ "$(paste "$(sed -n 's/^ *| \(flowreeve diff .*\)/\1/p' <<<"$said")" | grep -c '^+mode: enforce')" = 1 ]
	fr_exits "$kind: explain of the policy's file" 0 "$host" explain "$work/policy.yaml" egress tcp 10.20.0.5:2049
	equal "$kind: does not" '' "$(grep running-differs <<<"$said")"
}

missing()
{
	local verb heal
	rm "$LAB_DIR"/bpf/flowreeve/e2e/e*/document-*
	for verb in 'show policy' 'show policy --json' "diff e2e $work/policy.yaml" 'explain --running e2e egress tcp 10.20.0.5:2049'; do
		fr_exits "$kind: $verb without a document" 1 "$host" $verb
		matches "$kind: $verb says why" 'document-missing' "$said"
	done
	equal "$kind: the policy is in force all the same" true "$(fr_ask "$host" '.policies[0].faults == 0' status)"
	fr_exits "$kind: show policy" 1 "$host" show policy
	heal=$(sed -n 's/^ *| \(.*flowreeve .*\)/\1/p' <<<"$said" | head -1)
	succeeds "$kind: '$heal'" paste "${heal:-false}"
	diff_exits "$kind: heals it" 0 "$work/policy.yaml"
}

# Another policy in the place of the document, with sound sizes and digests of its own.
forged()
{
	local verb heal pin question='egress tcp 10.20.0.6:2049'
	pin=$(ls "$LAB_DIR"/bpf/flowreeve/e2e/e*/document-*)
	document | sed 's/10\.20\.0\.5/10.20.0.6/g' | "$e2e_here/tools/forge-document" "$pin" "$(digest)" >"$work/forge" 2>&1 ||
		not_ok "$kind: a document is forged" "$(cat "$work/forge")"
	for verb in 'show policy' 'show policy --json' "diff e2e $work/policy.yaml" "explain --running e2e $question"; do
		fr_exits "$kind: $verb of a forged document" 1 "$host" $verb
		matches "$kind: $verb tells both digests" "its digest is [0-9a-f]{64}, and that of the policy in force $(digest) \[document-differs\]" "$said"
	done
	for verb in coverage 'report e2e --text'; do
		fr_exits "$kind: $verb takes the file" 0 "$host" $verb
		matches "$kind: $verb warns" 'warning: the document that is kept of policy e2e is not of what is in force' "$said"
		equal "$kind: $verb believes nothing of it" '' "$(grep 10.20.0.6 <<<"$said")"
	done
	fr_exits "$kind: show policy" 1 "$host" show policy
	heal=$(sed -n 's/^ *| \(.*flowreeve .*\)/\1/p' <<<"$said" | head -1)
	succeeds "$kind: '$heal'" paste "${heal:-false}"
	diff_exits "$kind: heals it" 0 "$work/policy.yaml"
}

# coverage, report and learn need no file for the rules in force, and report a file that is another.
without_file()
{
	local before nearest='rule aws-datasync/nfs fits but 10.66.0.66 is not in peers.nfs-server'
	before=$(digest)
	peer_try "$party" tcp 10.66.0.66 2049 --wait 0.3 >/dev/null 2>&1
	cp "$work/policy.yaml" "$work/kept.yaml"
	sed -i 's/id: spare/id: other/' "$work/policy.yaml"
	fr_exits "$kind: learn of a file that was edited" 0 "$host" learn
	matches "$kind: warns with both digests" "policy.yaml \(digest [0-9a-f]{64}\) differs from the running policy e2e \(digest $before\)" "$said"
	equal "$kind: coverage of what is in force has no warning" '' "$(fr "$host" coverage e2e 2>&1 | grep -E '\[source-')"
	rm "$work/policy.yaml"
	equal "$kind: nor without the file, and the nearest miss" "runs $nearest" "$(fr_ask "$host" \
		'.policies[0] | "\(.source_state) \(.unexplained[] | select(.port == 2049) | .nearest)"' coverage)"
	matches "$kind: nor has the report" "$nearest" "$(fr "$host" report e2e --text 2>&1)"
	mv "$work/kept.yaml" "$work/policy.yaml"
}

# The document has the age of each prefix file; status reports it as check does.
aged()
{
	local old
	sed '/^rules:/a\  - {id: pool, direction: egress, peer: [prefixes/pool], ports: [443/tcp], action: allow}' \
		"$work/policy.yaml" >"$work/aged.yaml"
	printf 'prefixes: {pool: {file: pool.txt}}\n' >>"$work/aged.yaml"
	printf '# 2020-01-31\n10.44.0.0/16\n' >"$work/pool.txt"
	succeeds "$kind: apply with old prefixes" fr "$host" apply "$work/aged.yaml" $options
	matches "$kind: the document has their date" '^    dated: "2020-01-31"$' "$(document)"
	old=$(fr "$host" status 2>&1)
	matches "$kind: status warns of them" "policy e2e uses the prefixes of '$work/pool.txt', which are [0-9]+ days old; .*\[prefixes-old\]" "$old"
	equal "$kind: as JSON too" prefixes-old "$(fr_ask "$host" '.diagnostics[].check' status)"
	diff_exits "$kind: the age is no difference" 0 "$work/aged.yaml"
	printf '# %s\n10.44.0.0/16\n' "$(date -u +%F)" >"$work/pool.txt"
	diff_exits "$kind: nor is a new one" 0 "$work/aged.yaml"
	succeeds "$kind: apply with the same prefixes of today" fr "$host" apply "$work/aged.yaml" $options
	equal "$kind: status does not warn" '' "$(fr "$host" status 2>&1 | grep prefixes-old)"
	succeeds "$kind: the first file again" fr "$host" apply "$work/policy.yaml" --allow-removal $options
}

policy_run() # KIND
{
	e2e_kind "$1"
	policy_write "$work/policy.yaml" audit "$attach"
	fr_exits "$kind: nothing is applied" 1 "$host" show policy
	matches "$kind: and says so" 'not-applied' "$said"
	succeeds "$kind: apply" fr "$host" apply "$work/policy.yaml" $options
	there_and_back
	differs
	without_file
	aged
	missing
	forged
	fr_exits "$kind: show policy takes one name" 2 "$host" show policy e2e other
	fr_exits "$kind: a name that is not applied" 1 "$host" diff other "$work/policy.yaml"
	fr_exits "$kind: a file that is wrong" 3 "$host" diff e2e "$work/nothing.yaml"
	succeeds "$kind: detach" fr "$host" detach
	equal "$kind: nothing of ours is pinned" '' "$(pins_left)"
}

e2e_begin policy
for kind in interface cgroup; do
	policy_run $kind
done
