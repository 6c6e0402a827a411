#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Pins are taken away, each kind in turn, from a policy that was put into enforce by an option, by a file
# with a blank in its name. Status notices wherever something is not as it was, exit 5 or 1, and the command
# that it prints, pasted into a shell, puts the policy in force again as it was.
#
# lesson: "apply POLICY heals it" was a command that turned enforcement off, or failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter "$host" env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}

hint() { grep -oP '^ *\| \K(nsenter .*)?flowreeve .*' <<<"$said" | head -1; }
state() { fr_ask "$host" '.policies[] | "\(.mode) \(.enforcing) \(.faults)"' status; }
pins=''
take_away() { (cd "$pins" && rm -rf $1); }

# Damage in a policy that runs; who looks is told, and what is printed heals. PATTERN EXIT [VERB...]
heal()
{
	local what="$kind: $1" code=$2 healed verb=("${@:3}")
	[ ${#verb[@]} != 0 ] || verb=(status)
	take_away "$1"
	fr_exits "$what: ${verb[*]} exits $code" "$code" "$host" "${verb[@]}"
	healed=$(hint)
	succeeds "$what: '$healed'" paste "${healed:-false}"
	equal "$what: in force as it was" 'enforce true 0' "$(state)"
	succeeds "$what: ${verb[*]} again" fr "$host" "${verb[@]}"
	equal "$what: and refuses" "$refusal" "$(peer_try "$party" tcp 10.66.0.66 4444 --wait 0.3)"
}

heal_run() # KIND
{
	local name programs
	e2e_kind "$1"
	policy_write "$work/a policy.yaml" audit "$attach"
	succeeds "$kind: enforce by the command" fr "$host" apply "$work/a policy.yaml" --mode enforce $options
	pins="$LAB_DIR/bpf/flowreeve/e2e"
	programs=$(cd "$pins"/e1 && printf '%s\n' s-fr_*)
	# An apply that has to make programs anew leaves the next epoch.
	for name in $programs; do
		case $name in
		*clock) heal "e*/$name" 1 show flows ;;
		*sock_create) ;; # process detail; it goes without
		*connect6 | *sendmsg?) ;; # as connect4
		*) heal "e*/$name" 5 ;;
		esac
	done
	[ "$kind" != interface ] || for name in fr_counters fr_reasons fr_tallies fr_flows fr_talks fr_embryos fr_pings fr_denied fr_events fr_control; do
		heal "e*/$name" 1
	done
	for name in image rules requests; do
		heal "e*/$name-*" 1
	done
	heal 'e*/fr_images' 1
	[ "$kind" = clsact ] || {
		heal 'link-*-ingress' 5
		heal 'link-*-egress' 5
		heal 'link-*' 5
		heal 'e*/hooks-*' 1
	}
	succeeds "$kind: detach" fr "$host" detach
	equal "$kind: nothing of ours is pinned" '' "$(pins_left)"
}

# Where nothing says any more which file it was, what is printed takes the policy off.
forgotten_run() # PATTERN
{
	e2e_kind interface
	policy_write "$work/a policy.yaml" audit "$attach"
	succeeds "without $1: apply" fr "$host" apply "$work/a policy.yaml" --mode enforce
	take_away "$1"
	fr_exits "without $1: status" 1 "$host" status
	fr_exits "without $1: status of its name" 1 "$host" status e2e
	matches "without $1: may be in force" 'pins-broken' "$said"
	fr_exits "without $1: apply stops" 1 "$host" apply "$work/a policy.yaml" --mode enforce
	matches "without $1: and says why" 'pins-broken' "$said"
	equal "without $1: what runs still refuses" timeout "$(peer_try agent tcp 10.66.0.66 4444 --wait 0.3)"
	succeeds "without $1: '$(hint)'" paste "$(hint)"
	equal "without $1: it is off" '' "$(pins_left)"
	equal "without $1: and lets pass" ok "$(peer_try agent tcp 10.66.0.66 4444)"
}

# The command is pasted where the devices are, from wherever it was asked for.
elsewhere_run()
{
	e2e_kind interface
	succeeds 'elsewhere: apply' fr agent apply "$work/a policy.yaml" --mode enforce
	rm "$pins"/e*/s-fr_if_egress
	said=$(fr nfs status 2>&1)
	equal 'elsewhere: status of another namespace exits 5' 5 $?
	matches 'elsewhere: the command enters its own' "nsenter --net=/run/netns/" "$(hint)"
	host=nfs
	succeeds "elsewhere: '$(hint)'" paste "$(hint)"
	host=agent
	equal 'elsewhere: in force as it was' 'enforce true 0' "$(state)"
	succeeds 'elsewhere: detach' fr agent detach
}

e2e_begin heal
peer_start intruder stranger 4444
heal_run interface
heal_run clsact
heal_run guest
heal_run cgroup
LAB_CGROUP=''
forgotten_run 'e*/state-*'
forgotten_run 'e*'
elsewhere_run
