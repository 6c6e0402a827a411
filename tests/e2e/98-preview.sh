#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# preview: what a policy would do with live connections, with and without flows of its own, on each kind of
# attach point.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$e2e_here/sessions.sh"

policy() # FILE MODE ATTACH [LINE]
{
	cat >"$work/$1" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: e2e}
		mode: $2
		attach: $3
		rules:
		  - {id: echo, direction: egress, peer: [10.20.0.0/24], ports: [7/tcp], action: allow}
		  - {id: echoes, direction: egress, peer: [10.66.0.0/24], ports: [4445/tcp], action: allow}
		  ${4:-}
		failsafe: [{peer: [10.0.9.0/24], ports: [22/tcp]}]
	YAML
}

previews() # WHAT CODE SUMMARY FILE [OPTION]...: leaves the text in $said
{
	local what=$1 code=$2 summary=$3 file=$4
	shift 4
	fr_exits "$what: exit $code" "$code" "$host" preview "$work/$file" "$@"
	equal "$what" "$summary" "$(head -n 1 <<<"$said")"
}
shown() { fr_ask "$host" "$2" preview "$work/$1"; } # FILE FILTER
lines() # FILE: outcome, number, direction, peer and port of each line
{
	shown "$1" '[.connections[] | "\(.outcome) \(.connections) \(.direction) \(.peer):\(.port)"] | join(", ")'
}
e2e_begin preview
host=agent
peer_start nfs echo 7
peer_start intruder stranger 4444
peer_start agent sshd 22
sessions_start good agent hold tcp 10.20.0.5 7 3
sessions_start bad agent hold tcp 10.66.0.66 4444 2
sessions_start in bastion hold tcp 10.0.5.5 22 1
equal 'sessions live' 'answered 3 of 3' "$(sessions_ask good ask)"
equal 'others live' 'answered 2 of 2' "$(sessions_ask bad ask)"
equal 'one from outside lives' 'answered 1 of 1' "$(sessions_ask in ask)"

policy enforce.yaml enforce '{interfaces: [ens5]}'
policy audit.yaml audit '{interfaces: [ens5]}'
previews 'before any policy, by sockets' 4 '4 connections stay, 2 are cut' enforce.yaml
matches 'the nearest rule is named' 'rule echoes' "$said"
matches 'and the process' ' sessions +default-egress' "$said"
equal 'each by its opener' 'cut 2 egress 10.66.0.66:4444, stays 3 egress 10.20.0.5:7, stays 1 ingress 10.0.9.5:22' \
	"$(lines enforce.yaml)"
previews 'in audit nothing is cut' 0 '4 connections stay, 0 are cut, 2 are reported as would-drop' audit.yaml
equal 'no pin was made' '' "$(ls -d "$LAB_DIR/bpf/flowreeve" 2>/dev/null)"
