#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every document says by itself which host it is of, by the digest which policy was in force, and where it has
# counters the time that they cover. A table of all commands with --json: one that is missing fails.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# Facts of a document: `digest`, one of some policy; `force`, that of the policy in force; `window`, since and
# until. "-": of the host and its schema only.
table()
{
	cat <<-END
		check digest check $work/policy.yaml
		explain digest explain $work/policy.yaml egress tcp 10.20.0.5:2049
		explain force,window explain --running e2e egress tcp 10.20.0.5:2049
		compile digest compile $work/policy.yaml
		roles - roles aws-datasync
		preview digest preview $work/policy.yaml
		import - import --against $e2e_top/policies/tables/dataminer.yaml $e2e_top/tests/documents/dataminer.md
		apply force apply $work/policy.yaml $options
		status force,window status
		status force,window status e2e
		verify force verify
		verify force verify --probe e2e
		diff force,window diff e2e $work/policy.yaml
		show force,window show rules
		show force,window show flows
		show force,window show drops
		show force,window show policy e2e
		coverage force,window coverage
		coverage force,window coverage --flows $events
		learn force,window learn
		learn force,window learn --flows $events
		monitor force monitor --count 1
		zero force,window zero
		history - history
		doctor - doctor
		version - version
		apply digest apply $work/other.yaml --confirm 600 --allow-removal $options
		extend digest extend 1m
		cancel force cancel
		apply digest apply $work/other.yaml --confirm 600 --allow-removal $options
		confirm digest confirm e2e
		detach - detach e2e
	END
}

holds() # FACT
{
	case $1 in
	-) echo true ;;
	digest) echo '[.. | objects | .digest? // empty | select(test("^[0-9a-f]{64}$"))] | length > 0' ;;
	force) echo "[.. | objects | .digest? // empty] | index(\"$digest\") != null" ;;
	window) echo '[.. | objects | select(.since? and .until?) | select(.since <= .until)] | length > 0' ;;
	esac
}

# A command as root of the host; the first event of the recording stands for monitor.
fetch() # VERB...
{
	local root=()
	if [ "$1" = monitor ]; then
		head -n 1 "$events"
		return
	fi
	! "$FLOWREEVE" "$1" --help | grep -q -- '^  --pin-root ' || root=(--pin-root "$LAB_DIR/bpf/flowreeve")
	lab_enter "$host" timeout -s KILL 120 "$FLOWREEVE" "$@" "${root[@]}" --json
}

document_is() # FACTS ARGUMENT...
{
	local facts=$1 fact document
	shift
	document=$(fetch "$@" 2>/dev/null)
	equal "$*: one document of this host" "flowreeve $(uname -n)" \
		"$(jq -r '"\(.schema | split("/")[0]) \(.host)"' <<<"$document" 2>&1)"
	for fact in ${facts//,/ }; do
		equal "$*: $fact" true "$(jq "$(holds "$fact")" <<<"$document" 2>&1)"
	done
}

# All verbs that the program has, by its own help.
complete()
{
	local verb missing=
	for verb in $("$FLOWREEVE" --help | sed -nE 's/^  ([a-z]+)  .*/\1/p'); do
		"$FLOWREEVE" "$verb" --help | grep -q -- '^  --json ' || continue
		table | grep -q "^$verb " || missing+=" $verb"
	done
	equal 'the table has every command with --json' '' "$missing"
}

e2e_begin json
peer_start nfs nfsd 2049
e2e_kind interface
events="$LAB_DIR/log/recorder"
policy_write "$work/policy.yaml" audit "$attach"
sed '/id: echo,/d' "$work/policy.yaml" >"$work/other.yaml"
succeeds 'apply' fr "$host" apply "$work/policy.yaml" $options
digest=$(fr_ask "$host" '.policies[0].digest' status)
matches 'the digest in force' '^[0-9a-f]{64}$' "$digest"
lab_spawn recorder "$host" "$FLOWREEVE" monitor --openings --json --pin-root "$LAB_DIR/bpf/flowreeve"
watched() { peer_try "$party" tcp 10.66.0.66 9 --wait 0.2 >/dev/null 2>&1; [ -s "$events" ]; }
succeeds 'monitor watches' until_true watched
lab_stop recorder
succeeds 'allowed traffic' peer_try "$party" tcp 10.20.0.5 2049
complete
while read -r _ facts words; do
	# shellcheck disable=SC2086 # words
	document_is "$facts" $words
done < <(table)
