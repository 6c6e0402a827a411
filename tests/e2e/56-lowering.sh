#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Nothing lowers the policy in force unless the command permits it: the mode, an attach point, a deny rule
# that goes, that is staged, that becomes narrower or is passed over, a default. All of it is named in one
# run, exit 3, and the running policy goes on. The command that the refusal prints passes.
#
# lesson: a policy that was put into enforce by an option went back to audit with the next plain apply.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"


# The policy with a list of rules from stdin. MODE ATTACH [KEYS]
write()
{
	{
		printf 'apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: e2e}\n'
		printf 'mode: %s\nattach: %s\nfailsafe: []\n%s\nrules:\n' "$1" "$2" "${3:-}"
		cat
	} >"$file"
}

running() { fr_ask agent '.policies[] | "\(.mode) \(.generation) \(.digest)"' status; }

# Refused with each of these ids and nothing else, and the running policy is untouched. WHAT IDS... --
# VERB...
refused()
{
	local what=$1 before ids=''
	shift
	while [ "$1" != -- ]; do
		ids="$ids $1"
		shift
	done
	shift
	before=$(running)
	fr_exits "$what: exit 3" 3 agent apply "$file" "$@"
	equal "$what: by these ids" "${ids# }" "$(grep -oP 'error: .*\[\K[a-z-]+(?=\]$)' <<<"$said" | sort -u | xargs)"
	equal "$what: what runs is untouched" "$before" "$(running)"
}

hint() { sed -n 's/^ *| \(flowreeve \)/\1/p' <<<"$said" | head -1; }

# As an operator pastes it, in the namespace of the policy.
paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter agent env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}

e2e_begin lowering
file="$work/it's the policy.yaml"
ens5='{interfaces: [ens5]}'
peer_start intruder stranger 4444 4445

# The mode.
write audit "$ens5" <<'Y'
  - {id: all, direction: egress, peer: [any], ports: [any/tcp], action: allow}
Y
succeeds 'audit by the file' fr agent apply "$file"
succeeds 'enforce by the command' fr agent apply "$file" --mode enforce
refused 'the file again' mode-lowered -- --flows 4096
matches 'the file again: with the command that keeps it' \
	"^flowreeve apply --mode enforce --pin-root $LAB_DIR/bpf/flowreeve --flows 4096 '/.*it'\\\\''s the policy.yaml'\$" "$(hint)"
succeeds 'which passes' paste "$(hint)"
equal 'and keeps it' enforce "$(fr_ask agent '.policies[0].mode' status)"
refused 'also where status says so' mode-lowered --
succeeds 'audit by the command' fr agent apply "$file" --mode audit
equal 'is audit' audit "$(fr_ask agent '.policies[0].mode' status)"
succeeds 'and then by the file' fr agent apply "$file"

# A deny rule: gone, staged, turned round, narrower, passed over by a failsafe; and allow rules are free.
deny='  - {id: stranger, direction: egress, peer: [10.66.0.0/24], ports: [4000-5000/tcp], action: deny}'
rest=$(printf '%s\n%s' '  - {id: all, direction: egress, peer: [any], ports: [any/tcp], action: allow}' \
	'  - {id: staged, direction: egress, peer: [10.9.9.9], ports: [1/tcp], action: deny, mode: audit}')
rules() { printf '%s\n' "$rest" "$@"; }
write enforce "$ens5" < <(rules "$deny")
succeeds 'with a deny rule' fr agent apply "$file"
write enforce "$ens5" < <(rules)
refused 'without it' deny-removed --
matches 'without it: named' 'deny rule stranger \(egress\) is no longer in the policy' "$said"
equal 'without it: still refused' timeout "$(peer_try agent tcp 10.66.0.66 4444 --wait 0.3)"
write enforce "$ens5" < <(rules "${deny/action: deny/action: deny, mode: audit}")
refused 'staged' deny-removed --
write enforce "$ens5" < <(rules "${deny/action: deny/action: allow}")
refused 'turned round' deny-removed --
write enforce "$ens5" < <(rules "${deny/egress/ingress}")
refused 'in the other direction' deny-removed --
write enforce "$ens5" < <(rules "${deny/4000-5000/4000-4443}")
refused 'with fewer ports' deny-narrowed --
write enforce "$ens5" < <(rules "${deny//10.66.0.0\/24/10.66.0.0\/26}")
refused 'with fewer peers' deny-narrowed --
write enforce "$ens5" < <(rules "${deny/id: stranger/id: renamed}")
refused 'by another id' deny-removed --
write enforce "$ens5" < <(rules "$deny" '  - {id: more, direction: egress, peer: [10.66.0.66], ports: [4444/tcp], action: allow}')
succeeds 'an allow rule more is no lowering' fr agent apply "$file"
write enforce "$ens5" < <(rules "${deny/4000-5000/3000-6000}" | grep -v 'id: staged')
succeeds 'a wider deny rule and a staged one less are none' fr agent apply "$file"
write enforce "$ens5" < <(rules)
refused 'without it' deny-removed --
succeeds 'the command of the refusal passes' paste "$(hint)"
equal 'and lets it go' ok "$(peer_try agent tcp 10.66.0.66 4444)"

