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

# The session that types the command: as sshd names it. Nothing is done where a guard refuses.
there=$(lab_enter agent ss -Hnt state established sport = :22 | awk '{ print $4 }' | head -1)
session="10.0.9.5 ${there##*:} 10.0.5.5 22"
typed() # WHAT CODE VERB...: in that session
{
	local what=$1 code=$2 status
	shift 2
	said=$(lab_enter agent env "SSH_CONNECTION=$session" timeout -s KILL 120 "$FLOWREEVE" "$@" \
		--pin-root "$LAB_DIR/bpf/flowreeve" 2>&1)
	status=$?
	if [ "$status" = "$code" ]; then ok "$what"; else not_ok "$what" "exit $status instead of $code: $said"; fi
}
none() { equal "$1: nothing is in force" null "$(fr_ask agent '.policies[0].generation' status)"; } # WHAT
policy other.yaml enforce '{interfaces: [ens5]}'
sed -i 's/10\.0\.9\.0\/24/10.0.8.0\/24/' "$work/other.yaml"
policy nothing.yaml enforce '{interfaces: [ens5]}' '- {id: no, direction: egress, peer: [10.20.0.0/24, 10.66.0.0/24], ports: [any], action: deny}'
sed -i 's/^failsafe.*/failsafe: []/' "$work/nothing.yaml"
typed 'preview tells of the session' 4 preview "$work/other.yaml"
matches 'that it is cut' '^this SSH session, from 10\.0\.9\.5 to port 22, is cut: rule default-ingress$' "$said"
typed 'apply refuses' 3 apply "$work/other.yaml"
matches 'with the reason' 'error: enforcing e2e would cut the SSH connection of this session.*\[session-cut\]$' "$said"
matches 'and the line to write' 'add to failsafe: \{peer: \[10\.0\.9\.5\], ports: \[22/tcp\]\}' "$said"
none refused
typed 'also with --confirm' 3 apply "$work/other.yaml" --confirm 600
none 'with --confirm'
typed 'another guard by force is not this one' 3 apply "$work/other.yaml" --force nothing-allowed
typed 'an unknown guard' 2 apply "$work/other.yaml" --force session,sesion
matches 'is shown in its place' '^ +\| +\^~+$|\^' "$said"
matches 'with the one that was meant' "did you mean 'session'" "$said"
typed 'in audit nothing is guarded' 0 apply "$work/other.yaml" --mode audit
succeeds 'detach' fr agent detach
typed 'nothing at all would be allowed' 3 apply "$work/nothing.yaml" --force session
matches 'it says so' '\[nothing-allowed\]$' "$said"
none 'nothing allowed'
typed 'also without a preview' 3 apply "$work/nothing.yaml" --no-preview
typed '--cut in audit' 2 apply "$work/other.yaml" --mode audit --cut
typed '--cut without a preview' 2 apply "$work/enforce.yaml" --no-preview --cut

# Closing sockets: of this namespace, and no listeners.
sockets() { lab_enter "$1" ss -Hnt state established | grep -c "$2"; } # NODE END
before=$(sockets intruder :4444)
fr_exits 'apply and cut' 0 agent apply "$work/enforce.yaml" --cut
matches 'it counts the sockets' '^  closed    2 sockets of this host$' "$said"
matches 'and lists what was cut' '^ +2 +interface +egress +tcp +10\.66\.0\.66 ' "$said"
equal 'they are closed' 0 "$(sockets agent 10.66.0.66:4444)"
equal 'those of another namespace are not' "2 $before" "$before $(sockets intruder :4444)"
equal 'the others live' 'answered 3 of 3' "$(sessions_ask good ask)"
equal 'so does the session' 'answered 1 of 1' "$(sessions_ask in ask)"
matches 'the listener listens' ':22 ' "$(lab_enter agent ss -Hlnt)"
previews 'nothing more is cut' 0 '4 connections stay, 0 are cut' enforce.yaml
equal 'its flows are known' true "$(shown enforce.yaml .flows_known)"
succeeds 'detach' fr agent detach
sessions_stop bad

# A policy of a cgroup: sockets of it alone, in whichever namespace.
e2e_cgroup agent agent
sessions_start bad agent hold tcp 10.66.0.66 4444 2
peer_start intruder datagrams --udp 4446
sessions_start inside agent hold udp 10.66.0.66 4446 1
LAB_CGROUP='' sessions_start outside agent hold tcp 10.66.0.66 4444 1
equal 'in the cgroup' 'answered 2 of 2' "$(sessions_ask bad ask)"
equal 'beside it' 'answered 1 of 1' "$(sessions_ask outside ask)"
policy slice.yaml enforce "{cgroups: [/$LAB_TAG-agent]}"
previews 'a cgroup: its sockets alone' 4 '0 connections stay, 3 are cut' slice.yaml
fr_exits 'a cgroup: apply and cut' 0 agent apply "$work/slice.yaml" --cut
matches 'a cgroup: sockets of TCP and UDP' '^  closed    3 sockets of this host$' "$said"
equal 'a cgroup: the one beside it lives' 'answered 1 of 1' "$(sessions_ask outside ask)"
succeeds 'a cgroup: detach' fr agent detach
sessions_stop inside outside good in bad

# Guests: by flows alone, with who opened.
e2e_kind guest
policy guest.yaml audit "$attach"
previews 'guests: nothing is known' 0 '0 connections stay, 0 are cut' guest.yaml --mode enforce
matches 'guests: it says why' '^connections of guests are not known: no policy' "$said"
succeeds 'guests: apply in audit' fr hypervisor apply "$work/guest.yaml"
peer_start appliance admin-appliance 22
sessions_start good appliance hold tcp 10.20.0.5 7 2
sessions_start bad appliance hold tcp 10.66.0.66 4444 1
sessions_start in bastion hold tcp 10.0.5.6 22 1
equal 'guests: sessions live' 'answered 2 of 2, answered 1 of 1, answered 1 of 1' \
	"$(sessions_ask good ask), $(sessions_ask bad ask), $(sessions_ask in ask)"
previews 'guests: by flows' 4 '3 connections stay, 1 is cut' guest.yaml --mode enforce
equal 'guests: each by its opener' 'reported 1 egress 10.66.0.66:4444, stays 2 egress 10.20.0.5:7, stays 1 ingress 10.0.9.5:22' \
	"$(lines guest.yaml)"
succeeds 'guests: detach' fr hypervisor detach
