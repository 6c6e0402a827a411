#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# show and monitor: filters, orders and limits on real traffic; the list of drops loses what the policy in
# force admits, and is empty after zero.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

drops() { fr_ask agent '[.drops[] | "\(.verdict) \(.peer.address) \(.peer.port)"] | join(", ")' show drops "$@"; }
listed() { [ -n "$(drops "$@")" ]; }
refused() { peer_try agent "$1" "$2" "$3" --wait 0.3 >/dev/null 2>&1; } # PROTO PEER PORT

e2e_begin filters
peer_start nfs nfsd 2049
peer_start intruder stranger 4444
peer_start intruder stranger-nfs 2049
policy_write "$work/policy.yaml" audit '{interfaces: [ens5]}'
succeeds 'apply' fr agent apply "$work/policy.yaml"
succeeds 'allowed traffic' peer_try agent tcp 10.20.0.5 2049
refused tcp 10.66.0.66 2049
until_true listed port 2049
refused tcp 10.66.0.66 4444
until_true listed port 4444

# ---------------------------------------------------------------- filters
last='would-drop 10.66.0.66 4444'
equal 'drops: newest first' "$last, would-drop 10.66.0.66 2049" "$(drops)"
equal 'drops: by peer, port and verdict' "$last" "$(drops peer 10.66.0.0/16 and port 4444 and verdict would-drop)"
equal 'drops: one word to the shell' "$last" "$(drops 'peer 10.66.0.0/16 and port 4000-5000')"
equal 'drops: after the name of a policy' "$last" "$(drops e2e port 4444)"
equal 'drops: another verdict' '' "$(drops port 4444 and verdict drop)"
equal 'drops: another peer' '' "$(drops peer 10.20.0.0/16)"
equal 'drops: another direction' '' "$(drops direction ingress and peer 10.66.0.66)"
equal 'drops: of the last hour' "$last" "$(drops since 1h and port 4444)"
equal 'drops: by rule' "$last" "$(drops rule 'default-*' and port 4444)"
equal 'drops: sorted' 'would-drop 10.66.0.66 2049, would-drop 10.66.0.66 4444' "$(drops --sort port)"
equal 'drops: limited' "$last" "$(drops --limit 1)"
flows() { fr_ask agent '[.flows[] | .peer.port] | unique | join(" ")' show flows "$@"; }
equal 'flows: by row' 2049 "$(flows row aws-datasync/nfs)"
equal 'flows: by row alone, sorted' 2049 "$(flows row nfs --sort bytes)"
equal 'flows: limited' 1 "$(fr_ask agent '.flows | length' show flows --limit 1)"
equal 'rules: by verdict' default-egress "$(fr_ask agent '[.policies[].rules[].id] | join(" ")' show rules verdict would-drop)"
equal 'rules: what was refused did not pass' 'true false' "$(fr_ask agent '[.policies[].rules[].id] |
	"\(any(. == "aws-datasync/nfs")) \(any(. == "default-egress"))"' show rules verdict pass)"
equal 'rules: by row' aws-datasync/nfs "$(fr_ask agent '[.policies[].rules[].id] | join(" ")' show rules row nfs)"
fr_exits 'rules: by peer' 2 agent show rules peer 10.0.0.1
matches 'rules: that has no sense' 'a rule has no peer' "$said"

lab_spawn filtered agent "$FLOWREEVE" monitor port 5001-5009 --count 1 --json --pin-root "$LAB_DIR/bpf/flowreeve"
knocks=0
both_ports()
{
	knocks=$((knocks % 9 + 1))
	refused tcp 10.66.0.66 $((6000 + knocks))
	refused tcp 10.66.0.66 $((5000 + knocks))
	[ -s "$LAB_DIR/log/filtered" ]
}
succeeds 'monitor: an event is shown' until_true both_ports
equal 'monitor: of the filter alone' true "$(jq -s 'all(.[]; .peer.port > 5000 and .peer.port < 5010)' "$LAB_DIR/log/filtered")"

# ---------------------------------------------------------------- drops converge
sed 's/^rules:/&\n  - {id: stranger, direction: egress, peer: [10.66.0.66], ports: [4444\/tcp], action: allow}/' \
	"$work/policy.yaml" >"$work/new.yaml"
succeeds 'a policy that admits one of them' fr agent apply "$work/new.yaml"
equal 'what it admits has left the list' '' "$(drops port 4444)"
equal 'what it does not is there' 'would-drop 10.66.0.66 2049' "$(drops port 2049)"
succeeds 'zero' fr agent zero
equal 'nothing is refused since' '' "$(drops)"
refused tcp 10.66.0.66 7777
until_true listed port 7777
equal 'and a new refusal is' 'would-drop 10.66.0.66 7777' "$(drops)"
succeeds 'enforce' fr agent apply "$work/new.yaml" --mode enforce
refused tcp 10.66.0.66 7778
until_true listed port 7778
equal 'drops come apart from would-drops' 'drop 10.66.0.66 7778, would-drop 10.66.0.66 7777' "$(drops)"
succeeds 'detach' fr agent detach