in22='  - {id: no-ssh, direction: ingress, peer: [any], ports: [22/tcp], action: deny}'
write enforce "$ens5" < <(rules "$in22")
succeeds 'a deny rule of port 22' fr agent apply "$file"
write enforce "$ens5" < <(rules "$in22")
sed -i '/^failsafe/d' "$file"
refused 'a failsafe that passes it over' deny-narrowed --

# By two changes: the second allows traffic that the first leaves to the default.
fr agent detach >/dev/null
some='  - {id: some, direction: egress, peer: [10.20.0.5], ports: [7/tcp], action: allow}'
two() { printf '%s\n' "  - {id: d, direction: ingress, peer: [$1], ports: [22/tcp], action: deny}" "${@:2}" "$some"; }
write enforce "$ens5" < <(two 10.0.0.0/24)
succeeds 'a deny rule under a default that denies' fr agent apply "$file"
write enforce "$ens5" < <(two 10.0.0.0/25)
refused 'narrower, the rest by the default' deny-narrowed --
matches 'with an example' 'deny rule d \(ingress\) no longer refuses all that it did: 10.0.0.128 22/tcp' "$said"
write enforce "$ens5" < <(two 10.0.0.0/25 '  - {id: e, direction: ingress, peer: [10.0.0.128/25], ports: [22/tcp], action: deny}')
succeeds 'narrower, the rest by another deny rule' fr agent apply "$file"
fr agent detach >/dev/null

# A built-in rule that is switched on.
in68='  - {id: no-dhcp, direction: ingress, peer: [any], ports: [60-70/udp], action: deny}'$'\n'"$some"
write enforce "$ens5" 'builtin: {dhcp: off}' <<<"$in68"
succeeds 'a deny rule, and the built-in one off' fr agent apply "$file"
write enforce "$ens5" <<<"$in68"
refused 'the built-in one on' deny-narrowed --
write enforce "$ens5" 'builtin: {dhcp: off, nd: off}' <<<"$in68"
succeeds 'one more off is none' fr agent apply "$file"
write enforce "$ens5" 'builtin: {dhcp: off}' <<<"$in68"
succeeds 'nor is one on that passes over nothing' fr agent apply "$file"
fr agent detach >/dev/null
e2e_cgroup agent lowering
own="{cgroups: [/$LAB_TAG-lowering]}"
out22="${in22/ingress/egress}"$'\n'"$some"
write enforce "$own" 'builtin: {loopback: off}' <<<"$out22"
succeeds 'a cgroup, and loopback off' fr agent apply "$file"
write enforce "$own" <<<"$out22"
refused 'loopback on' default-lowered --
fr agent detach >/dev/null
LAB_CGROUP=''
write enforce "$ens5" < <(rules "$in22")
succeeds 'a deny rule again' fr agent apply "$file"

# A default, and the set of judged traffic.
write enforce "$ens5" 'default: {ingress: allow}' < <(rules "$in22")
refused 'a default' default-lowered --
matches 'a default: named' 'the default of ingress changes from deny to allow' "$said"
write enforce "$ens5" "forwarded: judge
non-ip: deny" < <(rules "$in22")
succeeds 'more is judged' fr agent apply "$file"
write enforce "$ens5" < <(rules "$in22")
refused 'less is judged' default-lowered --
matches 'less is judged: what is forwarded' 'forwarded packets are no longer judged' "$said"
matches 'less is judged: what is not IP' 'non-ip changes from deny to allow' "$said"

# All at once.
write audit '{cgroups: [/]}' 'default: {egress: allow}' < <(rules)
refused 'all of it' attach-removed default-lowered deny-removed mode-lowered --
equal 'all of it: with one command' 1 "$(grep -c ' | flowreeve' <<<"$said")"
matches 'all of it: named with what it allows' 'interface ens5 is no longer attached \(--allow-removal' "$said"
said=$(fr agent apply "$file" --mode audit --allow-removal --json)
equal 'all of it, as the command says' 'attach-removed default-lowered default-lowered default-lowered deny-removed mode-lowered' \
	"$(jq -r '[.lowered[].check] | sort | join(" ")' <<<"$said")"
succeeds 'and off' fr agent detach
